/* uses: common/pg common/base */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>

#include "clock.h"
#include "fake_postgres.h"
#include "pg_pool.h"

#define ASKED_MAX 32

/* A loop of poll(), for one connection or two. */
typedef struct TestWatch
{
	int fd;
	short events;
	PgReadyFn ready;
	void *arg;
} TestWatch;

typedef struct TestTimer
{
	PgTimerFn fire;
	void *arg;
	int64_t interval_us;
	int64_t due_us;
} TestTimer;

typedef struct Asked
{
	bool is_answered;
	PgOutcome outcome;
	char text[16];
	char sqlstate[6];
	char column[16];
} Asked;

typedef struct Scene
{
	FakePostgres *server;
	TestWatch watches[4];
	TestTimer timers[4];
	PgConn *conn;
	Asked asked[ASKED_MAX];
	int asked_count;
	int order[ASKED_MAX];
	int answered;
	int ups;
	int downs;
} Scene;

static Scene scene;

enum
{
	ECHO_IT,
	ECHO_LATER,
	ECHO_ABSENT
};

static const PgStatement statements[] = {
	[ECHO_IT] = { "echo", "SELECT $1::text AS x", false },
	[ECHO_LATER] = { "later", "SELECT $1::text AS x", true },
	[ECHO_ABSENT] = { "absent", "SELECT $1::text AS x", true },
	{ NULL, NULL, false }
};

static void *
watch_new(void *arg, int fd, PgReadyFn ready, void *ready_arg)
{
	(void) arg;
	for (int i = 0; i < 4; i++)
	{
		if (scene.watches[i].ready == NULL)
		{
			scene.watches[i] = (TestWatch){ fd, 0, ready, ready_arg };
			return &scene.watches[i];
		}
	}
	abort();
}

static void
watch_want(void *watch, bool readable, bool writable)
{
	((TestWatch *) watch)->events =
		(short) ((readable ? POLLIN : 0) | (writable ? POLLOUT : 0));
}

static void
watch_free(void *watch)
{
	memset(watch, 0, sizeof(TestWatch));
}

static void *
timer_new(void *arg, int64_t interval_ms, PgTimerFn fire, void *fire_arg)
{
	(void) arg;
	for (int i = 0; i < 4; i++)
	{
		if (scene.timers[i].fire == NULL)
		{
			scene.timers[i] =
				(TestTimer){ fire, fire_arg, interval_ms * 1000, 0 };
			return &scene.timers[i];
		}
	}
	abort();
}

static void
timer_free(void *timer)
{
	memset(timer, 0, sizeof(TestTimer));
}

static void
turn(void)
{
	struct pollfd fds[4];
	TestWatch *polled[4];
	nfds_t count = 0;
	int64_t now_us = clock_now_us();

	for (int i = 0; i < 4; i++)
	{
		if (scene.watches[i].ready == NULL || scene.watches[i].events == 0)
			continue;
		polled[count] = &scene.watches[i];
		fds[count].fd = scene.watches[i].fd;
		fds[count++].events = scene.watches[i].events;
	}
	(void) poll(fds, count, 5);
	for (nfds_t i = 0; i < count; i++)
	{
		if (fds[i].revents != 0 && polled[i]->ready != NULL)
			polled[i]->ready(polled[i]->arg, (fds[i].revents & ~POLLOUT) != 0,
							 (fds[i].revents & ~POLLIN) != 0);
	}
	for (int i = 0; i < 4; i++)
	{
		if (scene.timers[i].fire != NULL && scene.timers[i].due_us <= now_us)
		{
			scene.timers[i].due_us = now_us + scene.timers[i].interval_us;
			scene.timers[i].fire(scene.timers[i].arg);
		}
	}
}

