/* uses: common/jwt common/base */
/* pkgs: libcrypto */
#include "jwt.h"

#include "forge.h"

static void
an_expiry_is_there_and_is_a_number(void **state)
{
	(void) state;
	assert_payload("{\"sub\":\"a\"}", JWT_NO_EXPIRY);
	assert_payload("{\"sub\":\"a\",\"exp\":null}", JWT_BAD_CLAIM);
	assert_payload("{\"sub\":\"a\",\"exp\":\"1800000100\"}", JWT_BAD_CLAIM);
	assert_payload("{\"sub\":\"a\",\"exp\":true}", JWT_BAD_CLAIM);
	assert_payload("{\"sub\":\"a\",\"exp\":[1800000100]}", JWT_BAD_CLAIM);
	assert_payload("{\"sub\":\"a\",\"exp\":0}", JWT_BAD_CLAIM);
	assert_payload("{\"sub\":\"a\",\"exp\":-1}", JWT_BAD_CLAIM);
	assert_payload("{\"sub\":\"a\",\"exp\":9007199254740993}", JWT_BAD_CLAIM);
	assert_payload("{\"sub\":\"a\",\"exp\":1e300}", JWT_BAD_CLAIM);
	assert_payload("{\"sub\":\"a\",\"exp\":1e999}", JWT_MALFORMED);
	assert_payload("{\"sub\":\"a\",\"exp\":NaN}", JWT_MALFORMED);
	assert_payload("{\"sub\":\"a\",\"exp\":9223372036854775808}",
				   JWT_MALFORMED);
	assert_payload("{\"sub\":\"a\",\"exp\":1800000000}", JWT_EXPIRED);
	assert_payload("{\"sub\":\"a\",\"exp\":1800000000.9}", JWT_EXPIRED);
	assert_payload("{\"sub\":\"a\",\"exp\":1800000001}", JWT_OK);
	assert_payload("{\"sub\":\"a\",\"exp\":1.800000001e9}", JWT_OK);
	assert_payload("{\"sub\":\"a\",\"exp\":1,\"exp\":1800000100}",
				   JWT_MALFORMED);
}

static void
the_future_is_not_yet(void **state)
{
	JwtExpect lenient = { .leeway_s = 60, .now_s = NOW_S };

	(void) state;
	assert_payload("{\"sub\":\"a\",\"exp\":1800000100,\"nbf\":1800000000}",
				   JWT_OK);
	assert_payload("{\"sub\":\"a\",\"exp\":1800000100,\"nbf\":1800000001}",
				   JWT_NOT_YET);
	assert_payload("{\"sub\":\"a\",\"exp\":1800000100,\"iat\":1800000001}",
				   JWT_NOT_YET);
	assert_payload("{\"sub\":\"a\",\"exp\":1800000100,\"nbf\":\"1\"}",
				   JWT_BAD_CLAIM);
	assert_payload("{\"sub\":\"a\",\"exp\":1800000100,\"iat\":{}}",
				   JWT_BAD_CLAIM);

	/* two clocks may differ by the leeway and no more */
	assert_int_equal(judge_as(GOOD_HEADER,
							  "{\"sub\":\"a\",\"exp\":1799999941,"
							  "\"iat\":1800000060}",
							  &lenient),
					 JWT_OK);
	assert_int_equal(judge_as(GOOD_HEADER, "{\"sub\":\"a\",\"exp\":1799999940}",
							  &lenient),
					 JWT_EXPIRED);
	assert_int_equal(judge_as(GOOD_HEADER,
							  "{\"sub\":\"a\",\"exp\":1800000100,"
							  "\"nbf\":1800000061}",
							  &lenient),
					 JWT_NOT_YET);
}

