/* uses: gateway common/base */
/* pkgs: libuv openssl */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http.h"
#include "http_head.h"

#define UPGRADE                                                                \
	"GET /v1/ws HTTP/1.1\r\nHost: chat.example\r\nUpgrade: websocket\r\n"      \
	"Connection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n"         \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"                          \
	"Sec-WebSocket-Protocol: other, chemchat.v1.json\r\n"

static int
parse(const char *text, HttpHead *head)
{
	const char *reason;

	return http_head_parse(text, strlen(text), head, &reason);
}

static void
a_proper_upgrade_is_one(void **state)
{
	const char *text = UPGRADE "Authorization: Bearer a.b.c\r\n"
							   "Origin: https://chat.example\r\n\r\n";
	HttpHead head;

	(void) state;
	assert_int_equal(parse(text, &head), HTTP_OK);
	assert_true(head.is_upgrade);
	assert_true(slice_is(head.path, "/v1/ws"));
	assert_int_equal(head.size, strlen(text));
	assert_memory_equal(head.websocket_key.at, "dGhlIHNhbXBsZSBub25jZQ==", 24);
	assert_int_equal(head.token.len, 5);
	assert_memory_equal(head.token.at, "a.b.c", 5);
}

static void
a_head_is_taken_in_any_slices(void **state)
{
	const char *text = UPGRADE "\r\n";
	const char *reason;
	HttpHead head;

	(void) state;
	for (size_t len = 0; len < strlen(text); len++)
		assert_int_equal(http_head_parse(text, len, &head, &reason), HTTP_MORE);
	assert_int_equal(parse(text, &head), HTTP_OK);
}

