/* uses: gateway common/base */
/* pkgs: libuv openssl */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "door_scene.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

static void
requests_are_answered_in_order(void **state)
{
	Scene *scene = *state;
	HttpRequest *request;
	Peer *peer;
	char value[8];

	scene_open(scene);
	peer = peer_new(scene);
	peer_say(scene, peer, GET("/v1/a?b=c") GET("/none") GET("/v1/d"));
	request = scene_await(scene, 1);
	assert_true(slice_is(http_request_path(request), "/v1/a"));
	assert_int_equal(http_request_query_value(request, "b", value,
											  sizeof(value)),
					 QUERY_FOUND);
	assert_string_equal(value, "c");
	assert_string_equal(http_request_peer(request), "127.0.0.1");
	peer_expect_nothing(scene, peer);
	assert_int_equal(scene->request_count, 1);
	scene_answer(scene, 0, 200, "first");

	/* Who answers is in the middle of something: nothing new comes now. */
	assert_int_equal(scene->request_count, 1);
	peer_expect(scene, peer, "HTTP/1.1 200 OK\r\n");
	peer_expect(scene, peer, "Content-Length: 5\r\n");
	peer_expect(scene, peer, "\r\n\r\nfirst");
	peer_expect(scene, peer, "HTTP/1.1 404 Not Found\r\n");
	(void) scene_await(scene, 2);
	scene_answer(scene, 1, 201, "second");
	peer_expect(scene, peer, "HTTP/1.1 201 Created\r\n");
	peer_expect(scene, peer, "\r\n\r\nsecond");

	/* The connection is still good. */
	peer_say(scene, peer, GET("/v1/e"));
	(void) scene_await(scene, 3);
	peer_free(&peer);
}

