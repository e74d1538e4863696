/*
 * fanout_state - what belongs to a user, to the sockets that may see it
 *
 * Profiles, cursors, preferences and blocks have a rev and no ev: each event
 * is the whole of its entity, so one may come twice, late or not in order, and
 * only the highest rev counts.  Who is told:
 *   preference, block   the user's own sockets;
 *   cursor              those, and the members of a conversation that is small
 *                       (live_audience; at most receipt_members in all);
 *   user (profile)      those, and the members of small conversations of hers.
 *
 * Gathered for STATE_GATHER_US, one frame per user or conversation.  Whether a
 * conversation is small is asked once and kept until its membership changes;
 * its cursors wait meanwhile, bounded: what does not fit is told as lost, and
 * the client asks `state` and `cursors`.
 *
 * Events come live (fanout_state_event), or as rows (fanout_state_rows) while
 * the database is polled or after something live was lost; a table of what was
 * told lately keeps one from repeating the other.
 *
 * Knows neither sockets nor SQL.  One thread.  Times from clock_now_us.
 */
#ifndef CHEMCHAT_FANOUT_STATE_H
#define CHEMCHAT_FANOUT_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"
#include "event_json.h"
#include "payload.h"
#include "registry.h"

#define STATE_GATHER_US    100000
#define STATE_FRAME_BYTES  (32 * 1024)
#define STATE_PROFILES_MAX 1000
#define STATE_ASK_MAX      500
#define STATE_RETRY_US     500000

typedef struct FanoutState FanoutState;

typedef struct FanoutStatePorts
{
	/* A frame of state, borrowed; a slow reader may lose it and is told so. */
	void (*deliver)(void *arg, Seat *seat, Payload *frame);

	/* A frame that must not be lost: invited, lag. */
	void (*tell)(void *arg, Seat *seat, Payload *frame);

	/*
	 * Ask live_audience; answered by fanout_state_audience, perhaps at once.
	 * One at a time.
	 */
	void (*ask)(void *arg, const Uuid *users, int user_count,
				const Uuid *conversations, int conversation_count);

	/* More than can be held: what changed is to come as rows. */
	void (*broken)(void *arg);
} FanoutStatePorts;

typedef enum StateTarget
{
	STATE_TO_USER = 'u',
	STATE_TO_CONVERSATION = 'c',
	STATE_INVITATION = 'i' /* of that user, to that conversation */
} StateTarget;

/* One row of live_states. */
typedef struct StateRow
{
	StateTarget target;
	Uuid target_id; /* user or conversation */
	uint8_t kind;   /* of the event, as EventKind */
	Uuid key;       /* user; of an invitation the conversation */
	Uuid id;
	uint64_t rev;
	Slice json;
} StateRow;

/* The answer of live_audience: pairs of those asked for. */
typedef struct AudienceRow
{
	bool has_user; /* false: the conversation was asked for by itself */
	Uuid user_id;
	Uuid conversation_id;
} AudienceRow;

typedef struct FanoutStateCounts
{
	uint64_t events;     /* heard or read */
	uint64_t duplicates; /* of these, told already */
	uint64_t delivered;  /* frames given to sockets */
	uint64_t asks;
	uint64_t lost; /* frames or profiles that could not be held */
	uint64_t invited;
} FanoutStateCounts;

FanoutState *fanout_state_new(Registry *registry, const FanoutStatePorts *ports,
							  void *arg);
void fanout_state_free(FanoutState **state);

/* A user-scoped event, from the live channels; others are passed over. */
void fanout_state_event(FanoutState *state, const Event *event);

void fanout_state_rows(FanoutState *state, const StateRow *rows, size_t count);

/* rows NULL: no answer, it is asked again after a while. */
void fanout_state_audience(FanoutState *state, const AudienceRow *rows,
						   size_t count);

/* Every 5 to 10 ms: what was gathered long enough leaves. */
void fanout_state_tick(FanoutState *state);

/* Frames and profiles held. */
size_t fanout_state_held(const FanoutState *state);
const FanoutStateCounts *fanout_state_counts(const FanoutState *state);

#endif
