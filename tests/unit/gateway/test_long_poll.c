/* uses: gateway common/jwt common/http common/password common/wire common/base */
/* pkgs: jansson openssl libuv */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "command_scene.h"
#include "http_request_private.h"
#include "long_poll.h"
#include "poll_cursor.h"
#include "property.h"

#define WAIT "&timeoutMs=1000"

/* One request, and what became of it. */
typedef struct Asked
{
	HttpRequest *request; /* good until it is answered */
	int answers;
	int status;
	char body[400000];
	char next[POLL_CURSOR_SIZE];
} Asked;

static Rest *rest;
static int64_t now_us;
static int64_t wall_us;

static void
on_answer(struct HttpConn *conn, const HttpAnswer *answer, const Buf *body)
{
	Asked *asked = (Asked *) conn;
	const char *next;

	asked->answers++;
	asked->status = answer->status;
	(void) snprintf(asked->body, sizeof(asked->body), "%.*s", (int) body->len,
					body->data);
	asked->next[0] = '\0';
	next = strstr(asked->body, "\"next\":\"");
	if (next != NULL)
	{
		(void) snprintf(asked->next, sizeof(asked->next), "%s", next + 8);
		*strchr(asked->next, '"') = '\0';
	}
}

static void
ask_as(Scene *scene, Asked *asked, const char *token, const char *query)
{
	static const Address nowhere;
	const char *reason;
	HttpHead head;
	Buf bytes;

	(void) scene;
	asked->answers = 0;
	buf_init(&bytes);
	buf_printf(&bytes,
			   "GET /v1/events?%s HTTP/1.1\r\nHost: a\r\n"
			   "Authorization: Bearer %s\r\n\r\n",
			   query, token);
	assert_int_equal(http_head_parse(bytes.data, bytes.len, &head, &reason),
					 HTTP_OK);
	asked->request = http_request_new((struct HttpConn *) asked, on_answer,
									  &bytes, &head, &nowhere);
	rest_request(rest, asked->request);
}

static void
ask(Scene *scene, Asked *asked, const char *cursor, const char *more)
{
	char query[POLL_CURSOR_SIZE + 40];

	(void) snprintf(query, sizeof(query), "cursor=%s%s", cursor, more);
	ask_as(scene, asked, scene->token, query);
}

/* The first answer: where to go on. */
static void
enter(Scene *scene, Asked *asked)
{
	ask(scene, asked, "", "");
	assert_int_equal(asked->answers, 0);
	rows_come(true);
	assert_int_equal(asked->answers, 1);
	assert_int_equal(asked->status, 200);
	assert_non_null(strstr(asked->body, "\"resync\":true"));
	assert_non_null(strstr(asked->body, "\"frames\":[]"));
	assert_non_null(strstr(asked->body, "\"position\":\"5:1:0/3E8\""));
}

static void
pass(Scene *scene, int64_t ms)
{
	now_us += ms * 1000;
	clock_set(now_us, wall_us);
	polls_turn(scene->chat.polls);
}

static void
tell_session(void *arg, Session *session)
{
	const char *text = arg;
	Payload *frame = payload_new(text, strlen(text));

	session_deliver(session, frame, NULL);
	payload_drop(frame);
}

/* A frame for everybody who polls; answered at the next turn. */
static void
tell(Scene *scene, const char *text)
{
	sessions_each(polls_sessions(scene->chat.polls), tell_session,
				  (void *) (uintptr_t) text);
	polls_turn(scene->chat.polls);
}

static void
close_session(void *arg, Session *session)
{
	session_close(session, *(const uint16_t *) arg, "");
}

static int
begin_polls(void **state)
{
	Scene *scene;

	(void) begin(state);
	scene = *state;
	now_us = clock_now_us();
	wall_us = clock_wall_us();
	clock_set(now_us, wall_us);
	scene->chat.polls = polls_new(&scene->chat);
	rest = rest_new(&scene->chat);
	return 0;
}

static int
end_polls(void **state)
{
	Scene *scene = *state;

	polls_free(&scene->chat.polls);
	rest_free(&rest);
	clock_unset();
	return end(state);
}

static void
what_comes_is_given_once_and_in_order(void **state)
{
	Scene *scene = *state;
	static Asked one;

	enter(scene, &one);
	ask(scene, &one, one.next, WAIT);
	assert_int_equal(one.answers, 0);
	tell(scene, "{\"n\":1}");
	assert_int_equal(one.answers, 1);
	assert_non_null(
		strstr(one.body, "\"resync\":false,\"frames\":[{\"n\":1}]"));

	/* While nobody asks it is kept. */
	tell(scene, "{\"n\":2,\"position\":\"5:1:0/7D0\"}");
	tell(scene, "{\"n\":3}");
	ask(scene, &one, one.next, WAIT);
	assert_int_equal(one.answers, 1);
	assert_non_null(strstr(one.body,
						   "[{\"n\":2,\"position\":\"5:1:0/7D0\"},{\"n\":3}],"
						   "\"position\":\"5:1:0/7D0\""));
}

