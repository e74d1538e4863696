/* uses: common/http common/base */
/*
 * A server of one answer, on a port of its own: what is fetched, and what is
 * given up.
 */
#include "http_fetch.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"

static Error err;

typedef struct Server
{
	int listener;
	int port;
	const char *answer;
	size_t repeats; /* of the last byte; ends early when nobody listens */
	bool is_silent;
	char asked[4096];
	pthread_t thread;
} Server;

static void *
serve(void *arg)
{
	Server *server = arg;
	int fd = accept(server->listener, NULL, NULL);
	ssize_t n;

	if (fd < 0)
		return NULL;
	n = recv(fd, server->asked, sizeof server->asked - 1, 0);
	server->asked[n > 0 ? n : 0] = '\0';
	if (server->is_silent)
		(void) recv(fd, server->asked, 1, 0); /* until the other gives up */
	else
	{
		size_t len = strlen(server->answer);
		char last = server->answer[len - 1];

		n = send(fd, server->answer, len, MSG_NOSIGNAL);
		for (size_t i = 0; n > 0 && i < server->repeats; i++)
			n = send(fd, &last, 1, MSG_NOSIGNAL);
	}
	(void) close(fd);
	return NULL;
}

static void
server_start(Server *server)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof address;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server->listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_true(server->listener >= 0);
	assert_int_equal(bind(server->listener, (struct sockaddr *) &address, len),
					 0);
	assert_int_equal(listen(server->listener, 4), 0);
	assert_int_equal(getsockname(server->listener, (struct sockaddr *) &address,
								 &len),
					 0);
	server->port = ntohs(address.sin_port);
	assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void
server_stop(Server *server)
{
	assert_int_equal(pthread_join(server->thread, NULL), 0);
	(void) close(server->listener);
}

static bool
ask(Server *server, HttpFetched *fetched, int64_t timeout_ms)
{
	char url[100];
	HttpFetch fetch = { .url = url,
						.timeout_ms = timeout_ms,
						.max_size = 1000 };
	bool is_fetched;

	server_start(server);
	(void) snprintf(url, sizeof url, "http://127.0.0.1:%d/keys?a=b",
					server->port);
	buf_init(&fetched->body);
	is_fetched = http_fetch(&fetch, fetched, &err);
	server_stop(server);
	return is_fetched;
}

static void
the_body_and_its_age_are_had(void **state)
{
	Server server = { .answer = "HTTP/1.1 200 OK\r\n"
								"cache-control: public, max-age=300\r\n"
								"Content-Length: 5\r\n\r\nhello" };
	HttpFetched fetched;

	(void) state;
	assert_true(ask(&server, &fetched, 5000));
	assert_string_equal(fetched.body.data, "hello");
	assert_int_equal(fetched.max_age_s, 300);
	assert_non_null(strstr(server.asked, "GET /keys?a=b HTTP/1.1\r\n"));
	buf_fini(&fetched.body);
}

static void
a_redirect_is_an_answer_like_any_other(void **state)
{
	Server server = { .answer = "HTTP/1.1 302 Found\r\n"
								"Location: http://127.0.0.1:1/\r\n"
								"Content-Length: 0\r\n\r\n" };
	HttpFetched fetched;

	(void) state;
	assert_false(ask(&server, &fetched, 5000));
	assert_string_equal(err.text, "the answer's status is 302");
	buf_fini(&fetched.body);
}

static void
an_endless_answer_is_cut(void **state)
{
	Server said = { .answer = "HTTP/1.1 200 OK\r\n"
							  "Content-Length: 1001\r\n\r\nx" };
	Server unsaid = { .answer = "HTTP/1.1 200 OK\r\n\r\nx",
					  .repeats = 10000000 };
	HttpFetched fetched;

	(void) state;
	assert_false(ask(&said, &fetched, 5000));
	assert_string_equal(err.text, "the answer is larger than 1000 bytes");
	buf_fini(&fetched.body);
	assert_false(ask(&unsaid, &fetched, 5000));
	assert_string_equal(err.text, "the answer is larger than 1000 bytes");
	assert_true(fetched.body.len <= 1000);
	buf_fini(&fetched.body);
}

static void
silence_is_given_up(void **state)
{
	Server server = { .is_silent = true };
	HttpFetched fetched;
	int64_t began_us = clock_now_us();

	(void) state;
	assert_false(ask(&server, &fetched, 200));
	assert_true(clock_now_us() - began_us < 4000000);
	buf_fini(&fetched.body);
}

static void
only_urls_that_may_be_asked(void **state)
{
	static const char *const good[] = {
		"https://issuer.example/.well-known/jwks.json",
		"https://issuer.example:8443/keys?v=1",
		"https://[2001:db8::1]/keys",
		"http://127.0.0.1:8080/keys",
		"http://localhost/keys",
		"http://[::1]:8080/keys",
	};
	static const char *const bad[] = {
		"",
		"issuer.example/keys",
		"http://issuer.example/keys",
		"http://127.evil.example/keys",
		"http://127.0.0.1.evil.example/keys",
		"http://127.0.0.1@evil.example/keys",
		"http://localhost.evil.example/keys",
		"http://localhost@evil.example/keys",
		"http://[::1].evil.example/keys",
		"http://10.0.0.1/keys",
		"http:///keys",
		"https:///keys",
		"https://:80/keys",
		"https://user:secret@issuer.example/keys",
		"https://issuer.example/a b",
		"https://issuer.example/\r\nHost: x",
		"https://issuer.\xc3\xa9xample/",
		"HTTPS://issuer.example/",
		"file:///etc/passwd",
		"ftp://issuer.example/",
	};

	(void) state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
	{
		if (!http_fetch_check_url(good[i], &err))
			fail_msg("%s: %s", good[i], err.text);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
	{
		if (http_fetch_check_url(bad[i], &err))
			fail_msg("taken: %s", bad[i]);
		assert_null(strstr(err.text, "secret"));
	}
}

static void
max_age_is_what_cache_control_says(void **state)
{
	static const struct
	{
		const char *text;
		int64_t max_age_s;
	} cases[] = {
		{ "", -1 },
		{ "public", -1 },
		{ "max-age=60", 60 },
		{ " public , MAX-AGE=60,must-revalidate\r\n", 60 },
		{ "max-age=60, no-store", 0 },
		{ "no-cache", 0 },
		{ "max-age=", -1 },
		{ "max-age=-1", -1 },
		{ "max-age=1x", -1 },
		{ "s-maxage=7", -1 },
		{ "max-age=999999999999999999999", 10LL * 365 * 86400 },
	};

	(void) state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		if (http_max_age_s(cases[i].text, strlen(cases[i].text)) !=
			cases[i].max_age_s)
			fail_msg("%s", cases[i].text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_body_and_its_age_are_had),
		cmocka_unit_test(a_redirect_is_an_answer_like_any_other),
		cmocka_unit_test(an_endless_answer_is_cut),
		cmocka_unit_test(silence_is_given_up),
		cmocka_unit_test(only_urls_that_may_be_asked),
		cmocka_unit_test(max_age_is_what_cache_control_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
