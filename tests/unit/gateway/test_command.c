/* uses: gateway common/jwt common/http common/password common/wire common/base */
/* pkgs: jansson openssl libuv */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "command_scene.h"

static void
hello_is_welcomed(void **state)
{
	Scene *scene = *state;

	hello_on(scene, &scene->socket, ",\"ref\":\"h\"");
	assert_string_equal(fake_last(&scene->socket), "");
	rows_come(true);
	assert_non_null(strstr(fake_last(&scene->socket),
						   "{\"type\":\"welcome\",\"ref\":\"h\",\"userId\":"
						   "\"" ALICE "\""));
	assert_non_null(strstr(fake_last(&scene->socket),
						   "\"position\":\"5:1:0/3E8\",\"isReset\":false"));
}

static void
hello_is_refused_without_a_good_token(void **state)
{
	static const char *const bad[] = {
		"{\"type\":\"hello\"}",
		"{\"type\":\"hello\",\"token\":\"\"}",
		"{\"type\":\"hello\",\"token\":\"a.b.c\"}",
	};
	Scene *scene = *state;

	for (size_t i = 0; i < 3; i++)
	{
		FakeSocket socket = { 0 };

		socket.session = session_new(scene->chat.sessions, &socket, NULL);
		say_on(scene, &socket, bad[i]);
		assert_non_null(strstr(fake_last(&socket), "\"invalid_token\""));
		assert_int_equal(socket.close_code, CLOSE_TOKEN);
		fake_gone(&socket);
	}
	hello_on(scene, &scene->socket, "");
	rows_come(false);
	assert_non_null(strstr(fake_last(&scene->socket), "\"invalid_token\""));
	assert_int_equal(scene->socket.close_code, CLOSE_TOKEN);
}

static void
the_token_may_come_in_the_header(void **state)
{
	Scene *scene = *state;
	FakeSocket socket = { 0 };

	socket.session =
		session_new(scene->chat.sessions, &socket, xstrdup(scene->token));
	say_on(scene, &socket, "{\"type\":\"hello\"}");
	rows_come(true);
	assert_non_null(strstr(fake_last(&socket), "\"welcome\""));
	fake_gone(&socket);
}

static void
an_older_position_is_looked_at(void **state)
{
	static const struct
	{
		const char *position;
		bool is_asked;
		bool is_reset;
	} cases[] = {
		{ ",\"position\":\"5:1:0/3E8\"", false, false },
		{ ",\"position\":\"5:1:0/3E9\"", true, true },
		{ ",\"position\":\"4:1:0/1\"", true, true },
		{ ",\"position\":\"5:2:0/1\"", true, false },
		{ ",\"position\":\"what\"", false, true },
	};
	Scene *scene = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		FakeSocket socket = { 0 };

		fake_db.status = NULL;
		socket.session = session_new(scene->chat.sessions, &socket, NULL);
		hello_on(scene, &socket, cases[i].position);
		rows_come(true);
		assert_int_equal(fake_db.status != NULL, cases[i].is_asked);
		if (cases[i].is_asked)
		{
			DbError none = { .code = NULL };

			assert_string_equal(fake_last(&socket), "");
			fake_db.status(fake_db.status_arg, &none, cases[i].is_reset);
		}
		assert_non_null(strstr(fake_last(&socket), cases[i].is_reset
													   ? "\"isReset\":true"
													   : "\"isReset\":false"));
		fake_gone(&socket);
	}
}

static void
a_user_has_so_many_connections(void **state)
{
	Scene *scene = *state;
	FakeSocket sockets[4];

	memset(sockets, 0, sizeof(sockets));
	for (int i = 0; i < 4; i++)
	{
		sockets[i].session =
			session_new(scene->chat.sessions, &sockets[i], NULL);
		hello_on(scene, &sockets[i], "");
	}
	assert_int_equal(sockets[2].close_code, 0);
	assert_int_equal(sockets[3].close_code, CLOSE_TOO_MANY);
	rows_come(true); /* the first; the others gathered meanwhile */
	rows_come(true);
	for (int i = 0; i < 4; i++)
		fake_gone(&sockets[i]);
}

static void
a_client_that_left_is_not_missed(void **state)
{
	Scene *scene = *state;

	hello_on(scene, &scene->socket, "");
	fake_gone(&scene->socket);
	rows_come(true);
	assert_int_equal(sessions_requests(scene->chat.sessions), 0);
}