static void
bad_requests_have_their_status(void **state)
{
	static const struct
	{
		int status;
		const char *text;
	} cases[] = {
		{ 400, "GET / HTTP/1.1\nHost: a\n\n" },
		{ 400, "GET / HTTP/1.1\r\nHost: a\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nHost:\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nHost : a\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\n Host: a\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nHost: a\r\nX: a\x01\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nHost: a\r\nnocolon\r\n\r\n" },
		{ 501, "GET / HTTP/1.1\r\nHost: a\r\n"
			   "Transfer-Encoding: chunked\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
			   "Transfer-Encoding: chunked\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +0\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n"
			   "Content-Length: 0\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5 5\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5,5\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n" },
		{ 400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\n" },
		{ 413, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n" },
		{ 413, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: "
			   "99999999999999999999999999\r\n\r\n" },
		{ 400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: a/b\r\n"
			   "Content-Type: c/d\r\n\r\n" },
		{ 501, "BREW / HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ 501, "get / HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ 405, "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ 405, "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ 405, "PRI * HTTP/1.1\r\n\r\n" },
		{ 405, "PRI * HTTP/2.0\r\n\r\n" },
		{ 505, "GET / HTTP/1.0\r\nHost: a\r\n\r\n" },
		{ 400, "GET /\r\n" },
		{ 400, "GET http:/// HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ 400, "GET http:// HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ 400, "GET http://?x HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ 400, "GET http:/a/ HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ 400, "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ 400, "GET http://a,b/ HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ 400, "GET http://a#b HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ 400, "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ 400, "GET a/ HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ 400, "GET * HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ 400, "GET http://a/ HTTP/1.1\r\n\r\n" },
		{ 400, "GET http://a/ HTTP/1.1\r\nHost: b@a\r\n\r\n" },
		{ 400, "GET http://a/ HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n" },
		{ 400, "GET / x HTTP/1.1\r\nHost: a\r\n\r\n" },
		{ 417, "POST / HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n"
			   "Connection: Upgrade, HTTP2-Settings\r\n"
			   "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n" },
		{ 400, "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket, h2c\r\n"
			   "Connection: Upgrade\r\n\r\n" },
		{ 401, "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Basic eDp5\r\n"
			   "\r\n" },
		{ 400, UPGRADE "Upgrade: websocket\r\n\r\n" },
		{ 400, UPGRADE "Origin: a\r\nOrigin: b\r\n\r\n" },
	};
	HttpHead head;

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		int status = parse(cases[i].text, &head);

		if (status != cases[i].status)
			fail_msg("%d instead of %d: %s", status, cases[i].status,
					 cases[i].text);
	}
}

/* The upgrade with one header replaced. */
static int
parse_with(const char *was, const char *is)
{
	static char text[1024];
	const char *at = strstr(UPGRADE, was);
	HttpHead head;

	assert_non_null(at);
	snprintf(text, sizeof(text), "%.*s%s%s\r\n", (int) (at - UPGRADE), UPGRADE,
			 is, at + strlen(was));
	return parse(text, &head);
}

static void
a_websocket_needs_every_header_as_it_should_be(void **state)
{
	(void) state;
	assert_int_equal(parse_with("Version: 13", "Version: 7"), 426);
	assert_int_equal(parse_with("Version: 13", "Version: 13, 8"), 426);
	assert_int_equal(parse_with("keep-alive, Upgrade", "keep-alive"), 400);
	assert_int_equal(parse_with("chemchat.v1.json", "chat"), 400);
	assert_int_equal(parse_with("Sec-WebSocket-Key: ", "X-Key: "), 400);
	assert_int_equal(parse_with("dGhlIHNhbXBsZSBub25jZQ==", "dGhl"), 400);
	assert_int_equal(parse_with("dGhlIHNhbXBsZSBub25jZQ==",
								"dGhlIHNhbXBsZSBub25jZR=="),
					 400);
	assert_int_equal(parse_with("dGhlIHNhbXBsZSBub25jZQ==",
								"dGhlIHNhbXBs!SBub25jZQ=="),
					 400);
	assert_int_equal(parse_with("GET", "HEAD"), 405);
}

static void
a_large_head_is_refused(void **state)
{
	char *text = malloc(20000);
	const char *reason;
	HttpHead head;
	size_t len;

	(void) state;
	len = (size_t) snprintf(text, 20000, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
	memset(text + len, 'x', 19000);
	assert_int_equal(http_head_parse(text, 8191, &head, &reason), HTTP_MORE);
	assert_int_equal(http_head_parse(text, 8192, &head, &reason), 431);
	len = (size_t) snprintf(text, 20000, "GET / HTTP/1.1\r\nHost: a\r\n");
	for (int i = 0; i < 64; i++)
		len += (size_t) snprintf(text + len, 20000 - len, "X%d: y\r\n", i);
	len += (size_t) snprintf(text + len, 20000 - len, "\r\n");
	assert_int_equal(http_head_parse(text, len, &head, &reason), 431);
	free(text);
}

static void
origins_are_exact(void **state)
{
	static const struct
	{
		const char *origin;
		const char *allowed;
		bool is_allowed;
	} cases[] = {
		{ "", NULL, true },
		{ "https://chat.example", NULL, true },
		{ "http://chat.example", NULL, true },
		{ "https://chat.example:8443", NULL, false },
		{ "https://evil.example", NULL, false },
		{ "null", NULL, false },
		{ "https://chat.example.evil", NULL, false },
		{ "https://a.example", "https://b.example, https://a.example", true },
		{ "https://a.example", "https://a.example.org", false },
		{ "https://a.exampl", "https://a.example", false },
	};

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		HttpHead head = { .host = { "chat.example", 12 } };

		head.field[HTTP_ORIGIN].at = cases[i].origin;
		head.field[HTTP_ORIGIN].len = strlen(cases[i].origin);
		if (http_origin_is_allowed(&head, cases[i].allowed) !=
			cases[i].is_allowed)
			fail_msg("origin %s", cases[i].origin);
	}
}

static void
a_request_of_the_api_is_read_whole(void **state)
{
	HttpHead head;

	(void) state;
	assert_int_equal(
		parse("PUT /v1/a%20b?x=1&y HTTP/1.1\r\nHost: a\r\n"
			  "Content-Length: 65536\r\nExpect: 100-Continue\r\n"
			  "idempotency-KEY:  k\t\r\nIf-Match: \"3\"\r\n"
			  "Accept: a\r\nAccept: b\r\nConnection: a\r\n"
			  "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 192.0.2.2\r\n"
			  "Connection: x, Close\r\n\r\n",
			  &head),
		HTTP_OK);
	assert_int_equal(head.method, HTTP_PUT);
	assert_true(slice_is(head.path, "/v1/a%20b"));
	assert_true(slice_is(head.query, "x=1&y"));
	assert_int_equal(head.body_len, 65536);
	assert_true(head.expects_continue);
	assert_true(head.is_last);
	assert_true(slice_is(head.field[HTTP_IDEMPOTENCY_KEY], "k"));
	assert_true(slice_is(head.field[HTTP_IF_MATCH], "\"3\""));
	assert_int_equal(head.field[HTTP_CONTENT_TYPE].len, 0);
	assert_int_equal(head.forwarded_lines, 2);
	assert_true(slice_is(head.forwarded_for[0], "192.0.2.1"));
	assert_true(slice_is(head.forwarded_for[1], "192.0.2.2"));
	assert_int_equal(parse("DELETE /v1 HTTP/1.1\r\nHost: a\r\n\r\n", &head),
					 HTTP_OK);
	assert_false(head.is_last);
	assert_int_equal(head.body_len, 0);
}

/* RFC 9112, 3.2.2: it must be taken, and the Host does not count then. */
static void
a_whole_uri_is_a_target_too(void **state)
{
	static const struct
	{
		const char *target;
		const char *host;
		const char *path;
		const char *query;
	} cases[] = {
		{ "http://a/v1/me", "a", "/v1/me", "" },
		{ "HTTP://A:80/v1/x?y=http://b/", "A:80", "/v1/x", "y=http://b/" },
		{ "https://[::1]:8080/", "[::1]:8080", "/", "" },
		{ "https://a", "a", "/", "" },
		{ "http://a?x=1", "a", "/", "x=1" },
		{ "/http://a/", "other", "/http://a/", "" },
	};
	HttpHead head;

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		char text[200];

		(void) snprintf(text, sizeof(text),
						"GET %s HTTP/1.1\r\nHost: other\r\n\r\n",
						cases[i].target);
		if (parse(text, &head) != HTTP_OK)
			fail_msg("%s", cases[i].target);
		assert_true(slice_is(head.host, cases[i].host));
		assert_true(slice_is(head.path, cases[i].path));
		assert_int_equal(head.query.len, strlen(cases[i].query));
		assert_memory_equal(head.query.len > 0 ? head.query.at : "",
							cases[i].query, head.query.len);
	}
}

static void
the_last_of_many_forwarders_are_known(void **state)
{
	HttpHead head;
	char text[2000];
	int len = snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: a\r\n");

	(void) state;
	for (int i = 0; i < HTTP_FORWARDED_MAX + 3; i++)
		len += snprintf(text + len, sizeof(text) - (size_t) len,
						"X-Forwarded-For: 192.0.2.%d\r\n", i);
	(void) snprintf(text + len, sizeof(text) - (size_t) len, "\r\n");
	assert_int_equal(parse(text, &head), HTTP_OK);
	assert_int_equal(head.forwarded_lines, HTTP_FORWARDED_MAX);
	assert_true(slice_is(head.forwarded_for[0], "192.0.2.3"));
	assert_true(
		slice_is(head.forwarded_for[HTTP_FORWARDED_MAX - 1], "192.0.2.18"));
}

static void
a_problem_is_whole_and_says_when_to_come_again(void **state)
{
	HttpAnswer like = { .status = 429, .is_last = true };
	const char *end;
	Buf out;

	(void) state;
	buf_init(&out);
	http_put_problem(&like, "too \"many\"", 1500, &out);
	assert_int_equal(strncmp(out.data, "HTTP/1.1 429 ", 13), 0);
	assert_non_null(strstr(out.data, "\r\nConnection: close\r\n"));
	assert_non_null(strstr(out.data, "\r\nRetry-After: 2\r\n"));
	assert_non_null(strstr(out.data, "X-Content-Type-Options: nosniff\r\n"));
	assert_non_null(strstr(out.data, "application/problem+json"));
	assert_non_null(strstr(out.data, "\"code\":\"rate_limited\""));
	assert_non_null(strstr(out.data, "too \\\"many\\\""));
	end = strstr(out.data, "\r\n\r\n");
	assert_non_null(end);
	assert_int_equal(strtol(strstr(out.data, "Content-Length: ") + 16, NULL,
							10),
					 out.len - (size_t) (end + 4 - out.data));
	buf_fini(&out);
}

static void
no_header_brings_another(void **state)
{
	static const HttpHeader headers[] = { { "Location", "/a\r\nSet-Cookie: b" },
										  { "ETag", "\"1\"" } };
	HttpAnswer answer = { .status = 201,
						  .content_type = "application/json",
						  .headers = headers,
						  .header_count = 2,
						  .origin = { "https://a", 9 } };
	Buf out;

	(void) state;
	buf_init(&out);
	http_put_head(&answer, &out);
	assert_null(strstr(out.data, "Set-Cookie"));
	assert_non_null(strstr(out.data, "\r\nETag: \"1\"\r\n"));
	assert_non_null(strstr(out.data, "Allow-Origin: https://a\r\n"));
	assert_null(strstr(out.data, "Connection: close"));
	buf_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_proper_upgrade_is_one),
		cmocka_unit_test(a_head_is_taken_in_any_slices),
		cmocka_unit_test(bad_requests_have_their_status),
		cmocka_unit_test(a_websocket_needs_every_header_as_it_should_be),
		cmocka_unit_test(a_large_head_is_refused),
		cmocka_unit_test(origins_are_exact),
		cmocka_unit_test(a_request_of_the_api_is_read_whole),
		cmocka_unit_test(a_whole_uri_is_a_target_too),
		cmocka_unit_test(the_last_of_many_forwarders_are_known),
		cmocka_unit_test(a_problem_is_whole_and_says_when_to_come_again),
		cmocka_unit_test(no_header_brings_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
