#include "roster.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "uuid_map.h"
#include "xalloc.h"

/* More broken channels than this are one question over all. */
#define CHANNELS_APART 8

typedef struct Look
{
	struct Look *next;
	Uuid user_id;
	int64_t due_us;
	RosterDoneFn done;
	void *arg;
} Look;

/* One pass over all users: a lap, or the repair of a channel. */
typedef struct Walk
{
	bool is_walking;
	bool is_asking;
	bool is_changed;
	int channel;
	uint32_t at; /* users at and above were asked about */
	int64_t began_us;
	int64_t next_us;
} Walk;

struct Roster
{
	Db *db;
	Registry *registry;
	Fanout *fanout;
	int64_t rows_per_second;
	Look *looks;
	Look **looks_end;
	Look *asked; /* under way */
	Walk lap;
	Walk repair;
	int64_t lap_pause_ms;
	int waiting; /* looks with a callback */
	bool is_polled;
	uint64_t broken; /* one bit per channel */
	RosterCounts counts;
};

static void ask_looks(Roster *roster);
static void on_looks(void *arg, const DbError *error, const HeadRows *rows,
					 const Position *position);
static void ask_walk(Roster *roster, Walk *walk, DbHeadRowsFn done);
static void on_lap(void *arg, const DbError *error, const HeadRows *rows,
				   const Position *position);
static void on_repair(void *arg, const DbError *error, const HeadRows *rows,
					  const Position *position);
static bool walked(Roster *roster, Walk *walk, const DbError *error,
				   const HeadRows *rows);
static void begin_repair(Roster *roster);
static UuidMap *named_users(const HeadRows *rows);

Roster *
roster_new(Db *db, Registry *registry, int64_t rows_per_second)
{
	Roster *roster = xcalloc(1, sizeof(*roster));

	roster->db = db;
	roster->registry = registry;
	roster->rows_per_second = rows_per_second;
	roster->looks_end = &roster->looks;
	roster->lap_pause_ms = ROSTER_LAP_MIN_MS;
	roster->is_polled = true;
	return roster;
}

void
roster_free(Roster **roster_ref)
{
	Roster *roster = *roster_ref;
	DbError error = { .code = "unavailable" };
	Look *look;

	if (roster == NULL)
		return;
	*roster_ref = NULL;
	while ((look = roster->looks) != NULL)
	{
		roster->looks = look->next;
		if (look->done != NULL)
			look->done(look->arg, &error, false, NULL);
		free(look);
	}
	free(roster);
}

void
roster_set_fanout(Roster *roster, Fanout *fanout)
{
	roster->fanout = fanout;
}

void
roster_look(Roster *roster, const Uuid *user_id, int64_t delay_ms,
			RosterDoneFn done, void *arg)
{
	int64_t now_us = clock_now_us();
	int64_t due_us = now_us + delay_ms * 1000;
	Look *look;

	/*
	 * One that waits for nobody's sake serves all who have no callback, if
	 * it comes neither later than wanted nor much too early.
	 */
	for (look = roster->looks; done == NULL && look != NULL; look = look->next)
	{
		if (look->done == NULL && uuid_equal(&look->user_id, user_id) &&
			look->due_us <= due_us &&
			(delay_ms == 0 || look->due_us >= now_us + delay_ms * 500))
			return;
	}
	look = xcalloc(1, sizeof(*look));
	look->user_id = *user_id;
	look->due_us = due_us;
	look->done = done;
	roster->waiting += done != NULL;
	look->arg = arg;
	*roster->looks_end = look;
	roster->looks_end = &look->next;
	if (delay_ms == 0)
		ask_looks(roster);
}

int
roster_waiting(const Roster *roster)
{
	return roster->waiting;
}

void
roster_repair(Roster *roster, int channel)
{
	roster->broken |= UINT64_C(1) << channel;
	begin_repair(roster);
}

void
roster_set_polled(Roster *roster, bool is_polled)
{
	roster->is_polled = is_polled;
	roster->lap_pause_ms = ROSTER_LAP_MIN_MS;
	if (is_polled)
		roster->lap.next_us = 0;
}

void
roster_tick(Roster *roster)
{
	int64_t now_us = clock_now_us();

	ask_looks(roster);
	begin_repair(roster);
	if (roster->repair.is_walking && !roster->repair.is_asking &&
		now_us >= roster->repair.next_us)
		ask_walk(roster, &roster->repair, on_repair);
	if (!roster->lap.is_walking && roster->is_polled &&
		now_us >= roster->lap.next_us &&
		registry_user_count(roster->registry) > 0)
	{
		memset(&roster->lap, 0, sizeof(roster->lap));
		roster->lap.is_walking = true;
		roster->lap.channel = -1;
		roster->lap.at = UINT32_MAX;
		roster->lap.began_us = now_us;
	}
	if (roster->lap.is_walking && !roster->lap.is_asking &&
		now_us >= roster->lap.next_us)
		ask_walk(roster, &roster->lap, on_lap);
}

const RosterCounts *
roster_counts(const Roster *roster)
{
	return &roster->counts;
}

