/* uses: gateway common/jwt common/wire common/base */
/* pkgs: jansson openssl */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clock.h"
#include "fake_chat.h"
#include "frames.h"

#define SECOND INT64_C(1000000)

typedef struct Scene
{
	Registry *registry;
	Sessions *sessions;
	FakeSocket socket;
	Uuid general;
	int64_t now_us;
	int64_t wall_us;
} Scene;

static void
expire_at(Session *session, int64_t expires_s)
{
	Identity identity = { .expires_s = expires_s };

	session_set_identity(session, &identity);
}

static void
pass(Scene *scene, int64_t us)
{
	scene->now_us += us;
	scene->wall_us += us;
	clock_set(scene->now_us, scene->wall_us);
	sessions_tick(scene->sessions);
}

static int
begin(void **state)
{
	static Scene scene;

	memset(&scene, 0, sizeof(scene));
	scene.now_us = 1000 * SECOND;
	scene.wall_us = INT64_C(1800000000) * SECOND;
	clock_set(scene.now_us, scene.wall_us);
	scene.general.byte[0] = 1;
	scene.registry = registry_new();
	scene.sessions = sessions_new(scene.registry, &fake_transport);
	scene.socket.session = session_new(scene.sessions, &scene.socket, NULL);
	*state = &scene;
	return 0;
}

static int
end(void **state)
{
	Scene *scene = *state;

	fake_gone(&scene->socket);
	sessions_free(&scene->sessions);
	registry_free(&scene->registry);
	clock_unset();
	return 0;
}

static void
send_text(Scene *scene, const char *text)
{
	session_send(scene->socket.session, payload_new(text, strlen(text)));
}

static void
deliver(Scene *scene, size_t len, const Uuid *conversation_id)
{
	char *text = xcalloc(1, len);
	Payload *payload;

	memset(text, 'x', len);
	payload = payload_new(text, len);
	session_deliver(scene->socket.session, payload, conversation_id);
	payload_drop(payload);
	free(text);
}

static void
without_hello_it_ends_after_five_seconds(void **state)
{
	Scene *scene = *state;

	pass(scene, 4900000);
	assert_int_equal(scene->socket.close_code, 0);
	pass(scene, 600000);
	assert_int_equal(scene->socket.close_code, CLOSE_TOKEN);

	/* it may come again: nothing was wrong with a token */
	assert_int_equal(scene->socket.frame_count, 0);
}

static void
silence_is_asked_and_then_ended(void **state)
{
	Scene *scene = *state;

	session_set_state(scene->socket.session, SESSION_READY);
	pass(scene, 24 * SECOND);
	assert_int_equal(scene->socket.pings, 0);
	pass(scene, 2 * SECOND);
	assert_int_equal(scene->socket.pings, 1);
	session_heard(scene->socket.session);
	pass(scene, 15 * SECOND);
	assert_int_equal(scene->socket.close_code, 0);
	pass(scene, 11 * SECOND);
	assert_int_equal(scene->socket.pings, 2);
	pass(scene, 11 * SECOND);
	assert_int_equal(scene->socket.close_code, CLOSE_NO_PONG);
}

static void
a_token_ends_its_socket(void **state)
{
	Scene *scene = *state;

	session_set_state(scene->socket.session, SESSION_READY);
	expire_at(scene->socket.session, scene->wall_us / SECOND + 3 * 3600);
	for (int i = 0; i < 3 * 360 - 1; i++)
	{
		pass(scene, 10 * SECOND);
		session_heard(scene->socket.session);
	}
	assert_int_equal(scene->socket.close_code, 0);
	pass(scene, 11 * SECOND);
	assert_int_equal(scene->socket.close_code, CLOSE_TOKEN);
}

static void
a_token_taken_within_the_leeway_ends_at_once(void **state)
{
	Scene *scene = *state;

	session_set_state(scene->socket.session, SESSION_READY);
	expire_at(scene->socket.session, scene->wall_us / SECOND - 3);
	pass(scene, 1 * SECOND);
	assert_int_equal(scene->socket.close_code, CLOSE_TOKEN);
}

static void
a_clock_that_jumps_ends_what_ran_out(void **state)
{
	Scene *scene = *state;

	session_set_state(scene->socket.session, SESSION_READY);
	expire_at(scene->socket.session, scene->wall_us / SECOND + 900);
	scene->wall_us += 3600 * SECOND;
	pass(scene, SECOND);
	assert_int_equal(scene->socket.close_code, CLOSE_TOKEN);
}