static void
nothing_in_time_is_an_empty_answer(void **state)
{
	Scene *scene = *state;
	static Asked one;
	char cursor[POLL_CURSOR_SIZE];

	enter(scene, &one);
	memcpy(cursor, one.next, sizeof(cursor));
	ask(scene, &one, cursor, WAIT);
	pass(scene, 999);
	assert_int_equal(one.answers, 0);
	pass(scene, 60);
	assert_int_equal(one.answers, 1);
	assert_int_equal(one.status, 200);
	assert_non_null(strstr(one.body, "\"resync\":false,\"frames\":[]"));
	assert_string_equal(one.next, cursor);

	ask(scene, &one, cursor, "&timeoutMs=0");
	assert_int_equal(one.answers, 1);
	ask(scene, &one, cursor, "&timeoutMs=30001");
	assert_int_equal(one.status, 400);
	ask(scene, &one, cursor, "&timeoutMs=-1");
	assert_int_equal(one.status, 400);
}

static void
an_answer_that_got_lost_is_given_again(void **state)
{
	Scene *scene = *state;
	static Asked one;
	char cursor[POLL_CURSOR_SIZE];

	enter(scene, &one);
	memcpy(cursor, one.next, sizeof(cursor));
	tell(scene, "{\"n\":1}");
	for (int i = 0; i < 3; i++)
	{
		ask(scene, &one, cursor, WAIT);
		assert_int_equal(one.answers, 1);
		assert_non_null(strstr(one.body, "[{\"n\":1}]"));
		tell(scene, "{\"n\":2}");
	}
	ask(scene, &one, one.next, WAIT);
	assert_non_null(strstr(one.body, "[{\"n\":2},{\"n\":2},{\"n\":2}]"));

	/* Two answers back nobody remembers: it begins anew, and says so. */
	ask(scene, &one, cursor, WAIT);
	assert_int_equal(one.answers, 0);
	rows_come(true);
	assert_non_null(strstr(one.body, "\"resync\":true"));
}

static void
a_second_poll_takes_the_firsts_place(void **state)
{
	Scene *scene = *state;
	static Asked one, two;

	enter(scene, &one);
	ask(scene, &one, one.next, WAIT);
	(void) snprintf(two.next, sizeof(two.next), "%s", one.next);
	ask(scene, &two, two.next, WAIT);
	assert_int_equal(one.answers, 1);
	assert_non_null(strstr(one.body, "\"frames\":[]"));
	assert_int_equal(two.answers, 0);
	tell(scene, "{\"n\":1}");
	assert_int_equal(one.answers, 1);
	assert_int_equal(two.answers, 1);
	assert_non_null(strstr(two.body, "[{\"n\":1}]"));
}

static void
who_hangs_up_loses_nothing(void **state)
{
	Scene *scene = *state;
	static Asked one;
	char cursor[POLL_CURSOR_SIZE];

	enter(scene, &one);
	memcpy(cursor, one.next, sizeof(cursor));
	ask(scene, &one, cursor, WAIT);
	http_request_set_gone(one.request);
	assert_int_equal(one.answers, 0);
	assert_int_equal(rest_busy(rest), 0);
	tell(scene, "{\"n\":1}");
	ask(scene, &one, cursor, WAIT);
	assert_non_null(strstr(one.body, "[{\"n\":1}]"));

	/* In the middle of the first question too. */
	ask(scene, &one, "", "");
	http_request_set_gone(one.request);
	rows_come(true);
	assert_int_equal(one.answers, 0);
	assert_int_equal(rest_busy(rest), 0);
	assert_int_equal(polls_count(scene->chat.polls), 2);
}

static void
a_cursor_is_good_for_its_user_alone(void **state)
{
	Scene *scene = *state;
	static Asked one, two;
	JwtClaims claims = { .expires_s = clock_wall_us() / 1000000 + 600 };
	char query[POLL_CURSOR_SIZE + 40];
	Error err;
	Buf token;

	enter(scene, &one);
	strncat(claims.subject, "00000000-0000-7000-8000-00000000000b",
			sizeof(claims.subject) - 1);
	buf_init(&token);
	assert_true(jwt_sign_hs256(&scene->keys.key[0], &claims, &token, &err));
	(void) snprintf(query, sizeof(query), "cursor=%s", one.next);
	tell(scene, "{\"n\":1}");
	ask_as(scene, &two, token.data, query);
	assert_int_equal(two.answers, 0);
	rows_come(true);
	assert_non_null(strstr(two.body, "\"resync\":true"));
	assert_null(strstr(two.body, "{\"n\":1}"));
	buf_fini(&token);

	ask(scene, &two, "no-cursor-at-all", "");
	assert_int_equal(two.status, 400);
	assert_non_null(strstr(two.body, "\"field\":\"cursor\""));
}

