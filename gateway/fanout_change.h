/*
 * fanout_change - what the fan-out has to know of an event
 *
 * The same from both sources: an event of the live channels, or the JSON of
 * one that was pulled.  Pure.
 */
#ifndef CHEMCHAT_FANOUT_CHANGE_H
#define CHEMCHAT_FANOUT_CHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "event.h"
#include "event_json.h"
#include "uuid.h"

/* What a member event makes of its user. */
typedef enum Seating
{
	SEATING_REMOVED,
	SEATING_INVITED,
	SEATING_JOINED
} Seating;

/* One event, from either source; borrows its bytes. */
typedef struct Change
{
	uint64_t ev;
	uint64_t seq;
	bool is_member; /* the two below hold */
	Seating seating;
	Uuid user_id;
	Uuid conversation_id;
	Slice json;
	const char *position;
} Change;

/* False when it is no event with an ev.  conversation_id is the caller's. */
bool fanout_change_from_json(Slice json, const char *position, Change *change);
bool fanout_change_from_event(const Event *event, const char *position,
							  Change *change);

#endif