#define UNTIL(condition)                                                       \
	for (int turns = 0; !(condition); turns++)                                 \
	{                                                                          \
		if (turns > 4000)                                                      \
			fail_msg("never: %s", #condition);                                 \
		turn();                                                                \
	}

static void
on_state(void *arg, bool is_up, const Error *err)
{
	(void) arg;
	assert_int_equal(err == NULL, is_up);
	if (is_up)
		scene.ups++;
	else
		scene.downs++;
}

static void
done(void *arg, const PgReply *reply)
{
	Asked *asked = arg;
	size_t len;

	assert_false(asked->is_answered);
	asked->is_answered = true;
	asked->outcome = reply->outcome;
	if (reply->outcome == PG_COMMITTED)
		snprintf(asked->text, sizeof(asked->text), "%s",
				 pg_result_text(reply->result, 0, 0, &len));
	snprintf(asked->sqlstate, sizeof(asked->sqlstate), "%s", reply->sqlstate);
	snprintf(asked->column, sizeof(asked->column), "%s", reply->column);
	scene.order[scene.answered++] = (int) (asked - scene.asked);
}

static bool
try_ask_of(int statement, const char *text, int64_t deadline_ms,
		   bool is_repeatable)
{
	PgRequest request = { .statement = statement,
						  .deadline_us = clock_now_us() + deadline_ms * 1000,
						  .is_repeatable = is_repeatable,
						  .done = done,
						  .arg = &scene.asked[scene.asked_count] };

	pg_params_init(&request.params);
	pg_params_text(&request.params, text, strlen(text));
	if (pg_conn_submit(scene.conn, &request))
	{
		scene.asked_count++;
		return true;
	}
	pg_params_fini(&request.params);
	return false;
}

static bool
try_ask(const char *text, int64_t deadline_ms, bool is_repeatable)
{
	return try_ask_of(ECHO_IT, text, deadline_ms, is_repeatable);
}

static Asked *
ask(const char *text, int64_t deadline_ms, bool is_repeatable)
{
	assert_true(try_ask(text, deadline_ms, is_repeatable));
	return &scene.asked[scene.asked_count - 1];
}

static int
begin(void **state)
{
	static const PgLoop loop = { .watch_new = watch_new,
								 .watch_want = watch_want,
								 .watch_free = watch_free,
								 .timer_new = timer_new,
								 .timer_free = timer_free };
	PgConnConfig config = { .application_name = "test",
							.statements = statements,
							.statement_timeout_ms = 9000,
							.max_queued = 8,
							.max_in_flight = 4,
							.on_state = on_state };

	(void) state;
	memset(&scene, 0, sizeof(scene));
	scene.server = fake_postgres_start();
	config.conninfo = scene.server->conninfo;
	scene.conn = pg_conn_new(&loop, &config);
	return 0;
}

static int
end(void **state)
{
	(void) state;
	pg_conn_free(&scene.conn);
	fake_postgres_stop(scene.server);
	for (int i = 0; i < scene.asked_count; i++)
		assert_true(scene.asked[i].is_answered);
	for (int i = 0; i < 4; i++)
	{
		assert_null(scene.watches[i].ready);
		assert_null(scene.timers[i].fire);
	}
	return 0;
}

static void
what_was_committed_is_said_so_in_order(void **state)
{
	(void) state;
	for (int i = 0; i < 7; i++)
	{
		char text[16];

		snprintf(text, sizeof(text), "n%d", i);
		(void) ask(text, 5000, false);
	}
	UNTIL(scene.answered == 7);
	for (int i = 0; i < 7; i++)
	{
		assert_int_equal(scene.order[i], i);
		assert_int_equal(scene.asked[i].outcome, PG_COMMITTED);
		assert_int_equal(scene.asked[i].text[1], '0' + i);
	}
	assert_int_equal(scene.ups, 1);
	assert_int_equal(scene.downs, 0);
}

static void
a_refusal_names_state_and_column_and_harms_no_other(void **state)
{
	Asked *refused;
	Asked *after;

	(void) state;
	refused = ask("fail", 5000, false);
	after = ask("next", 5000, false);
	UNTIL(after->is_answered);
	assert_int_equal(refused->outcome, PG_REFUSED);
	assert_string_equal(refused->sqlstate, "QC003");
	assert_string_equal(refused->column, "body");
	assert_int_equal(after->outcome, PG_COMMITTED);
}

static void
an_error_at_commit_is_a_refusal(void **state)
{
	Asked *refused;
	Asked *after;

	(void) state;
	refused = ask("commit", 5000, false);
	after = ask("next", 5000, false);
	UNTIL(after->is_answered);
	assert_int_equal(refused->outcome, PG_REFUSED);
	assert_string_equal(refused->sqlstate, "QC007");
	assert_int_equal(after->outcome, PG_COMMITTED);
}

static void
what_the_server_had_when_it_went_is_unknown(void **state)
{
	Asked *lost;
	Asked *after;

	(void) state;
	lost = ask("drop", 5000, false);
	UNTIL(lost->is_answered);
	assert_int_equal(lost->outcome, PG_UNKNOWN);
	after = ask("next", 5000, false);
	UNTIL(after->is_answered);
	assert_int_equal(after->outcome, PG_COMMITTED);
	assert_int_equal(atomic_load(&scene.server->connections), 2);
	assert_int_equal(scene.ups, 2);
	assert_int_equal(scene.downs, 1);
}

static void
a_read_is_asked_again_before_what_came_later(void **state)
{
	Asked *lost;
	Asked *after;

	(void) state;
	lost = ask("drop", 5000, true);
	after = ask("next", 5000, true);
	UNTIL(after->is_answered);
	assert_int_equal(lost->outcome, PG_COMMITTED);
	assert_string_equal(lost->text, "drop");
	assert_int_equal(after->outcome, PG_COMMITTED);
	assert_int_equal(scene.order[0], 0);
}

static void
a_late_answer_is_unknown_and_shifts_no_other(void **state)
{
	Asked *late;
	Asked *after;

	(void) state;
	late = ask("hang", 100, false);
	after = ask("next", 5000, false);
	UNTIL(late->is_answered);
	assert_int_equal(late->outcome, PG_UNKNOWN);
	assert_false(after->is_answered);
	fake_postgres_release(scene.server);
	UNTIL(after->is_answered);
	assert_string_equal(after->text, "next");
	assert_int_equal(scene.downs, 0);
}

static void
what_never_left_is_not_sent_and_the_queue_is_bounded(void **state)
{
	Asked *queued;

	(void) state;
	(void) ask("hang", 5000, false);
	UNTIL(atomic_load(&scene.server->statements) == 1);
	for (int i = 0; i < 3; i++)
		(void) ask("x", 5000, false);
	queued = ask("late", 100, false);
	for (int i = 0; i < 7; i++)
		(void) ask("x", 5000, false);
	assert_false(try_ask("one too many", 5000, false));
	UNTIL(queued->is_answered);
	assert_int_equal(queued->outcome, PG_NOT_SENT);
	fake_postgres_release(scene.server);
	UNTIL(scene.answered == scene.asked_count);
	assert_int_equal(atomic_load(&scene.server->statements), 11);
}

static void
freeing_answers_what_is_left(void **state)
{
	Asked *sent;
	Asked *queued[5];

	(void) state;
	sent = ask("hang", 5000, true);
	UNTIL(atomic_load(&scene.server->statements) == 1);
	for (int i = 0; i < 5; i++)
		queued[i] = ask("x", 5000, true);
	pg_conn_free(&scene.conn);
	assert_int_equal(sent->outcome, PG_UNKNOWN);
	assert_int_equal(queued[4]->outcome, PG_NOT_SENT);
}

static void
plans_that_no_longer_fit_are_made_again(void **state)
{
	Asked *stale;

	(void) state;
	stale = ask("stale", 5000, true);
	UNTIL(stale->is_answered);
	assert_int_equal(stale->outcome, PG_COMMITTED);
	assert_int_equal(atomic_load(&scene.server->connections), 2);
}

static void
a_lazy_statement_is_prepared_once_when_it_is_needed(void **state)
{
	(void) state;
	for (int i = 0; i < 3; i++)
		assert_true(try_ask_of(ECHO_LATER, "x", 5000, false));
	UNTIL(scene.answered == 3);
	assert_true(try_ask_of(ECHO_LATER, "y", 5000, false));
	UNTIL(scene.answered == 4);
	for (int i = 0; i < 4; i++)
		assert_int_equal(scene.asked[i].outcome, PG_COMMITTED);
	assert_string_equal(scene.asked[3].text, "y");
	assert_int_equal(atomic_load(&scene.server->later_prepared), 1);
	(void) ask("drop", 5000, true); /* a new connection has none */
	assert_true(try_ask_of(ECHO_LATER, "z", 5000, true));
	UNTIL(scene.answered == 6);
	assert_string_equal(scene.asked[5].text, "z");
	assert_int_equal(atomic_load(&scene.server->later_prepared), 2);
}

static void
a_lazy_statement_that_cannot_be_prepared_harms_no_other(void **state)
{
	(void) state;
	for (int i = 0; i < 2; i++)
	{
		assert_true(try_ask_of(ECHO_ABSENT, "x", 5000, true));
		(void) ask("next", 5000, true);
		UNTIL(scene.answered == 2 * i + 2);
		assert_int_equal(scene.asked[2 * i].outcome, PG_REFUSED);
		assert_string_equal(scene.asked[2 * i].sqlstate, "42883");
		assert_int_equal(scene.asked[2 * i + 1].outcome, PG_COMMITTED);
	}
	assert_int_equal(scene.ups, 1);
	assert_int_equal(scene.downs, 0);
}

int
main(void)
{
#define SCENE(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		SCENE(what_was_committed_is_said_so_in_order),
		SCENE(a_refusal_names_state_and_column_and_harms_no_other),
		SCENE(an_error_at_commit_is_a_refusal),
		SCENE(what_the_server_had_when_it_went_is_unknown),
		SCENE(a_read_is_asked_again_before_what_came_later),
		SCENE(a_late_answer_is_unknown_and_shifts_no_other),
		SCENE(what_never_left_is_not_sent_and_the_queue_is_bounded),
		SCENE(freeing_answers_what_is_left),
		SCENE(plans_that_no_longer_fit_are_made_again),
		SCENE(a_lazy_statement_is_prepared_once_when_it_is_needed),
		SCENE(a_lazy_statement_that_cannot_be_prepared_harms_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
