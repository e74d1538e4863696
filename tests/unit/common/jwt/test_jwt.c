/* uses: common/jwt common/base */
/* pkgs: libcrypto */
#include "jwt.h"

#include "forge.h"
#include "property.h"

/* RFC 7515 A.1: somebody else's token, somebody else's key. */
static void
the_rfcs_own_example_is_verified(void **state)
{
	static const char token[] =
		"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
		"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
		"cGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
		"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
	static const char secret[] =
		"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75"
		"aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
	Buf bytes;

	(void) state;
	buf_init(&bytes);
	assert_true(base64url_decode(secret, strlen(secret), &bytes));
	assert_int_equal(bytes.len, 64);
	memcpy(keys.key[0].secret, bytes.data, bytes.len);
	keys.key[0].secret_len = bytes.len;
	buf_fini(&bytes);

	/* its signature is good, so its age is what is wrong with it */
	assert_int_equal(judge_text(token), JWT_EXPIRED);
	keys.key[0].secret[63] ^= 1;
	assert_int_equal(judge_text(token), JWT_BAD_SIGNATURE);
}

static void
what_we_sign_we_verify(void **state)
{
	JwtClaims made = { .subject = "0190a000-0000-7000-8000-00000000000a",
					   .issuer = "https://issuer \"x\"",
					   .audience = "chem\xc3\xa9",
					   .issued_us = (NOW_S - 10) * 1000000LL + 7,
					   .not_before_s = NOW_S - 5,
					   .expires_s = NOW_S + 1 };
	JwtExpect expect = { .issuer = made.issuer,
						 .audience = made.audience,
						 .now_s = NOW_S };
	Error err;
	Buf token;

	(void) state;
	buf_init(&token);
	assert_true(jwt_sign_hs256(&keys.key[0], &made, &token, &err));
	assert_int_equal(jwt_verify(token.data, token.len, &keys, &expect, &claims),
					 JWT_OK);
	assert_string_equal(claims.subject, made.subject);
	assert_string_equal(claims.issuer, made.issuer);
	assert_string_equal(claims.audience, made.audience);
	assert_int_equal(claims.issued_us, made.issued_us);
	assert_int_equal(claims.not_before_s, made.not_before_s);
	assert_int_equal(claims.expires_s, made.expires_s);
	buf_fini(&token);
}

static void
what_cannot_be_verified_is_not_signed(void **state)
{
	JwtClaims made = { .subject = "a", .expires_s = NOW_S };
	JwtKey weak = keys.key[0];
	Error err;
	Buf token;

	(void) state;
	buf_init(&token);
	weak.secret_len = 31;
	assert_false(jwt_sign_hs256(&weak, &made, &token, &err));
	made.expires_s = 0;
	assert_false(jwt_sign_hs256(&keys.key[0], &made, &token, &err));
	made.expires_s = NOW_S;
	(void) snprintf(made.issuer, sizeof made.issuer, "\xff");
	assert_false(jwt_sign_hs256(&keys.key[0], &made, &token, &err));
	made.issuer[0] = '\0';
	made.subject[0] = '\0';
	assert_false(jwt_sign_hs256(&keys.key[0], &made, &token, &err));
	assert_int_equal(token.len, 0);
	buf_fini(&token);
}

static void
the_algorithm_is_the_keys(void **state)
{
	static const char *const names[] = {
		"none",  "None",   "NONE",
		"nOnE",  "",       "HS384",
		"HS512", "RS256",  "ES256",
		"hs256", "HS256 ", "HS256\\u0000",
		"PS256", "EdDSA",  "HS2566666666666666666666666666",
	};

	(void) state;
	assert_header(GOOD_HEADER, JWT_OK);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
	{
		char header[100];
		JwtReason reason;

		(void) snprintf(header, sizeof header, "{\"alg\":\"%s\"}", names[i]);
		reason = judge_as(header, GOOD_PAYLOAD, &anybody);
		/* a NUL in a text is no JSON we take */
		assert_int_equal(reason, strstr(names[i], "\\u") != NULL
									 ? JWT_MALFORMED
									 : JWT_WRONG_ALG);
	}
	assert_header("{}", JWT_WRONG_ALG);
	assert_header("{\"alg\":null}", JWT_WRONG_ALG);
	assert_header("{\"alg\":[\"HS256\"]}", JWT_WRONG_ALG);
	assert_header("{\"alg\":1}", JWT_WRONG_ALG);
}

