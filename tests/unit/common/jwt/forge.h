/*
 * forge - tokens as a test wants them: rightly signed, however odd
 *
 * The including test owns the keys; one_key is each test's setup.
 */
#ifndef CHEMCHAT_TEST_FORGE_H
#define CHEMCHAT_TEST_FORGE_H

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base64url.h"
#include "jwt.h"

#define NOW_S        1800000000
#define GOOD_HEADER  "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define GOOD_PAYLOAD "{\"sub\":\"alice\",\"exp\":1800000100}"

static JwtKeys keys;
static JwtClaims claims;
static const JwtExpect anybody = { .leeway_s = 0, .now_s = NOW_S };

static inline JwtKey
key_of(uint8_t fill, const char *kid)
{
	JwtKey key = { .alg = JWT_HS256, .secret_len = 32 };

	memset(key.secret, fill, key.secret_len);
	(void) snprintf(key.kid, sizeof key.kid, "%s", kid);
	return key;
}

static inline int
one_key(void **state)
{
	(void) state;
	memset(&keys, 0, sizeof keys);
	keys.key[0] = key_of(1, "");
	keys.count = 1;
	return 0;
}

/* A token of these bytes, rightly signed, however odd they are. */
static inline void
forge(Buf *token, const JwtKey *key, const char *header, const char *payload)
{
	uint8_t mac[EVP_MAX_MD_SIZE];
	unsigned int mac_len = 0;

	buf_init(token);
	base64url_append(token, header, strlen(header));
	buf_append_char(token, '.');
	base64url_append(token, payload, strlen(payload));
	assert_non_null(HMAC(EVP_sha256(), key->secret, (int) key->secret_len,
						 (const unsigned char *) token->data, token->len, mac,
						 &mac_len));
	buf_append_char(token, '.');
	base64url_append(token, mac, mac_len);
}

static inline JwtReason
judge_as(const char *header, const char *payload, const JwtExpect *expect)
{
	JwtReason reason;
	Buf token;

	forge(&token, &keys.key[0], header, payload);
	reason = jwt_verify(token.data, token.len, &keys, expect, &claims);
	buf_fini(&token);
	return reason;
}

static inline JwtReason
judge_text(const char *token)
{
	return jwt_verify(token, strlen(token), &keys, &anybody, &claims);
}

static inline void
assert_header(const char *header, JwtReason reason)
{
	JwtReason got = judge_as(header, GOOD_PAYLOAD, &anybody);

	if (got != reason)
		fail_msg("%s: %s", header, jwt_reason_name(got));
}

static inline void
assert_payload(const char *payload, JwtReason reason)
{
	JwtReason got = judge_as(GOOD_HEADER, payload, &anybody);

	if (got != reason)
		fail_msg("%s: %s", payload, jwt_reason_name(got));
	assert_int_equal(claims.subject[0] != '\0', reason == JWT_OK);
}

#define EACH(test) cmocka_unit_test_setup(test, one_key)

#endif