static void
the_subject_is_a_text(void **state)
{
	Buf payload;

	(void) state;
	assert_payload("{\"exp\":1800000100}", JWT_BAD_CLAIM);
	assert_payload("{\"sub\":\"\",\"exp\":1800000100}", JWT_BAD_CLAIM);
	assert_payload("{\"sub\":5,\"exp\":1800000100}", JWT_BAD_CLAIM);
	assert_payload("{\"sub\":\"a\\u0000b\",\"exp\":1800000100}", JWT_MALFORMED);
	assert_payload("{\"sub\":\"\\ud800\",\"exp\":1800000100}", JWT_MALFORMED);
	assert_payload("{\"sub\":\"a\",\"sub\":\"b\",\"exp\":1800000100}",
				   JWT_MALFORMED);
	assert_payload("[]", JWT_MALFORMED);
	assert_payload("", JWT_MALFORMED);
	assert_payload("{\"sub\":\"a\",\"exp\":1800000100} x", JWT_MALFORMED);
	assert_payload("{\"sub\":\"a\xff\",\"exp\":1800000100}", JWT_MALFORMED);

	buf_init(&payload);
	buf_append_str(&payload, "{\"exp\":1800000100,\"sub\":\"");
	for (int i = 0; i < JWT_MAX_TEXT; i++)
		buf_append_char(&payload, 'a');
	buf_append_str(&payload, "\"}");
	assert_payload(payload.data, JWT_OK);
	buf_consume(&payload, 0);
	payload.len -= 2;
	buf_append_str(&payload, "a\"}");
	assert_payload(payload.data, JWT_BAD_CLAIM);
	buf_fini(&payload);
}

static void
issuer_and_audience_are_who_we_expect(void **state)
{
	static const struct
	{
		const char *claims;
		JwtReason reason;
	} cases[] = {
		{ "\"iss\":\"us\",\"aud\":\"chat\"", JWT_OK },
		{ "\"iss\":\"us\",\"aud\":[\"mail\",\"chat\"]", JWT_OK },
		{ "\"iss\":\"us\",\"aud\":[]", JWT_WRONG_AUDIENCE },
		{ "\"iss\":\"us\",\"aud\":\"chatter\"", JWT_WRONG_AUDIENCE },
		{ "\"iss\":\"us\",\"aud\":[\"cha\"]", JWT_WRONG_AUDIENCE },
		{ "\"iss\":\"us\",\"aud\":[\"chat\",5]", JWT_BAD_CLAIM },
		{ "\"iss\":\"us\",\"aud\":5", JWT_BAD_CLAIM },
		{ "\"iss\":\"us\"", JWT_WRONG_AUDIENCE },
		{ "\"iss\":\"them\",\"aud\":\"chat\"", JWT_WRONG_ISSUER },
		{ "\"iss\":\"us/\",\"aud\":\"chat\"", JWT_WRONG_ISSUER },
		{ "\"iss\":[\"us\"],\"aud\":\"chat\"", JWT_BAD_CLAIM },
		{ "\"aud\":\"chat\"", JWT_WRONG_ISSUER },
	};
	JwtExpect expect = { .issuer = "us", .audience = "chat", .now_s = NOW_S };

	(void) state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
	{
		char payload[200];
		JwtReason reason;

		(void) snprintf(payload, sizeof payload,
						"{\"sub\":\"a\",\"exp\":1800000100,%s}",
						cases[i].claims);
		reason = judge_as(GOOD_HEADER, payload, &expect);
		if (reason != cases[i].reason)
			fail_msg("%s: %s", payload, jwt_reason_name(reason));
	}
	/* a token for somebody else is not for one who expects no audience */
	assert_payload("{\"sub\":\"a\",\"exp\":1800000100,\"aud\":\"chat\"}",
				   JWT_WRONG_AUDIENCE);
	assert_payload("{\"sub\":\"a\",\"exp\":1800000100,\"iss\":\"us\"}", JWT_OK);
}

/* Depth is bounded by the length; this is as deep as a token can be. */
static void
nesting_ends_in_an_answer(void **state)
{
	char payload[5900];
	Buf token;

	(void) state;
	memset(payload, '[', sizeof payload - 1);
	payload[sizeof payload - 1] = '\0';
	forge(&token, &keys.key[0], GOOD_HEADER, payload);
	assert_true(token.len <= JWT_MAX_LEN);
	assert_int_equal(judge_text(token.data), JWT_MALFORMED);
	buf_fini(&token);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(an_expiry_is_there_and_is_a_number),
		EACH(the_future_is_not_yet),
		EACH(the_subject_is_a_text),
		EACH(issuer_and_audience_are_who_we_expect),
		EACH(nesting_ends_in_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