static void
without_a_signature_it_is_nobodys(void **state)
{
	static const char *const headers[] = {
		"{\"alg\":\"none\"}",
		GOOD_HEADER,
	};

	(void) state;
	for (size_t i = 0; i < 2; i++)
	{
		Buf token;
		uint8_t zero[32] = { 0 };

		buf_init(&token);
		base64url_append(&token, headers[i], strlen(headers[i]));
		buf_append_char(&token, '.');
		base64url_append(&token, GOOD_PAYLOAD, strlen(GOOD_PAYLOAD));
		assert_int_equal(judge_text(token.data), JWT_MALFORMED);
		buf_append_char(&token, '.');
		assert_int_equal(judge_text(token.data),
						 i == 0 ? JWT_WRONG_ALG : JWT_BAD_SIGNATURE);
		base64url_append(&token, zero, sizeof zero);
		assert_int_equal(judge_text(token.data),
						 i == 0 ? JWT_WRONG_ALG : JWT_BAD_SIGNATURE);
		buf_fini(&token);
	}
}

static void
headers_that_choose_the_key_are_refused(void **state)
{
	static const char *const names[] = { "crit", "jku", "jwk",
										 "x5u",  "x5c", "b64" };
	static const char *const values[] = {
		"\"https://evil/\"", "[]", "[\"exp\"]", "{}", "null", "false"
	};

	(void) state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
	{
		for (size_t j = 0; j < sizeof values / sizeof values[0]; j++)
		{
			char header[100];

			(void) snprintf(header, sizeof header,
							"{\"alg\":\"HS256\",\"%s\":%s}", names[i],
							values[j]);
			assert_header(header, JWT_FORBIDDEN_HEADER);
		}
	}
	assert_header("{\"alg\":\"HS256\",\"typ\":\"at+JWT\"}", JWT_OK);
	assert_header("{\"alg\":\"HS256\",\"typ\":\"application/jwt\"}", JWT_OK);
	assert_header("{\"alg\":\"HS256\",\"typ\":\"logout+jwt\"}",
				  JWT_FORBIDDEN_HEADER);
	assert_header("{\"alg\":\"HS256\",\"typ\":5}", JWT_FORBIDDEN_HEADER);
	assert_header("{\"alg\":\"HS256\",\"extra\":5}", JWT_OK);
}

static void
a_kid_is_a_name_in_our_list_and_nothing_else(void **state)
{
	static const char *const kids[] = {
		"\"other\"",
		"\"../../etc/passwd\"",
		"\"\"",
		"null",
		"1",
		"[\"new\"]",
		"\"new' OR 1=1\"",
		"\"NEW\"",
		"\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"",
	};

	(void) state;
	keys.key[0] = key_of(1, "new");
	keys.key[1] = key_of(2, "old");
	keys.count = 2;
	assert_header("{\"alg\":\"HS256\",\"kid\":\"new\"}", JWT_OK);
	assert_header("{\"alg\":\"HS256\",\"kid\":\"old\"}", JWT_BAD_SIGNATURE);
	assert_header(GOOD_HEADER, JWT_UNKNOWN_KEY); /* each key has a name */
	for (size_t i = 0; i < sizeof kids / sizeof kids[0]; i++)
	{
		char header[160];

		(void) snprintf(header, sizeof header, "{\"alg\":\"HS256\",\"kid\":%s}",
						kids[i]);
		assert_header(header, JWT_UNKNOWN_KEY);
	}
	keys.key[0].kid[0] = '\0';
	assert_header("{\"alg\":\"HS256\",\"kid\":\"new\"}", JWT_UNKNOWN_KEY);
	keys.count = 0;
	assert_header(GOOD_HEADER, JWT_UNKNOWN_KEY);
}

static void
keys_without_names_are_all_tried(void **state)
{
	Buf token;

	(void) state;
	keys.key[1] = key_of(2, "");
	keys.key[2] = key_of(3, "");
	keys.count = 3;
	forge(&token, &keys.key[2], GOOD_HEADER, GOOD_PAYLOAD);
	assert_int_equal(judge_text(token.data), JWT_OK);
	keys.count = 2;
	assert_int_equal(judge_text(token.data), JWT_BAD_SIGNATURE);
	buf_fini(&token);
}