static void
who_is_slow_gets_lag_not_memory(void **state)
{
	Scene *scene = *state;
	static Asked one;
	static char frame[10001];
	size_t got = 0;
	int polls = 0;

	memset(frame, 'x', sizeof(frame) - 1);
	memcpy(frame, "{\"x\":\"", 6);
	memcpy(frame + sizeof(frame) - 3, "\"}", 2);
	enter(scene, &one);
	for (int i = 0; i < 1000; i++) /* 10 MB */
		tell(scene, frame);
	do
	{
		ask(scene, &one, one.next, "&timeoutMs=0");
		assert_int_equal(one.answers, 1);
		assert_true(strlen(one.body) < POLL_BYTES + sizeof(frame) + 1000);
		got += strlen(one.body);
		if (strstr(one.body, "\"type\":\"lag\"") != NULL)
			polls = -1;
	} while (polls >= 0 && ++polls < 100);
	assert_int_equal(polls, -1);
	assert_in_range(got, POLL_BYTES, SESSION_QUEUE_MAX_BYTES);
}

static void
one_that_nobody_asks_for_ends(void **state)
{
	Scene *scene = *state;
	static Asked one, two;

	enter(scene, &one);
	enter(scene, &two);
	ask(scene, &two, two.next, "&timeoutMs=30000");
	pass(scene, POLL_IDLE_MS / 2);
	assert_int_equal(polls_count(scene->chat.polls), 2);
	ask(scene, &two, two.next, "&timeoutMs=30000");
	pass(scene, POLL_IDLE_MS / 2 + 1);
	assert_int_equal(polls_count(scene->chat.polls), 1);
	ask(scene, &one, one.next, WAIT);
	rows_come(true);
	assert_non_null(strstr(one.body, "\"resync\":true"));
}

static void
who_begins_too_often_loses_her_idlest(void **state)
{
	Scene *scene = *state;
	static Asked asked[4];

	for (int i = 0; i < 3; i++)
	{
		enter(scene, &asked[i]);
		pass(scene, 10);
	}
	enter(scene, &asked[3]);
	assert_int_equal(polls_count(scene->chat.polls), 3);
	for (int i = 1; i < 4; i++)
	{
		ask(scene, &asked[i], asked[i].next, WAIT);
		assert_int_equal(asked[i].answers, 0);
	}

	/* All wait: none of them goes. */
	ask(scene, &asked[0], "", "");
	assert_int_equal(asked[0].status, 429);
	assert_int_equal(polls_count(scene->chat.polls), 3);
	assert_int_equal(rest_busy(rest), 3);
}

static void
a_closed_session_answers_who_waits(void **state)
{
	static const struct
	{
		uint16_t code;
		int status;
	} ways[] = { { CLOSE_TOKEN, 401 }, { CLOSE_AWAY, 503 } };
	Scene *scene = *state;
	static Asked one, idle;

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
	{
		uint16_t code = ways[i].code;

		enter(scene, &one);
		enter(scene, &idle);
		ask(scene, &one, one.next, WAIT);
		sessions_each(polls_sessions(scene->chat.polls), close_session, &code);
		polls_turn(scene->chat.polls);
		assert_int_equal(one.answers, 1);
		assert_int_equal(one.status, ways[i].status);
		assert_int_equal(polls_count(scene->chat.polls), 0);
	}

	/* A token that ended is 401, whatever its session was told about it. */
	enter(scene, &one);
	ask(scene, &one, one.next, WAIT);
	sessions_each(polls_sessions(scene->chat.polls), tell_session,
				  (void *) (uintptr_t) "{\"type\":\"error\"}");
	sessions_each(polls_sessions(scene->chat.polls), close_session,
				  &(uint16_t){ CLOSE_TOKEN });
	polls_turn(scene->chat.polls);
	assert_int_equal(one.answers, 1);
	assert_int_equal(one.status, 401);
	assert_non_null(strstr(one.body, "\"code\":\"invalid_token\""));
	assert_int_equal(polls_count(scene->chat.polls), 0);

	/* With something left to tell it is told first. */
	enter(scene, &one);
	ask(scene, &one, one.next, WAIT);
	sessions_each(polls_sessions(scene->chat.polls), tell_session,
				  (void *) (uintptr_t) "{\"type\":\"bye\"}");
	sessions_each(polls_sessions(scene->chat.polls), close_session,
				  &(uint16_t){ CLOSE_AWAY });
	polls_turn(scene->chat.polls);
	assert_int_equal(one.status, 200);
	assert_non_null(strstr(one.body, "[{\"type\":\"bye\"}]"));
	pass(scene, 50);
	assert_int_equal(polls_count(scene->chat.polls), 0);
}

