/* uses: gateway common/jwt common/wire common/base */
/* pkgs: jansson openssl */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "etag.h"
#include "http_request_private.h"
#include "problem.h"
#include "rest_args.h"
#include "user_limits.h"
#include "verb_args.h"

#define C "00000000-0000-7000-8000-0000000000c1"
#define U "00000000-0000-7000-8000-00000000000a"

static void
answer_nothing(struct HttpConn *conn, const HttpAnswer *answer, const Buf *body)
{
	(void) conn;
	(void) answer;
	(void) body;
}

static HttpRequest *
request_of(const char *line, const char *headers, const char *body)
{
	static const Address nobody;
	const char *reason;
	HttpHead head;
	Buf bytes;

	buf_init(&bytes);
	buf_printf(&bytes, "%s HTTP/1.1\r\nHost: a\r\n%s", line, headers);
	if (body != NULL)
		buf_printf(&bytes, "Content-Length: %zu\r\n", strlen(body));
	buf_append_str(&bytes, "\r\n");
	assert_int_equal(http_head_parse(bytes.data, bytes.len, &head, &reason),
					 HTTP_OK);
	if (body != NULL)
	{
		buf_append_str(&bytes, body);
		assert_int_equal(http_head_parse(bytes.data, bytes.len, &head, &reason),
						 HTTP_OK);
	}
	return http_request_new(NULL, answer_nothing, &bytes, &head, &nobody);
}

static bool
has_query(const void *arg, const char *name)
{
	char byte[1];

	return http_request_query_value(arg, name, byte, 1) != QUERY_NONE;
}

/* The arguments as compact JSON, or the problem: "code field status". */
static void
expect(const char *line, const char *headers, const char *body,
	   const char *expected)
{
	HttpRequest *request = request_of(line, headers, body);
	Problem problem = { .offset = -1 };
	char allowed[64];
	const Verb *verb = verb_of_request(http_request_method_name(request),
									   http_request_path(request), has_query,
									   request, allowed, sizeof(allowed));
	json_t *object;
	char *text;

	assert_non_null(verb);
	object = rest_args_read(request, verb, &problem);
	if (object != NULL)
		text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
	else
	{
		text = malloc(200);
		snprintf(text, 200, "%s %s %d", problem.code,
				 problem.field ? problem.field : "-", problem.status);
	}
	assert_string_equal(text, expected);
	free(text);
	json_decref(object);
	http_request_answer(&request, 200, NULL, NULL, 0, NULL);
}

static void
arguments_stand_where_the_table_says(void **state)
{
	(void) state;
	expect("GET /v1/conversations/" C "/messages?beforeSeq=7&maxRows=20&x=y",
		   "", NULL,
		   "{\"beforeSeq\":7,\"conversationId\":\"" C "\",\"maxRows\":20}");
	expect("PUT /v1/conversations/" C "/messages/7/reactions/%F0%9F%91%8D", "",
		   NULL,
		   "{\"conversationId\":\"" C
		   "\",\"emoji\":\"\xf0\x9f\x91\x8d\",\"seq\":7}");
	expect("POST /v1/conversations/" C "/messages",
		   "Idempotency-Key: \"" U "\"\r\nContent-Type: application/json; "
		   "charset=utf-8\r\n",
		   "{\"body\":\"hi\"}",
		   "{\"body\":\"hi\",\"clientMsgId\":\"" U "\",\"conversationId\":\"" C
		   "\"}");
	expect("PUT /v1/conversations/" C "/messages/7",
		   "If-Match: \"3\"\r\nContent-Type: application/json\r\n",
		   "{\"body\":\"hi\",\"expectedRev\":9}",
		   "{\"body\":\"hi\",\"conversationId\":\"" C
		   "\",\"expectedRev\":3,\"seq\":7}");
	expect("GET /v1/users?ids=" U "," C, "", NULL,
		   "{\"ids\":[\"" U "\",\"" C "\"]}");
	expect("GET /v1/users?query=a+b%2Bc", "", NULL, "{\"query\":\"a b+c\"}");
}

/* What is said twice is what the path says. */
static void
a_body_cannot_name_another_resource(void **state)
{
	(void) state;
	expect("PUT /v1/conversations/" C "/members/" U,
		   "Content-Type: application/json\r\n",
		   "{\"conversationId\":\"" U "\",\"role\":\"guest\"}",
		   "{\"conversationId\":\"" C "\",\"role\":\"guest\",\"userId\":\"" U
		   "\"}");
	expect("POST /v1/conversations/" C "/messages",
		   "Content-Type: application/json\r\n",
		   "{\"clientMsgId\":\"" U "\",\"body\":\"x\"}",
		   "{\"body\":\"x\",\"conversationId\":\"" C "\"}");
}