static void
every_bad_frame_has_its_error(void **state)
{
	static const struct
	{
		const char *text;
		const char *code;
		const char *field;
	} cases[] = {
		{ "", "bad_frame", NULL },
		{ "{", "bad_frame", NULL },
		{ "[]", "bad_frame", NULL },
		{ "null", "bad_frame", NULL },
		{ "{}", "bad_frame", "type" },
		{ "{\"type\":1}", "bad_frame", "type" },
		{ "{\"type\":\"ping\"} x", "bad_frame", NULL },
		{ "{\"type\":\"ping\",\"type\":\"ping\"}", "bad_frame", NULL },
		{ "{\"type\":\"ping\",\"x\":NaN}", "bad_frame", NULL },
		{ "{\"type\":\"ping\",\"x\":1e999}", "bad_frame", NULL },
		{ "{\"type\":\"ping\",\"x\":\"\\ud800\"}", "bad_frame", NULL },
		{ "{\"type\":\"ping\",\"ref\":5}", "bad_frame", "ref" },
		{ "{\"type\":\"ping\",\"ref\":\""
		  "0123456789012345678901234567890123456789012345678901234567890123"
		  "4\"}",
		  "bad_frame", "ref" },
		{ "{\"type\":\"dance\"}", "unknown_type", "type" },
		{ "{\"type\":\"hello\"}", "bad_frame", "type" },
		{ "{\"type\":\"send\"}", "invalid_argument", "conversationId" },
		{ "{\"type\":\"send\",\"conversationId\":null}", "invalid_argument",
		  "conversationId" },
		{ "{\"type\":\"send\",\"conversationId\":5}", "bad_frame",
		  "conversationId" },
		{ "{\"type\":\"send\",\"conversationId\":\"x\"}", "invalid_argument",
		  "conversationId" },
		{ "{\"type\":\"send\"," C "}", "invalid_argument", "clientMsgId" },
		{ "{\"type\":\"send\"," C "," M "}", "invalid_argument", "body" },
		{ "{\"type\":\"send\"," C "," M ",\"body\":\"\"}", "invalid_argument",
		  "body" },
		{ "{\"type\":\"send\"," C "," M ",\"body\":7}", "bad_frame", "body" },
		{ "{\"type\":\"send\"," C "," M ",\"body\":\"a\\u0000b\"}", "bad_frame",
		  NULL },
		{ "{\"type\":\"send\"," C "," M
		  ",\"body\":\"a\",\"traceparent\":\"x\"}",
		  "invalid_argument", "traceparent" },
		{ "{\"type\":\"send\"," C "," M ",\"body\":\"a\",\"traceparent\":\""
		  "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01\"}",
		  "invalid_argument", "traceparent" },
		{ "{\"type\":\"changes\"," C "}", "invalid_argument", "afterEv" },
		{ "{\"type\":\"changes\"," C ",\"afterEv\":-1}", "invalid_argument",
		  "afterEv" },
		{ "{\"type\":\"changes\"," C ",\"afterEv\":1.5}", "bad_frame",
		  "afterEv" },
		{ "{\"type\":\"changes\"," C ",\"afterEv\":9007199254740992}",
		  "invalid_argument", "afterEv" },
		{ "{\"type\":\"changes\"," C ",\"afterEv\":9223372036854775808}",
		  "bad_frame", NULL },
		{ "{\"type\":\"changes\"," C ",\"afterEv\":0,\"maxRows\":501}",
		  "invalid_argument", "maxRows" },
		{ "{\"type\":\"history\"," C ",\"beforeSeq\":0}", "invalid_argument",
		  "beforeSeq" },
		{ "{\"type\":\"history\"," C ",\"maxRows\":201}", "invalid_argument",
		  "maxRows" },
		{ "{\"type\":\"mark\"," C "}", "invalid_argument", "readSeq" },
		{ "{\"type\":\"edit\"," C ",\"seq\":0,\"body\":\"a\"}",
		  "invalid_argument", "seq" },
		{ "{\"type\":\"react\"," C ",\"seq\":1,\"emoji\":\"\"}",
		  "invalid_argument", "emoji" },
		{ "{\"type\":\"react\"," C ",\"seq\":1,\"emoji\":\"x\",\"isOn\":1}",
		  "bad_frame", "isOn" },
		{ "{\"type\":\"preference\"," C ",\"mutedUntil\":\"soon\"}",
		  "invalid_argument", "mutedUntil" },
		{ "{\"type\":\"users\"}", "invalid_argument", "ids" },
		{ "{\"type\":\"users\",\"ids\":{}}", "bad_frame", "ids" },
		{ "{\"type\":\"users\",\"ids\":[]}", "invalid_argument", "ids" },
		{ "{\"type\":\"users\",\"ids\":[1]}", "bad_frame", "ids" },
		{ "{\"type\":\"users\",\"ids\":[\"x\"]}", "invalid_argument", "ids" },
	};
	Scene *scene = *state;

	welcome(scene);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		char code[64];
		char field[64];

		say(scene, cases[i].text);
		snprintf(code, sizeof(code), "\"code\":\"%s\"", cases[i].code);
		snprintf(field, sizeof(field), "\"field\":\"%s\"",
				 cases[i].field ? cases[i].field : "");
		if (scene->socket.frame_count != 1 ||
			strstr(fake_last(&scene->socket), code) == NULL ||
			(cases[i].field != NULL) !=
				(strstr(fake_last(&scene->socket), "\"field\"") != NULL) ||
			(cases[i].field != NULL &&
			 strstr(fake_last(&scene->socket), field) == NULL))
			fail_msg("%s: %s", cases[i].text, fake_last(&scene->socket));
	}
	assert_int_equal(fake_db.sends, 0);
	assert_int_equal(fake_db.calls, 0);
	assert_int_equal(scene->socket.close_code, 0);
}

