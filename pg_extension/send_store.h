/*
 * send_store - the statements behind send.h
 *
 * Plans are made once per session.  Everything between begin and end runs in
 * one SPI connection; each call is one statement, and a statement sees what
 * was committed before it began.
 */
#ifndef CHEMCHAT_SEND_STORE_H
#define CHEMCHAT_SEND_STORE_H

#include "send.h"

struct SendConversation
{
	pg_uuid_t id;
	bool is_locked;
	bool is_archived;
	bool is_direct; /* known once it is locked */
	Datum kind;     /* a text, once it is locked */
	int64 seq;      /* the last one given */
	int64 ev;
};

extern void send_store_begin(void);
extern void send_store_end(void);

/*
 * Locks in the given order, which is id order; sets is_locked.  With
 * only_actor, who may be NULL, no conversation that she was never in.
 */
extern void send_store_lock(SendConversation *conversations, int count,
							const pg_uuid_t *only_actor, bool is_waiting);

/* Sets seq and ev of those that are locked. */
extern void send_store_read_heads(SendConversation *conversations, int count);

/*
 * Good items only: sets is_member ... is_active, or answers from the message
 * that has the item's key already.
 */
extern void send_store_look_up(SendItem *items, int count);

/* Writes the rows of message and change. */
extern void send_store_insert(SendItem **items, int count);

#endif