static void
one_token_has_one_text(void **state)
{
	Buf token;
	Buf odd;
	const char *at;

	(void) state;
	forge(&token, &keys.key[0], GOOD_HEADER, GOOD_PAYLOAD);
	assert_int_equal(judge_text(token.data), JWT_OK);
	buf_init(&odd);

	buf_printf(&odd, "%s=", token.data); /* padding */
	assert_int_equal(judge_text(odd.data), JWT_MALFORMED);
	buf_reset(&odd);
	buf_printf(&odd, " %s", token.data);
	assert_int_equal(judge_text(odd.data), JWT_MALFORMED);
	buf_reset(&odd);
	buf_printf(&odd, "%s\n", token.data);
	assert_int_equal(judge_text(odd.data), JWT_MALFORMED);
	buf_reset(&odd);
	buf_printf(&odd, "%s.", token.data);
	assert_int_equal(judge_text(odd.data), JWT_MALFORMED);
	assert_int_equal(judge_text(""), JWT_MALFORMED);
	assert_int_equal(judge_text(".."), JWT_MALFORMED);
	assert_int_equal(judge_text("..."), JWT_MALFORMED);

	/* the last character of 43 holds two bits that must be zero */
	buf_reset(&odd);
	buf_append_str(&odd, token.data);
	at = strchr(
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
		odd.data[odd.len - 1]);
	assert_non_null(at);
	odd.data[odd.len - 1] = at[1];
	assert_int_equal(judge_text(odd.data), JWT_MALFORMED);

	/* the length is what counts, not a NUL */
	buf_reset(&odd);
	buf_append(&odd, token.data, token.len + 1);
	assert_int_equal(jwt_verify(odd.data, odd.len, &keys, &anybody, &claims),
					 JWT_MALFORMED);
	buf_fini(&odd);
	buf_fini(&token);
}

static void
a_hundred_kilobytes_are_not_looked_at(void **state)
{
	size_t len = 100000;
	char *token = malloc(len);

	(void) state;
	assert_non_null(token);
	memset(token, 'a', len);
	assert_int_equal(jwt_verify(token, len, &keys, &anybody, &claims),
					 JWT_TOO_LONG);
	assert_int_equal(jwt_verify(token, JWT_MAX_LEN + 1, &keys, &anybody,
								&claims),
					 JWT_TOO_LONG);
	memset(token, '[', JWT_MAX_LEN);
	assert_int_equal(jwt_verify(token, JWT_MAX_LEN, &keys, &anybody, &claims),
					 JWT_MALFORMED);
	free(token);
}

static void
one_changed_bit_is_noticed(void **state)
{
	Random random = random_begin();
	Buf token;

	(void) state;
	forge(&token, &keys.key[0], GOOD_HEADER, GOOD_PAYLOAD);
	for (size_t at = 0; at < token.len; at++)
	{
		char was = token.data[at];
		JwtReason reason;

		token.data[at] ^= (char) (1 << random_below(&random, 8));
		reason = jwt_verify(token.data, token.len, &keys, &anybody, &claims);
		assert_int_not_equal(reason, JWT_OK);
		assert_int_equal(claims.subject[0], 0);
		token.data[at] = was;
	}
	buf_fini(&token);
}

static void
random_bytes_are_never_a_token(void **state)
{
	static const char pieces[] = ".eyJhbGciOiJIUzI1NiJ9{}\"-_=";
	Random random = random_begin();

	(void) state;
	for (int i = 0; i < 50000; i++)
	{
		char token[120];
		size_t len = random_below(&random, sizeof token);

		for (size_t at = 0; at < len; at++)
			token[at] = random_below(&random, 8) == 0
							? (char) random_next(&random)
							: pieces[random_below(&random, sizeof pieces - 1)];
		assert_int_not_equal(jwt_verify(token, len, &keys, &anybody, &claims),
							 JWT_OK);
	}
}


int
main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(the_rfcs_own_example_is_verified),
		EACH(what_we_sign_we_verify),
		EACH(what_cannot_be_verified_is_not_signed),
		EACH(the_algorithm_is_the_keys),
		EACH(without_a_signature_it_is_nobodys),
		EACH(headers_that_choose_the_key_are_refused),
		EACH(a_kid_is_a_name_in_our_list_and_nothing_else),
		EACH(keys_without_names_are_all_tried),
		EACH(one_token_has_one_text),
		EACH(a_hundred_kilobytes_are_not_looked_at),
		EACH(one_changed_bit_is_noticed),
		EACH(random_bytes_are_never_a_token),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
