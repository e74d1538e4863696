/* uses: gateway common/wire common/base */
/* pkgs: jansson */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "property.h"
#include "roster_state.h"
#include "xalloc.h"

#define USERS    1200 /* more than two questions */
#define RATE     100000
#define MARK_LSN 1000

/* The question under way, and what was asked since the scene began. */
static struct Asked
{
	DbStatesFn done;
	void *arg;
	char since[100];
	bool has_since;
	int channel;
	int user_count;
	int conversation_count;
	int questions;
	int asked_of[USERS];
} asked;

typedef struct Scene
{
	Registry *registry;
	FanoutState *state;
	RosterState *roster;
	int64_t now_us;
	Seat seats[USERS];
} Scene;

void
db_live_states(Db *db, const DbStatesAsk *ask, DbStatesFn done, void *arg)
{
	(void) db;
	assert_null(asked.done);
	asked.done = done;
	asked.arg = arg;
	asked.has_since = ask->since != NULL;
	(void) snprintf(asked.since, sizeof(asked.since), "%s",
					ask->since != NULL ? ask->since : "");
	asked.channel = ask->channel;
	asked.user_count = ask->user_count;
	asked.conversation_count = ask->conversation_count;
	asked.questions++;
	assert_in_range(ask->user_count, 0, ROSTER_STATE_IDS);
	assert_in_range(ask->conversation_count, 0, ROSTER_STATE_IDS);
	for (int i = 0; i < ask->user_count; i++)
	{
		int which;

		memcpy(&which, ask->users[i].byte, sizeof(which));
		asked.asked_of[which]++;
	}
}

void
db_live_audience(Db *db, const Uuid *users, int user_count,
				 const Uuid *conversations, int conversation_count,
				 int members_max, DbAudienceFn done, void *arg)
{
	(void) db;
	(void) users;
	(void) user_count;
	(void) conversations;
	(void) conversation_count;
	(void) members_max;
	done(arg, NULL, 0);
}

static void
port_nothing(void *arg)
{
	(void) arg;
}

static void
port_frame(void *arg, Seat *seat, Payload *frame)
{
	(void) arg;
	(void) seat;
	(void) frame;
}

static void
port_ask(void *arg, const Uuid *users, int user_count,
		 const Uuid *conversations, int conversation_count)
{
	(void) arg;
	(void) users;
	(void) user_count;
	(void) conversations;
	(void) conversation_count;
}

static int
begin(void **state)
{
	const FanoutStatePorts ports = { .deliver = port_frame,
									 .tell = port_frame,
									 .ask = port_ask,
									 .broken = port_nothing };
	Scene *scene = xcalloc(1, sizeof(*scene));

	memset(&asked, 0, sizeof(asked));
	scene->now_us = 1000000000;
	clock_set(scene->now_us, scene->now_us);
	scene->registry = registry_new();
	scene->state = fanout_state_new(scene->registry, &ports, scene);
	scene->roster =
		roster_state_new(NULL, scene->registry, scene->state, RATE, 200);
	for (int i = 0; i < USERS; i++)
	{
		Uuid id = { { 0 } };

		memcpy(id.byte, &i, sizeof(i));
		(void) registry_sit(scene->registry, &id, &scene->seats[i]);
	}
	*state = scene;
	return 0;
}

static int
end(void **state)
{
	Scene *scene = *state;

	for (int i = 0; i < USERS; i++)
		registry_rise(scene->registry, &scene->seats[i]);
	roster_state_free(&scene->roster);
	fanout_state_free(&scene->state);
	registry_free(&scene->registry);
	free(scene);
	clock_unset();
	return 0;
}

static void
tick(Scene *scene, int64_t ms, uint64_t heard_lsn)
{
	scene->now_us += ms * 1000;
	clock_set(scene->now_us, scene->now_us);
	roster_state_tick(scene->roster, heard_lsn);
}

/* mark: NULL for an error. */
static void
answer(const char *mark)
{
	DbStatesFn done = asked.done;

	assert_non_null(done);
	asked.done = NULL;
	done(asked.arg, NULL, 0, mark, MARK_LSN);
}

/* Answers every question of a walk with that mark. */
static void
walk(Scene *scene, const char *mark)
{
	uint64_t before = roster_state_counts(scene->roster)->laps +
					  roster_state_counts(scene->roster)->repairs;

	for (int i = 0; i < 10000; i++)
	{
		if (asked.done != NULL)
			answer(mark);
		if (roster_state_counts(scene->roster)->laps +
				roster_state_counts(scene->roster)->repairs >
			before)
			return;
		tick(scene, 10, 0);
	}
	fail_msg("the walk does not end");
}

/* After a walk that asked everybody. */
static void
become_live(Scene *scene, const char *certain)
{
	tick(scene, 10, 0);
	walk(scene, certain);
	roster_state_set_polled(scene->roster, false);
}

static void
a_lap_asks_everybody_once_at_its_pace(void **state)
{
	Scene *scene = *state;
	int64_t began_us;

	tick(scene, 10, 0);
	began_us = scene->now_us;
	assert_false(asked.has_since);
	walk(scene, "a");
	for (int i = 0; i < USERS; i++)
		assert_int_equal(asked.asked_of[i], 1);
	/* the last question's rows count for what follows */
	assert_true(scene->now_us - began_us >=
				(int64_t) 2 * ROSTER_STATE_IDS * 1000000 / RATE);

	/* The next one: after a pause, since the mark this one began with. */
	tick(scene, 10, 0);
	assert_null(asked.done);
	tick(scene, ROSTER_STATE_LAP_MS, 0);
	assert_true(asked.has_since);
	assert_string_equal(asked.since, "a");
}

