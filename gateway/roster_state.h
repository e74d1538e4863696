/*
 * roster_state - asking what users are to be told (live_states), and when
 *
 * What belongs to a user has no ev that two sides could compare.  Instead the
 * server gives marks: an answer holds all that may have become visible since
 * one.  This keeps the last mark up to which everything was told for certain:
 *   - live: a mark counts once every channel was heard beyond the place in the
 *     log that goes with it, and no channel is being repaired;
 *   - a broken channel is repaired by asking since that mark for all local
 *     users and conversations, of that channel alone;
 *   - polled: laps over all of them, each since the mark at which the lap
 *     before began; not more than rows_per_second are looked at.
 *
 * Every answer goes to fanout_state_rows.  One thread, that of the loop.
 */
#ifndef CHEMCHAT_ROSTER_STATE_H
#define CHEMCHAT_ROSTER_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "db.h"
#include "fanout_state.h"
#include "registry.h"

#define ROSTER_STATE_IDS      500 /* users or conversations a question */
#define ROSTER_STATE_LAP_MS   500 /* from the end of a lap to the next */
#define ROSTER_STATE_MARK_MS  2000
#define ROSTER_STATE_CALM_MS  3000 /* beyond the second look at a channel */
#define ROSTER_STATE_RETRY_MS 500

typedef struct RosterState RosterState;

typedef struct RosterStateCounts
{
	uint64_t laps;
	uint64_t repairs;
	uint64_t rows;
	int64_t lap_us; /* how long the last lap took */
} RosterStateCounts;

/* members_max: of a conversation whose members see what others read. */
RosterState *roster_state_new(Db *db, Registry *registry, FanoutState *state,
							  int64_t rows_per_second, int members_max);
void roster_state_free(RosterState **roster);

/* The answer of live_audience goes to fanout_state_audience. */
void roster_state_ask(RosterState *roster, const Uuid *users, int user_count,
					  const Uuid *conversations, int conversation_count);

/* channel: -1 for all. */
void roster_state_repair(RosterState *roster, int channel);

/* It begins as polled. */
void roster_state_set_polled(RosterState *roster, bool is_polled);

/*
 * Every 5 to 10 ms.  heard_lsn: what every live channel has been heard up to;
 * 0 when that is not known.
 */
void roster_state_tick(RosterState *roster, uint64_t heard_lsn);

const RosterStateCounts *roster_state_counts(const RosterState *roster);

#endif