static void
what_is_malformed_is_named(void **state)
{
	(void) state;
	expect("GET /v1/conversations/" C "/messages?maxRows=x", "", NULL,
		   "invalid_argument maxRows 0");
	expect("GET /v1/conversations/" C "/messages?maxRows=-1", "", NULL,
		   "invalid_argument maxRows 0");
	expect("GET /v1/conversations/" C "/messages?maxRows=9999999999999999999",
		   "", NULL, "invalid_argument maxRows 0");
	expect("GET /v1/conversations/" C "/messages?maxRows=%zz", "", NULL,
		   "invalid_argument maxRows 0");
	expect("PUT /v1/conversations/" C "/messages/7/reactions/%ff", "", NULL,
		   "invalid_argument emoji 0");
	expect("PUT /v1/conversations/" C "/messages/7x/reactions/a", "", NULL,
		   "invalid_argument seq 0");
	expect("PATCH /v1/me", "", "{\"displayName\":\"x\"}", "bad_frame - 415");
	expect("PATCH /v1/me", "Content-Type: text/plain\r\n", "{}",
		   "bad_frame - 415");
	expect("PATCH /v1/me", "Content-Type: application/jsonx\r\n", "{}",
		   "bad_frame - 415");
	expect("PATCH /v1/me", "Content-Type: application/json\r\n", "{",
		   "bad_frame - 0");
	expect("PATCH /v1/me", "Content-Type: application/json\r\n",
		   "{\"a\":1,\"a\":2}", "bad_frame - 0");
}

static void
header_arguments_are_known_by_the_header(void **state)
{
	(void) state;
	assert_string_equal(rest_args_name(verb_of_type("send"), "clientMsgId"),
						"Idempotency-Key");
	assert_string_equal(rest_args_name(verb_of_type("send"), "body"), "body");
}

static void
problems_say_what_frames_say(void **state)
{
	Problem problem = { .code = "busy", .field = "", .offset = -1 };
	Buf out;

	(void) state;
	buf_init(&out);
	problem_write(&problem, &out);
	assert_string_equal(out.data,
						"{\"type\":\"urn:chemchat:error:busy\",\"title\":\"the "
						"conversation is locked by somebody else\",\"status\":"
						"503,\"code\":\"busy\",\"retryAfterMs\":500}");
	buf_reset(&out);
	problem.code = "bad_frame";
	problem.field = "x";
	problem.detail = "d";
	problem.offset = 4;
	problem_write(&problem, &out);
	assert_string_equal(
		out.data,
		"{\"type\":\"urn:chemchat:error:bad_frame\",\"title\":\"not a frame of "
		"this protocol\",\"status\":400,\"code\":\"bad_frame\",\"field\":\"x\","
		"\"detail\":\"d\",\"offset\":4}");
	buf_fini(&out);
	assert_int_equal(problem_status("unknown_user", "userId"), 404);
	assert_int_equal(problem_status("unknown_user", ""), 401);
	assert_int_equal(problem_status("unknown_outcome", ""), 504);
	assert_int_equal(problem_status("unsafe_durability", ""), 500);
}

static void
etags_are_of_the_bytes(void **state)
{
	char one[ETAG_SIZE];
	char other[ETAG_SIZE];
	char list[120];

	(void) state;
	etag_of("a", 1, one);
	etag_of("b", 1, other);
	assert_int_equal(strlen(one), 34);
	assert_string_not_equal(one, other);
	assert_false(etag_is_in((Slice){ "", 0 }, one));
	assert_true(etag_is_in((Slice){ "*", 1 }, one));
	assert_true(etag_is_in((Slice){ one, 34 }, one));
	assert_false(etag_is_in((Slice){ other, 34 }, one));
	snprintf(list, sizeof(list), "%s , W/%s", other, one);
	assert_true(etag_is_in((Slice){ list, strlen(list) }, one));
}

static void
a_full_bucket_is_forgotten(void **state)
{
	UserLimits *limits = user_limits_new();
	RateRule rule = { .per_second = 10, .burst = 1 };
	int64_t retry_ms;
	Uuid id = { { 0 } };
	UserLimit *limit;

	(void) state;
	for (uint32_t i = 0; i < 5000; i++)
	{
		memcpy(id.byte, &i, sizeof(i));
		limit = user_limits_of(limits, &id, i * 1000);
		assert_true(rate_limit_take(&limit->sends, &rule, i * 1000, &retry_ms));
		assert_false(
			rate_limit_take(&limit->sends, &rule, i * 1000, &retry_ms));
	}
	assert_true(user_limits_count(limits) <= 1024); /* 100 ms each */
	limit = user_limits_of(limits, &id, 4999 * 1000);
	assert_false(rate_limit_take(&limit->sends, &rule, 4999 * 1000, &retry_ms));
	user_limits_free(&limits);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arguments_stand_where_the_table_says),
		cmocka_unit_test(a_body_cannot_name_another_resource),
		cmocka_unit_test(what_is_malformed_is_named),
		cmocka_unit_test(header_arguments_are_known_by_the_header),
		cmocka_unit_test(problems_say_what_frames_say),
		cmocka_unit_test(etags_are_of_the_bytes),
		cmocka_unit_test(a_full_bucket_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
