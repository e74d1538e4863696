/*
 * roster - asking who is where (live_heads), and when
 *
 * Three kinds of questions, each with at most one answer outstanding:
 *   - looks: users by name, for a hello or because an event left a doubt;
 *     all that gather while one is under way go together;
 *   - repairs: every local user in one live channel that lost something;
 *   - laps: every local user in all channels, over and over, as long as there
 *     are no live channels (polled mode).  A lap is cut into questions of
 *     about ROSTER_ROWS rows; not more than rows_per_second are read, and
 *     between laps 20 ms pass, up to 200 ms when nothing changes.
 *
 * Every answer goes to fanout_rows.  One thread, that of the loop.
 */
#ifndef CHEMCHAT_ROSTER_H
#define CHEMCHAT_ROSTER_H

#include <stdbool.h>
#include <stdint.h>

#include "db.h"
#include "fanout.h"
#include "registry.h"

#define ROSTER_ROWS       1000
#define ROSTER_LOOK_USERS 500
#define ROSTER_LAP_MIN_MS 20
#define ROSTER_LAP_MAX_MS 200

typedef struct Roster Roster;

typedef struct RosterCounts
{
	uint64_t looks;
	uint64_t repairs;
	uint64_t laps;
	uint64_t rows;
	int64_t lap_us; /* how long the last lap took */
} RosterCounts;

/* is_known: such a user exists.  position: after the rows were read. */
typedef void (*RosterDoneFn)(void *arg, const DbError *error, bool is_known,
							 const Position *position);

Roster *roster_new(Db *db, Registry *registry, int64_t rows_per_second);
void roster_free(Roster **roster);

/* Set once, before the first question: they need each other. */
void roster_set_fanout(Roster *roster, Fanout *fanout);

/* Looks with somebody who waits for them. */
int roster_waiting(const Roster *roster);

/* done may be NULL. */
void roster_look(Roster *roster, const Uuid *user_id, int64_t delay_ms,
				 RosterDoneFn done, void *arg);
void roster_repair(Roster *roster, int channel);

/* Begins and ends polling; it begins as polled. */
void roster_set_polled(Roster *roster, bool is_polled);

/* Every 5 to 10 ms. */
void roster_tick(Roster *roster);

const RosterCounts *roster_counts(const Roster *roster);

#endif