static void
the_mark_of_a_lap_is_that_of_its_first_answer(void **state)
{
	Scene *scene = *state;

	tick(scene, 10, 0);
	answer("first");
	walk(scene, "later");
	tick(scene, ROSTER_STATE_LAP_MS + 1, 0);
	assert_string_equal(asked.since, "first");
}

static void
a_question_that_failed_begins_the_walk_anew(void **state)
{
	Scene *scene = *state;

	tick(scene, 10, 0);
	answer("a");
	tick(scene, 10, 0);
	answer(NULL);
	tick(scene, ROSTER_STATE_RETRY_MS - 10, 0);
	assert_null(asked.done);
	tick(scene, 10, 0);
	walk(scene, "b");
	for (int i = 0; i < USERS; i++)
		assert_true(asked.asked_of[i] >= 1);
	tick(scene, ROSTER_STATE_LAP_MS + 1, 0);
	assert_string_equal(asked.since, "b"); /* not the one before the hole */
}

static void
live_only_a_mark_heard_beyond_is_certain(void **state)
{
	Scene *scene = *state;

	become_live(scene, "lap");
	tick(scene, 10, MARK_LSN - 1);
	assert_null(asked.done); /* not before all is calm */
	tick(scene, ROSTER_STATE_CALM_MS, MARK_LSN - 1);
	assert_int_equal(asked.user_count + asked.conversation_count, 0);
	answer("live");

	/* Nothing was heard beyond it: a repair asks since the lap's. */
	tick(scene, ROSTER_STATE_MARK_MS, MARK_LSN);
	roster_state_repair(scene->roster, 5);
	tick(scene, 10, MARK_LSN);
	assert_int_equal(asked.channel, 5);
	assert_string_equal(asked.since, "lap");
	walk(scene, "x");

	/* Again, and this time it is heard. */
	tick(scene, ROSTER_STATE_CALM_MS, MARK_LSN);
	answer("live");
	tick(scene, ROSTER_STATE_MARK_MS, MARK_LSN + 1);
	answer("next");
	roster_state_repair(scene->roster, 5);
	tick(scene, 10, MARK_LSN);
	assert_string_equal(asked.since, "live");
	walk(scene, "x");
}

static void
a_mark_asked_for_before_a_break_counts_for_nothing(void **state)
{
	Scene *scene = *state;

	become_live(scene, "lap");
	tick(scene, ROSTER_STATE_CALM_MS, MARK_LSN);
	assert_non_null(asked.done);
	roster_state_repair(scene->roster, 7);
	answer("too early");
	tick(scene, 10, MARK_LSN + 10);
	assert_string_equal(asked.since, "lap");
	walk(scene, "x");
	tick(scene, ROSTER_STATE_CALM_MS, MARK_LSN + 10);
	answer("good");
	tick(scene, 10, MARK_LSN + 10);
	roster_state_repair(scene->roster, 7);
	tick(scene, 10, MARK_LSN + 10);
	assert_string_equal(asked.since, "good");
	walk(scene, "x");
}

static void
many_broken_channels_are_one_walk_over_all(void **state)
{
	Scene *scene = *state;

	become_live(scene, "lap");
	for (int i = 0; i < 3; i++)
		roster_state_repair(scene->roster, 10 * i);
	for (int i = 0; i < 3; i++)
	{
		tick(scene, 100, 0);
		assert_int_equal(asked.channel, 10 * i);
		walk(scene, "x");
	}
	assert_int_equal(roster_state_counts(scene->roster)->repairs, 3);
	roster_state_repair(scene->roster, -1);
	tick(scene, 100, 0);
	assert_int_equal(asked.channel, -1);
	walk(scene, "x");
	assert_int_equal(roster_state_counts(scene->roster)->repairs, 4);
	tick(scene, 100, 0);
	assert_null(asked.done);
}

/* People come and go while a lap goes on: who was there all along is asked. */
static void
a_lap_misses_nobody_who_stays(void **state)
{
	Scene *scene = *state;
	Random random = random_begin();
	bool was_away[USERS] = { false };

	for (int lap = 0; lap < 20; lap++)
	{
		uint64_t before = roster_state_counts(scene->roster)->laps;

		memset(asked.asked_of, 0, sizeof(asked.asked_of));
		for (int i = 0; i < USERS; i++)
			was_away[i] = scene->seats[i].user == NULL;
		tick(scene, ROSTER_STATE_LAP_MS + 10, 0);
		while (roster_state_counts(scene->roster)->laps == before)
		{
			for (int i = 0; i < 100; i++)
			{
				int which = (int) random_below(&random, USERS);
				Uuid id = { { 0 } };

				memcpy(id.byte, &which, sizeof(which));
				if (scene->seats[which].user != NULL)
					registry_rise(scene->registry, &scene->seats[which]);
				else
					(void) registry_sit(scene->registry, &id,
										&scene->seats[which]);
				was_away[which] = true;
			}
			if (asked.done != NULL && random_below(&random, 10) == 0)
				answer(NULL);
			else if (asked.done != NULL)
				answer("m");
			else
				tick(scene, 10, 0);
		}
		for (int i = 0; i < USERS; i++)
			assert_true(was_away[i] || asked.asked_of[i] > 0);
	}
}

#define SCENE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE(a_lap_asks_everybody_once_at_its_pace),
		SCENE(the_mark_of_a_lap_is_that_of_its_first_answer),
		SCENE(a_question_that_failed_begins_the_walk_anew),
		SCENE(live_only_a_mark_heard_beyond_is_certain),
		SCENE(a_mark_asked_for_before_a_break_counts_for_nothing),
		SCENE(many_broken_channels_are_one_walk_over_all),
		SCENE(a_lap_misses_nobody_who_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