static void
what_ends_while_it_enters_is_answered(void **state)
{
	Scene *scene = *state;
	static Asked one;

	ask(scene, &one, "", "");
	rows_come(false);
	assert_int_equal(one.status, 401);
	assert_int_equal(polls_count(scene->chat.polls), 0);

	scene->chat.admission.entries_max = 0;
	ask(scene, &one, "", "");
	assert_int_equal(one.status, 429);
	scene->chat.admission.entries_max = 100;

	ask(scene, &one, "", "");
	sessions_each(polls_sessions(scene->chat.polls), close_session,
				  &(uint16_t){ CLOSE_TOKEN });
	pass(scene, 100);
	rows_come(true);
	assert_int_equal(one.status, 401);
	assert_int_equal(polls_count(scene->chat.polls), 0);

	/* The gateway's own end. */
	enter(scene, &one);
	ask(scene, &one, one.next, WAIT);
	polls_free(&scene->chat.polls);
	assert_int_equal(one.answers, 1);
	assert_int_equal(one.status, 200);
	assert_int_equal(rest_busy(rest), 0);
	scene->chat.polls = polls_new(&scene->chat);
}

/* Takes 1, 2, 3 ... out of an answer, each the one after `seen`. */
static int
take_numbers(const char *body, int seen)
{
	const char *at = body;

	while ((at = strstr(at, "{\"n\":")) != NULL)
	{
		at += 5;
		assert_int_equal(strtol(at, NULL, 10), ++seen);
	}
	return seen;
}

/* However answers and clients get lost: all frames, in order, each once. */
static void
nothing_is_lost_or_doubled(void **state)
{
	Scene *scene = *state;
	Random random = random_begin();
	static Asked one;
	char cursor[POLL_CURSOR_SIZE];
	int told = 0, seen = 0;
	bool waits = false;

	enter(scene, &one);
	memcpy(cursor, one.next, sizeof(cursor));
	one.answers = 0;
	for (int step = 0; step < 20000; step++)
	{
		char frame[40];

		switch (random_below(&random, 6))
		{
			case 0:
			case 1:
				(void) snprintf(frame, sizeof(frame), "{\"n\":%d}", ++told);
				tell(scene, frame);
				break;
			case 2:
				pass(scene, (int64_t) random_below(&random, 400));
				break;
			case 3:
				if (waits)
					http_request_set_gone(one.request);
				waits = false;
				break;
			default:
				if (!waits)
					ask(scene, &one, cursor, WAIT);
				waits = true;
				break;
		}
		if (!waits || one.answers == 0)
			continue;
		assert_int_equal(one.status, 200);
		assert_non_null(strstr(one.body, "\"resync\":false"));
		waits = false;
		if (random_below(&random, 4) == 0)
			continue; /* it got lost on the way */
		seen = take_numbers(one.body, seen);
		memcpy(cursor, one.next, sizeof(cursor));
	}
	if (waits)
		http_request_set_gone(one.request);
	for (int i = 0; i < 2; i++)
	{
		ask(scene, &one, cursor, "&timeoutMs=0");
		seen = take_numbers(one.body, seen);
		memcpy(cursor, one.next, sizeof(cursor));
	}
	assert_int_equal(seen, told);
	assert_int_equal(polls_count(scene->chat.polls), 1);
}

#define SCENE(test)                                                            \
	cmocka_unit_test_setup_teardown(test, begin_polls, end_polls)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE(what_comes_is_given_once_and_in_order),
		SCENE(nothing_in_time_is_an_empty_answer),
		SCENE(an_answer_that_got_lost_is_given_again),
		SCENE(a_second_poll_takes_the_firsts_place),
		SCENE(who_hangs_up_loses_nothing),
		SCENE(a_cursor_is_good_for_its_user_alone),
		SCENE(who_is_slow_gets_lag_not_memory),
		SCENE(one_that_nobody_asks_for_ends),
		SCENE(who_begins_too_often_loses_her_idlest),
		SCENE(a_closed_session_answers_who_waits),
		SCENE(what_ends_while_it_enters_is_answered),
		SCENE(nothing_is_lost_or_doubled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