static void
depth_is_bounded_outside_strings(void **state)
{
	Scene *scene = *state;
	char text[300];

	welcome(scene);
	say(scene,
		"{\"type\":\"ping\",\"x\":"
		"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}");
	assert_non_null(strstr(fake_last(&scene->socket), "\"bad_frame\""));
	snprintf(text, sizeof(text), "{\"type\":\"ping\",\"x\":\"%s\\\"[[\"}",
			 "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[");
	say(scene, text);
	assert_non_null(strstr(fake_last(&scene->socket), "\"pong\""));
}

static void
nothing_is_done_before_welcome(void **state)
{
	static const char *const early[] = {
		"{\"type\":\"heads\"}",
		"{\"type\":\"send\"," C "," M ",\"body\":\"a\"}",
		"{\"type\":\"users\",\"ids\":[\"" ALICE "\"]}",
	};
	Scene *scene = *state;

	for (int round = 0; round < 2; round++)
	{
		for (size_t i = 0; i < 3; i++)
		{
			say(scene, early[i]);
			assert_non_null(strstr(fake_last(&scene->socket), "\"not_ready\""));
		}
		if (round == 0)
			hello_on(scene, &scene->socket, "");
	}
	assert_int_equal(fake_db.sends + fake_db.calls, 0);
	rows_come(true);
}

static void
a_send_is_answered_with_its_numbers(void **state)
{
	Scene *scene = *state;
	DbError none = { .code = NULL };
	DbSent sent = { .id = { { 0x12 } },
					.seq = 7,
					.ev = 9,
					.rev = 1,
					.created_us = INT64_C(1800000000123456),
					.position = "5:1:0/9" };

	welcome(scene);
	say(scene, "{\"type\":\"send\",\"ref\":\"r\\\"1\"," C "," M
			   ",\"body\":\"h\\u00e9\\ud83d\\ude00\",\"traceparent\":"
			   "\"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\"}");
	assert_int_equal(fake_db.sends, 1);
	assert_int_equal(fake_db.send.body_len, 7);
	assert_memory_equal(fake_db.body, "h\xc3\xa9\xf0\x9f\x98\x80", 7);
	assert_int_equal(fake_db.send.actor.byte[15], 0x0a);
	assert_int_equal(fake_db.send.conversation_id.byte[15], 0xc1);
	fake_db.sent(fake_db.arg, &none, &sent);
	assert_string_equal(
		fake_last(&scene->socket),
		"{\"type\":\"ok\",\"ref\":\"r\\\"1\","
		"\"id\":\"12000000-0000-0000-0000-000000000000\",\"seq\":7,\"ev\":9,"
		"\"rev\":1,\"createdAt\":\"2027-01-15T08:00:00.123456Z\","
		"\"isDuplicate\":false,\"position\":\"5:1:0/9\"}");
}

static void
a_send_that_failed_says_how(void **state)
{
	static const char *const codes[] = { "unknown_outcome", "unavailable",
										 "storage_full", "busy", "not_found" };
	Scene *scene = *state;

	welcome(scene);
	for (size_t i = 0; i < 5; i++)
	{
		DbError error = { .code = codes[i] };

		say(scene,
			"{\"type\":\"send\",\"ref\":\"q\"," C "," M ",\"body\":\"a\"}");
		fake_db.sent(fake_db.arg, &error, NULL);
		assert_non_null(strstr(fake_last(&scene->socket), codes[i]));
		assert_non_null(strstr(fake_last(&scene->socket), "\"ref\":\"q\""));
		assert_int_equal(strstr(fake_last(&scene->socket), "retryAfterMs") !=
							 NULL,
						 i >= 1 && i <= 3);
	}
}