static void
answers_at_once_keep_the_order_too(void **state)
{
	Scene *scene = *state;
	Peer *peer;

	scene->is_answered_at_once = true;
	scene_open(scene);
	peer = peer_new(scene);
	peer_say(scene, peer, GET("/v1/a") GET("/none") GET("/v1/b"));
	peer_expect(scene, peer, "204 No Content\r\n");
	peer_expect(scene, peer, "404 Not Found\r\n");
	peer_expect(scene, peer, "204 No Content\r\n");
	peer_say(scene, peer,
			 "GET /v1/c HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
	peer_expect(scene, peer, "Connection: close\r\n");
	peer_expect_end(scene, peer);
	peer_free(&peer);
}

static void
a_body_comes_in_any_slices(void **state)
{
	static const char text[] = "POST /v1/x HTTP/1.1\r\nHost: a\r\n"
							   "Content-Type: application/json\r\n"
							   "Authorization: Bearer t.o.k\r\n"
							   "Content-Length: 11\r\n\r\n{\"a\":\"b\"} \n";
	Scene *scene = *state;
	HttpRequest *request;
	Peer *peer;

	scene_open(scene);
	peer = peer_new(scene);
	for (size_t i = 0; i < sizeof(text) - 1; i++)
	{
		assert_int_equal(scene->request_count, 0);
		assert_int_equal(send(peer->fd, text + i, 1, MSG_NOSIGNAL), 1);
		uv_run(&scene->loop, UV_RUN_NOWAIT);
	}
	request = scene_await(scene, 1);
	assert_int_equal(http_request_method(request), HTTP_POST);
	assert_true(slice_is(http_request_body(request), "{\"a\":\"b\"} \n"));
	assert_true(slice_is(http_request_token(request), "t.o.k"));
	assert_true(slice_is(http_request_header(request, HTTP_CONTENT_TYPE),
						 "application/json"));
	peer_free(&peer);
}

static void
who_asks_first_is_told_to_go_on(void **state)
{
	Scene *scene = *state;
	Peer *peer;

	scene_open(scene);
	peer = peer_new(scene);
	peer_say(scene, peer,
			 "PUT /v1/x HTTP/1.1\r\nHost: a\r\n"
			 "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
	peer_expect(scene, peer, "HTTP/1.1 100 Continue\r\n\r\n");
	peer_say(scene, peer, "ok");
	assert_true(slice_is(http_request_body(scene_await(scene, 1)), "ok"));

	/* Not when the body is here already, nor when it would be refused. */
	scene_answer(scene, 0, 200, "");
	peer_say(scene, peer,
			 "PUT /v1/x HTTP/1.1\r\nHost: a\r\n"
			 "Expect: 100-continue\r\nContent-Length: 2\r\n\r\nok");
	(void) scene_await(scene, 2);
	scene_answer(scene, 1, 200, "");
	peer_expect(scene, peer, "HTTP/1.1 200 OK\r\n");
	peer_expect(scene, peer, "\r\n\r\n");
	peer_say(scene, peer,
			 "PUT /v1/x HTTP/1.1\r\nHost: a\r\n"
			 "Expect: 100-continue\r\nContent-Length: 65537\r\n\r\n");
	peer_expect(scene, peer, "HTTP/1.1 413 ");
	peer_expect_end(scene, peer);
	peer_free(&peer);
}

static void
time_is_limited(void **state)
{
	static const struct
	{
		const char *said;
		int64_t ms;
		const char *answer; /* NULL: just closed */
	} cases[] = {
		{ "", HTTP_HEAD_MS, NULL },
		{ "GET / HT", HTTP_HEAD_MS, "HTTP/1.1 408 " },
		{ "POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabc",
		  HTTP_BODY_MS, "HTTP/1.1 408 " },
		{ GET("/none"), HTTP_IDLE_MS, "HTTP/1.1 404 " },
	};
	Scene *scene = *state;

	scene_open(scene);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		Peer *peer = peer_new(scene);

		if (cases[i].said[0] != '\0')
			peer_say(scene, peer, cases[i].said);
		scene_pass(scene, cases[i].ms - 1000);
		peer_read(scene, peer);
		assert_false(peer->is_ended);
		scene_pass(scene, 1500);
		if (cases[i].answer != NULL)
			peer_expect(scene, peer, cases[i].answer);
		peer_expect_end(scene, peer);
		peer_free(&peer);
	}
	assert_int_equal(http_server_counts(door_http(scene->door))->timed_out, 3);
}

static void
a_byte_now_and_then_does_not_buy_time(void **state)
{
	Scene *scene = *state;
	Peer *peer;

	scene_open(scene);
	peer = peer_new(scene);
	peer_say(scene, peer, "GET / HTTP/1.1\r\n");
	for (int i = 0; i < 3; i++)
	{
		scene_pass(scene, HTTP_HEAD_MS / 4);
		peer_say(scene, peer, "X");
	}
	scene_pass(scene, HTTP_HEAD_MS / 4 + 600);
	peer_expect(scene, peer, "HTTP/1.1 408 ");
	peer_expect_end(scene, peer);
	peer_free(&peer);
}

static void
on_gone(void *arg)
{
	(*(int *) arg)++;
}

static void
a_client_that_leaves_is_noticed(void **state)
{
	Scene *scene = *state;
	HttpRequest *request;
	int gone = 0;
	Peer *peer;

	scene_open(scene);
	peer = peer_new(scene);

	/* Behind it another: read or not, hanging up is seen. */
	peer_say(scene, peer, GET("/v1/a") GET("/v1/b"));
	request = scene_await(scene, 1);
	http_request_on_gone(request, on_gone, &gone);
	peer_free(&peer);
	for (int i = 0; i < 1000 && gone == 0; i++)
		scene_turn(scene);
	assert_int_equal(gone, 1);
	assert_true(slice_is(http_request_path(request), "/v1/a"));
	scene_answer(scene, 0, 200, "nobody hears it");
	assert_int_equal(scene->request_count, 1);
	assert_int_equal(http_server_count(door_http(scene->door)), 0);
	assert_int_equal(door_busy(scene->door), 0);
}

static void
segments_and_parameters_are_decoded(void **state)
{
	Scene *scene = *state;
	HttpRequest *request;
	char text[16];
	Peer *peer;

	scene_open(scene);
	peer = peer_new(scene);
	peer_say(
		scene, peer,
		GET("/v1/%f0%9F%91%8d/a%2Fb/%zz/c%00/d%2?x=1+2%2b&y&z=%4&w=&v=1&v=1"));
	request = scene_await(scene, 1);
	assert_true(http_request_segment(request, 0, text, sizeof(text)));
	assert_string_equal(text, "v1");
	assert_true(http_request_segment(request, 1, text, sizeof(text)));
	assert_string_equal(text, "\xf0\x9f\x91\x8d");
	assert_true(http_request_segment(request, 2, text, sizeof(text)));
	assert_string_equal(text, "a/b");
	assert_false(http_request_segment(request, 2, text, 3));
	assert_false(http_request_segment(request, 3, text, sizeof(text)));
	assert_false(http_request_segment(request, 4, text, sizeof(text)));
	assert_false(http_request_segment(request, 5, text, sizeof(text)));
	assert_false(http_request_segment(request, 6, text, sizeof(text)));
#define VALUE(name) http_request_query_value(request, name, text, sizeof(text))
	assert_int_equal(VALUE("x"), QUERY_FOUND);
	assert_string_equal(text, "1 2+");
	assert_int_equal(VALUE("y"), QUERY_FOUND);
	assert_string_equal(text, "");
	assert_int_equal(VALUE("w"), QUERY_FOUND);
	assert_string_equal(text, "");
	assert_int_equal(VALUE("z"), QUERY_BAD);
	assert_int_equal(VALUE("v"), QUERY_BAD); /* twice */
	assert_int_equal(VALUE("u"), QUERY_NONE);
	peer_free(&peer);
}

static void
a_full_house_sends_the_longest_waiting_away(void **state)
{
	Scene *scene = *state;
	Peer *busy;
	Peer *idle;
	Peer *next;

	scene->config.max_http = 2;
	scene_open(scene);
	busy = peer_new(scene);
	peer_say(scene, busy, GET("/v1/slow"));
	(void) scene_await(scene, 1);
	idle = peer_new(scene);
	peer_say(scene, idle, GET("/none"));
	peer_expect(scene, idle, "HTTP/1.1 404 ");
	peer_expect(scene, idle, "}\n");
	next = peer_new(scene);
	peer_say(scene, next, GET("/none"));
	peer_expect_nothing(scene, next); /* accepting pauses for a moment */
	scene_pass(scene, HTTP_ROOM_MS + 1);
	peer_expect_end(scene, idle);
	peer_expect(scene, next, "HTTP/1.1 404 ");
	scene_answer(scene, 0, 200, "here");
	peer_expect(scene, busy, "here");
	peer_free(&busy);
	peer_free(&idle);
	peer_free(&next);
}

static void
a_stop_answers_what_is_under_way(void **state)
{
	Scene *scene = *state;
	Peer *busy;
	Peer *idle;

	scene_open(scene);
	busy = peer_new(scene);
	idle = peer_new(scene);
	peer_say(scene, busy, GET("/v1/slow") GET("/v1/other"));
	(void) scene_await(scene, 1);
	door_stop(scene->door);
	peer_expect_end(scene, idle);
	assert_int_equal(door_busy(scene->door), 1);
	scene_answer(scene, 0, 200, "here");
	peer_expect(scene, busy, "Connection: close\r\n");
	peer_expect(scene, busy, "\r\n\r\nhere");
	peer_expect_end(scene, busy);
	assert_int_equal(scene->request_count, 1);
	assert_int_equal(door_busy(scene->door), 0);
	peer_free(&busy);
	peer_free(&idle);
}

static void
who_reads_nothing_gets_no_more(void **state)
{
	Scene *scene = *state;
	char *large = xmalloc(1 << 20);
	Peer *peer;
	Buf body;

	memset(large, 'x', 1 << 20);
	scene_open(scene);
	peer = peer_new(scene);
	for (int i = 0; i < 16; i++)
		assert_true(send(peer->fd, GET("/v1/x"), sizeof(GET("/v1/x")) - 1,
						 MSG_NOSIGNAL) > 0);
	for (int i = 0; i < 200 && scene->request_count < 16; i++)
	{
		scene_turn(scene);
		for (int k = 0; k < scene->request_count; k++)
		{
			if (scene->requests[k] == NULL)
				continue;
			buf_init(&body);
			buf_append(&body, large, 1 << 20);
			http_request_answer(&scene->requests[k], 200, "text/plain", NULL, 0,
								&body);
		}
	}
	/* The kernel takes some megabytes; then nothing more is begun. */
	assert_true(scene->request_count < 12);
	scene_pass(scene, HTTP_ANSWER_MS + 1000);
	assert_int_equal(http_server_count(door_http(scene->door)), 0);
	peer_free(&peer);
	free(large);
}

static void
other_origins_are_let_read_by_name(void **state)
{
	Scene *scene = *state;
	Peer *peer;

	scene->config.allowed_origins = "https://app.example";
	scene->is_answered_at_once = true;
	scene_open(scene);
	peer = peer_new(scene);
	peer_say(scene, peer,
			 "OPTIONS /v1/x HTTP/1.1\r\nHost: a\r\n"
			 "Origin: https://app.example\r\n"
			 "Access-Control-Request-Method: PUT\r\n\r\n");
	peer_expect(scene, peer, "HTTP/1.1 204 No Content\r\n");
	peer_expect(scene, peer,
				"Access-Control-Allow-Origin: https://app.example\r\n");
	peer_expect(scene, peer, "Access-Control-Allow-Methods: GET");
	peer_expect(scene, peer, "\r\n\r\n");
	peer_say(scene, peer,
			 "GET /v1/x HTTP/1.1\r\nHost: a\r\n"
			 "Origin: https://app.example\r\n\r\n");
	peer_expect(scene, peer,
				"Access-Control-Allow-Origin: https://app.example\r\n");
	peer_expect(scene, peer, "\r\n\r\n");
	peer_say(scene, peer,
			 "OPTIONS /v1/x HTTP/1.1\r\nHost: a\r\n"
			 "Origin: https://evil.example\r\n\r\n");
	peer_expect(scene, peer, "HTTP/1.1 403 ");
	peer_expect(scene, peer, "}\n");
	peer_say(scene, peer,
			 "GET /v1/x HTTP/1.1\r\nHost: a\r\n"
			 "Origin: https://evil.example\r\n\r\n");
	peer_expect(scene, peer, "HTTP/1.1 204 ");
	peer_read(scene, peer);
	assert_null(strstr(peer->in, "Allow-Origin"));
	peer_free(&peer);
}

int
main(void)
{
#define SCENE(test)                                                            \
	cmocka_unit_test_setup_teardown(test, scene_begin, scene_end)
	const struct CMUnitTest tests[] = {
		SCENE(requests_are_answered_in_order),
		SCENE(answers_at_once_keep_the_order_too),
		SCENE(a_body_comes_in_any_slices),
		SCENE(who_asks_first_is_told_to_go_on),
		SCENE(time_is_limited),
		SCENE(a_byte_now_and_then_does_not_buy_time),
		SCENE(a_client_that_leaves_is_noticed),
		SCENE(segments_and_parameters_are_decoded),
		SCENE(a_full_house_sends_the_longest_waiting_away),
		SCENE(a_stop_answers_what_is_under_way),
		SCENE(who_reads_nothing_gets_no_more),
		SCENE(other_origins_are_let_read_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