/* All looks that are due, in one question. */
static void
ask_looks(Roster *roster)
{
	int64_t now_us = clock_now_us();
	Look **asked_end = &roster->asked;
	Look **link = &roster->looks;
	Uuid users[ROSTER_LOOK_USERS];
	int count = 0;

	if (roster->asked != NULL)
		return;
	while (*link != NULL && count < ROSTER_LOOK_USERS)
	{
		Look *look = *link;

		if (look->due_us > now_us)
		{
			link = &look->next;
			continue;
		}
		*link = look->next;
		look->next = NULL;
		*asked_end = look;
		asked_end = &look->next;
		users[count++] = look->user_id;
	}
	if (*link == NULL)
		roster->looks_end = link;
	if (count == 0)
		return;
	roster->counts.looks += (uint64_t) count;
	db_live_heads(roster->db, users, count, -1, on_looks, roster);
}

static void
on_looks(void *arg, const DbError *error, const HeadRows *rows,
		 const Position *position)
{
	Roster *roster = arg;
	Look *asked = roster->asked;
	UuidMap *named = NULL;

	roster->asked = NULL;
	if (rows != NULL)
	{
		named = named_users(rows);
		roster->counts.rows += rows->row_count;
		fanout_rows(roster->fanout, rows);
	}
	while (asked != NULL)
	{
		Look *next = asked->next;

		roster->waiting -= asked->done != NULL;
		if (asked->done != NULL)
			asked->done(asked->arg, error,
						named != NULL &&
							uuid_map_get(named, &asked->user_id) != NULL,
						position);
		else if (rows == NULL)
			roster_look(roster, &asked->user_id, 500, NULL, NULL);
		free(asked);
		asked = next;
	}
	if (named == NULL)
		return;
	uuid_map_free(&named);
	ask_looks(roster);
}

/* The next users of a walk: about ROSTER_ROWS rows. */
static void
ask_walk(Roster *roster, Walk *walk, DbHeadRowsFn done)
{
	uint32_t total = registry_user_count(roster->registry);
	Uuid users[ROSTER_LOOK_USERS];
	uint32_t rows = 0;
	int count = 0;

	/* Downwards: who is moved into a hole was asked about already. */
	if (walk->at > total)
		walk->at = total;
	while (walk->at > 0 && count < ROSTER_LOOK_USERS && rows < ROSTER_ROWS)
	{
		const User *user = registry_user_at(roster->registry, --walk->at);

		rows += 1 + user->membership_count;
		users[count++] = user->id;
	}
	walk->is_asking = true;
	if (count > 0)
	{
		db_live_heads(roster->db, users, count, walk->channel, done, roster);
		return;
	}
	{
		DbError none = { .code = NULL };
		HeadRows nothing = { .channel = walk->channel };

		done(roster, &none, &nothing, NULL);
	}
}

static void
on_lap(void *arg, const DbError *error, const HeadRows *rows,
	   const Position *position)
{
	Roster *roster = arg;
	Walk *lap = &roster->lap;
	int64_t now_us;

	if (!walked(roster, lap, error, rows))
		return;
	now_us = clock_now_us();
	roster->counts.laps++;
	roster->counts.lap_us = now_us - lap->began_us;
	roster->lap_pause_ms =
		lap->is_changed ? ROSTER_LAP_MIN_MS : roster->lap_pause_ms * 3 / 2;
	if (roster->lap_pause_ms > ROSTER_LAP_MAX_MS)
		roster->lap_pause_ms = ROSTER_LAP_MAX_MS;
	if (lap->next_us < now_us + roster->lap_pause_ms * 1000)
		lap->next_us = now_us + roster->lap_pause_ms * 1000;
}

static void
on_repair(void *arg, const DbError *error, const HeadRows *rows,
		  const Position *position)
{
	Roster *roster = arg;

	if (!walked(roster, &roster->repair, error, rows))
		return;
	roster->counts.repairs++;
	begin_repair(roster);
}

/* True when the walk has seen everybody. */
static bool
walked(Roster *roster, Walk *walk, const DbError *error, const HeadRows *rows)
{
	int64_t now_us = clock_now_us();

	walk->is_asking = false;
	if (rows == NULL)
	{
		walk->at = UINT32_MAX; /* from the beginning */
		walk->next_us = now_us + 250 * 1000;
		return false;
	}
	roster->counts.rows += rows->row_count;
	walk->next_us =
		now_us + (int64_t) rows->row_count * 1000000 / roster->rows_per_second;
	if (rows->user_count > 0 && fanout_rows(roster->fanout, rows))
		walk->is_changed = true;
	if (walk->at > 0)
		return false;
	walk->is_walking = false;
	return true;
}

static void
begin_repair(Roster *roster)
{
	Walk *repair = &roster->repair;

	if (repair->is_walking || roster->broken == 0)
		return;
	memset(repair, 0, sizeof(*repair));
	repair->is_walking = true;
	repair->began_us = clock_now_us();
	repair->at = UINT32_MAX;
	if (__builtin_popcountll(roster->broken) > CHANNELS_APART)
	{
		repair->channel = -1;
		roster->broken = 0;
	}
	else
	{
		repair->channel = __builtin_ctzll(roster->broken);
		roster->broken &= roster->broken - 1;
	}
	ask_walk(roster, repair, on_repair);
}

/* The users that the rows name, each once: a user has rows one after another. */
static UuidMap *
named_users(const HeadRows *rows)
{
	UuidMap *named = uuid_map_new();

	for (size_t i = 0; i < rows->row_count; i++)
	{
		const HeadRow *row = &rows->rows[i];

		if (i == 0 || !uuid_equal(&row->user_id, &rows->rows[i - 1].user_id))
			uuid_map_put(named, &row->user_id, (void *) (uintptr_t) row);
	}
	return named;
}
