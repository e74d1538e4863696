/*
 * state_gather - texts that wait to be written, one per user or conversation
 *
 * In the order in which the first piece of each came.  Pure.
 */
#ifndef CHEMCHAT_STATE_GATHER_H
#define CHEMCHAT_STATE_GATHER_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "uuid.h"
#include "uuid_map.h"

/* What was gathered for one user or one conversation. */
typedef struct StateFrame
{
	struct StateFrame *next;
	Uuid id;
	bool is_users; /* else a conversation's */
	bool is_lost;  /* something did not fit */
	Buf text;
} StateFrame;

typedef struct StateGather
{
	StateFrame *first;
	StateFrame **end;
	UuidMap *by_id;
	bool is_users;
} StateGather;

void state_gather_init(StateGather *gather, bool is_users);
void state_gather_fini(StateGather *gather);
size_t state_gather_count(const StateGather *gather);

/* The one of this id, made when there is none. */
StateFrame *state_gather_of(StateGather *gather, const Uuid *id);

/* Takes the one that *link points at out, and frees it. */
void state_gather_remove(StateGather *gather, StateFrame **link);

#endif