static void
what_a_socket_does_not_take_waits_in_order(void **state)
{
	Scene *scene = *state;

	send_text(scene, "a");
	scene->socket.is_choked = true;
	send_text(scene, "b");
	deliver(scene, 1, &scene->general);
	send_text(scene, "c");
	assert_true(scene->socket.wants_write);
	scene->socket.is_choked = false;
	send_text(scene, "d");
	assert_int_equal(scene->socket.frame_count, 1);
	session_writable(scene->socket.session);
	assert_int_equal(scene->socket.frame_count, 5);
	assert_string_equal(scene->socket.frames[1], "b");
	assert_string_equal(scene->socket.frames[2], "x");
	assert_string_equal(scene->socket.frames[3], "c");
	assert_string_equal(scene->socket.frames[4], "d");
}

static void
a_slow_reader_is_told_what_it_missed(void **state)
{
	Scene *scene = *state;
	Uuid other = { { 2 } };
	int count;

	scene->socket.is_choked = true;
	for (int i = 0; i < 40; i++)
		deliver(scene, 32 * 1024, &scene->general);
	deliver(scene, 1024, &other);
	assert_int_equal(scene->socket.close_code, 0);
	scene->socket.is_choked = false;
	session_writable(scene->socket.session);
	count = scene->socket.frame_count;
	assert_int_equal(count, SESSION_QUEUE_BYTES / (32 * 1024) + 1);
	assert_string_equal(fake_last(&scene->socket),
						"{\"type\":\"lag\",\"conversationIds\":["
						"\"01000000-0000-0000-0000-000000000000\","
						"\"02000000-0000-0000-0000-000000000000\"]}");
	deliver(scene, 10, &scene->general);
	assert_int_equal(scene->socket.frame_count, count + 1);
	assert_int_equal(sessions_counts(scene->sessions)->lags, 1);
}

/* Once something was dropped, newer events must not pass the lag frame. */
static void
nothing_follows_a_dropped_frame_before_the_lag(void **state)
{
	Scene *scene = *state;

	scene->socket.is_choked = true;
	deliver(scene, SESSION_QUEUE_BYTES, &scene->general);
	deliver(scene, 100, &scene->general);
	scene->socket.is_choked = false;
	deliver(scene, 10, &scene->general);
	assert_int_equal(scene->socket.frame_count, 0);
	session_writable(scene->socket.session);
	assert_int_equal(scene->socket.frame_count, 2);
	assert_non_null(strstr(fake_last(&scene->socket), "\"lag\""));
}

static void
too_many_to_name_is_an_empty_list(void **state)
{
	Scene *scene = *state;

	scene->socket.is_choked = true;
	deliver(scene, SESSION_QUEUE_BYTES, &scene->general);
	for (int i = 0; i <= SESSION_LAG_MAX; i++)
	{
		Uuid id = { { 3, (uint8_t) i } };

		deliver(scene, 10, &id);
	}
	scene->socket.is_choked = false;
	session_writable(scene->socket.session);
	assert_string_equal(fake_last(&scene->socket),
						"{\"type\":\"lag\",\"conversationIds\":[]}");
}

static void
answers_are_never_dropped_but_bounded(void **state)
{
	Scene *scene = *state;
	char *text = xcalloc(1, 1024 * 1024);
	int sent = 0;

	memset(text, 'x', 1024 * 1024);
	scene->socket.is_choked = true;
	while (scene->socket.close_code == 0)
	{
		session_send(scene->socket.session, payload_new(text, 1024 * 1024));
		sent++;
	}
	free(text);
	assert_int_equal(sent, (SESSION_QUEUE_MAX_BYTES + SESSION_QUEUE_BYTES) /
								   (1024 * 1024) +
							   1);
	assert_int_equal(scene->socket.close_code, CLOSE_POLICY);
	send_text(scene, "nobody reads this");
}

static void
whose_answers_pile_up_is_not_read_from(void **state)
{
	Scene *scene = *state;
	Session *session = scene->socket.session;
	char *text = xcalloc(1, 400 * 1024);

	memset(text, 'x', 400 * 1024);
	scene->socket.is_choked = true;
	session_send(session, payload_new(text, 400 * 1024));
	session_send(session, payload_new(text, 400 * 1024));
	assert_false(scene->socket.is_paused);
	session_send(session, payload_new(text, 400 * 1024));
	assert_true(scene->socket.is_paused);

	/* A large answer finds no room before a small one does. */
	assert_true(session_takes(session, 1024 * 1024));
	for (int i = 0; i < 7; i++)
		session_send(session, payload_new(text, 400 * 1024));
	assert_false(session_takes(session, 1024 * 1024));
	assert_true(session_takes(session, SESSION_SMALL_BYTES));
	assert_int_equal(scene->socket.close_code, 0);

	scene->socket.is_choked = false;
	session_writable(session);
	assert_false(scene->socket.is_paused);
	assert_int_equal(scene->socket.frame_count, 10);
	free(text);
}