static void
a_body_of_16_KiB_is_the_largest(void **state)
{
	static char text[20000];
	Scene *scene = *state;

	welcome(scene);
	for (int extra = 0; extra < 2; extra++)
	{
		size_t len =
			(size_t) snprintf(text, sizeof(text),
							  "{\"type\":\"send\"," C "," M ",\"body\":\"");

		memset(text + len, 'x', 16384 + (size_t) extra);
		strncat(text + len + 16384 + extra, "\"}", 3);
		text[len + 16384 + (size_t) extra + 2] = '\0';
		say(scene, text);
		assert_int_equal(fake_db.sends, 1);
		memset(text, 0, sizeof(text));
	}
	assert_non_null(strstr(fake_last(&scene->socket), "\"too_large\""));
	assert_non_null(strstr(fake_last(&scene->socket), "\"body\""));
	fake_db.sent(fake_db.arg, &(DbError){ .code = "busy" }, NULL);
}

static void
sends_are_limited_per_user(void **state)
{
	Scene *scene = *state;
	DbError error = { .code = "busy" };

	welcome(scene);
	clock_set(clock_now_us(), clock_wall_us());
	for (int i = 0; i < 40; i++)
	{
		say(scene, "{\"type\":\"send\"," C "," M ",\"body\":\"a\"}");
		assert_int_equal(fake_db.sends, i + 1);
		fake_db.sent(fake_db.arg, &error, NULL);
	}
	say(scene, "{\"type\":\"send\"," C "," M ",\"body\":\"a\"}");
	assert_int_equal(fake_db.sends, 40);
	assert_non_null(
		strstr(fake_last(&scene->socket), "\"code\":\"rate_limited\""));
	assert_non_null(strstr(fake_last(&scene->socket), "\"retryAfterMs\":50"));
	clock_unset();
}

static void
reads_beyond_the_queue_are_told_when_to_come(void **state)
{
	Scene *scene = *state;

	welcome(scene);
	fake_db.waiting = 100;
	say(scene, "{\"type\":\"heads\",\"ref\":\"h\"}");
	assert_int_equal(fake_db.calls, 0);
	assert_non_null(strstr(fake_last(&scene->socket), "retryAfterMs"));
	/* What is written has a queue of its own, and a ping asks nobody. */
	say(scene, "{\"type\":\"ping\"}");
	assert_non_null(strstr(fake_last(&scene->socket), "pong"));
	fake_db.waiting = 99;
	say(scene, "{\"type\":\"heads\"}");
	assert_int_equal(fake_db.calls, 1);
	fake_answer("\"heads\":[]");
}

static void
what_cannot_be_read_counts_like_the_rest(void **state)
{
	static const char *const bad[] = { "{",
									   "",
									   "[]",
									   "{\"ref\":7}",
									   "{\"type\":7,\"ref\":\"r\"}",
									   "{\"type\":\"x\",\"ref\":\"r\"}" };
	Scene *scene = *state;

	welcome(scene);
	clock_set(clock_now_us(), clock_wall_us());
	scene->chat.ask_rule = (RateRule){ 10, 6 };
	for (size_t i = 0; i < 2 * sizeof(bad) / sizeof(bad[0]); i++)
	{
		bool is_early = i < sizeof(bad) / sizeof(bad[0]);
		const char *text = bad[i % (sizeof(bad) / sizeof(bad[0]))];
		const char *answer;

		say(scene, text);
		answer = fake_last(&scene->socket);
		if ((strstr(answer, "rate_limited") == NULL) != is_early)
			fail_msg("%zu: %s to %s", i, answer, text);
		if ((strstr(answer, "\"ref\":\"r\"") != NULL) !=
			(strstr(text, "\"r\"") != NULL))
			fail_msg("%s to %s", answer, text);
	}
	clock_unset();
}

static void
bye_closes(void **state)
{
	Scene *scene = *state;

	say(scene, "{\"type\":\"bye\"}");
	assert_int_equal(scene->socket.close_code, CLOSE_BYE);
}

int
main(void)
{
#define SCENE(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		SCENE(hello_is_welcomed),
		SCENE(hello_is_refused_without_a_good_token),
		SCENE(the_token_may_come_in_the_header),
		SCENE(an_older_position_is_looked_at),
		SCENE(a_user_has_so_many_connections),
		SCENE(a_client_that_left_is_not_missed),
		SCENE(every_bad_frame_has_its_error),
		SCENE(depth_is_bounded_outside_strings),
		SCENE(nothing_is_done_before_welcome),
		SCENE(a_send_is_answered_with_its_numbers),
		SCENE(a_send_that_failed_says_how),
		SCENE(a_body_of_16_KiB_is_the_largest),
		SCENE(sends_are_limited_per_user),
		SCENE(reads_beyond_the_queue_are_told_when_to_come),
		SCENE(what_cannot_be_read_counts_like_the_rest),
		SCENE(bye_closes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