static void
who_asks_too_often_is_told_when(void **state)
{
	Scene *scene = *state;
	RateRule rule = { .per_second = 100, .burst = 200 };
	int64_t retry_ms;

	for (int i = 0; i < 200; i++)
		assert_true(session_may_ask(scene->socket.session, &rule, &retry_ms));
	assert_false(session_may_ask(scene->socket.session, &rule, &retry_ms));
	assert_int_equal(retry_ms, 10);
	pass(scene, 10000);
	assert_true(session_may_ask(scene->socket.session, &rule, &retry_ms));
}

static void
lost_state_is_told(void **state)
{
	Scene *scene = *state;
	Session *session = scene->socket.session;
	char *text = xcalloc(1, SESSION_QUEUE_BYTES);
	Payload *frame;

	session_set_state(session, SESSION_READY);
	memset(text, 'x', SESSION_QUEUE_BYTES);
	frame = payload_new(text, SESSION_QUEUE_BYTES);
	scene->socket.is_choked = true;
	session_deliver(session, frame, &scene->general);
	session_deliver(session, frame, NULL);
	scene->socket.is_choked = false;
	session_writable(session);
	assert_string_equal(
		fake_last(&scene->socket),
		"{\"type\":\"lag\",\"conversationIds\":[],\"isStateLost\":true}");
	payload_drop(frame);
	free(text);
}

static void
requests_are_bounded_and_outlive_their_session(void **state)
{
	Scene *scene = *state;
	Request *requests[SESSION_REQUESTS_MAX];

	for (int i = 0; i < SESSION_REQUESTS_MAX; i++)
	{
		requests[i] = session_request_begin(scene->socket.session, "r");
		assert_non_null(requests[i]);
	}
	assert_null(session_request_begin(scene->socket.session, "r"));
	session_request_end(&requests[10]);
	requests[10] = session_request_begin(scene->socket.session, "r");
	assert_non_null(requests[10]);
	fake_gone(&scene->socket);
	assert_int_equal(sessions_requests(scene->sessions), SESSION_REQUESTS_MAX);
	for (int i = 0; i < SESSION_REQUESTS_MAX; i++)
	{
		assert_null(requests[i]->session);
		session_request_end(&requests[i]);
	}
	assert_int_equal(sessions_requests(scene->sessions), 0);
}

static void
count_open(void *arg, Session *session)
{
	(*(int *) arg)++;
	session_close(session, CLOSE_AWAY, "test");
}

static void
each_is_called_once_though_it_is_closed_meanwhile(void **state)
{
	Scene *scene = *state;
	FakeSocket sockets[20];
	int called = 0;

	memset(sockets, 0, sizeof(sockets));
	for (int i = 0; i < 20; i++)
	{
		sockets[i].session =
			session_new(scene->sessions, &sockets[i], xstrdup("token"));
		if (i % 3 == 0)
			session_set_state(sockets[i].session, SESSION_READY);
	}
	sessions_each(scene->sessions, count_open, &called);
	assert_int_equal(called, 21);
	sessions_each(scene->sessions, count_open, &called);
	assert_int_equal(called, 21);
	for (int i = 0; i < 20; i++)
		fake_gone(&sockets[i]);
	assert_int_equal(sessions_count(scene->sessions), 1);
}

int
main(void)
{
#define SCENE(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		SCENE(without_hello_it_ends_after_five_seconds),
		SCENE(silence_is_asked_and_then_ended),
		SCENE(a_token_ends_its_socket),
		SCENE(a_token_taken_within_the_leeway_ends_at_once),
		SCENE(a_clock_that_jumps_ends_what_ran_out),
		SCENE(what_a_socket_does_not_take_waits_in_order),
		SCENE(a_slow_reader_is_told_what_it_missed),
		SCENE(nothing_follows_a_dropped_frame_before_the_lag),
		SCENE(too_many_to_name_is_an_empty_list),
		SCENE(answers_are_never_dropped_but_bounded),
		SCENE(whose_answers_pile_up_is_not_read_from),
		SCENE(who_asks_too_often_is_told_when),
		SCENE(lost_state_is_told),
		SCENE(requests_are_bounded_and_outlive_their_session),
		SCENE(each_is_called_once_though_it_is_closed_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
