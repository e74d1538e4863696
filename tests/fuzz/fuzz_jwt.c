/* uses: common/jwt common/base */
/* links: -ljansson -lcrypto -lsodium -lm */
/*
 * fuzz_jwt - tokens from anybody
 *
 * The first byte chooses what the rest is: a whole token; or a header, or a
 * payload, that is then rightly signed, so that what lies behind the
 * signature is reached.  Beyond not crashing: a token that is not signed by
 * us is never good, and claims are empty unless it is; what is good can be
 * signed again and is good again.
 */
#include "jwt.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base64url.h"
#include "fuzz.h"

#define NOW_S        1800000000
#define GOOD_HEADER  "{\"alg\":\"HS256\"}"
#define GOOD_PAYLOAD "{\"sub\":\"a\",\"exp\":1800000100}"

static JwtKeys keys;

/* The key is for the fuzzer's own signatures; its bytes do not matter. */
int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char *const starts[] = {
		"\1{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"k\"}",
		"\1{\"alg\":\"none\",\"crit\":[\"exp\"]}",
		"\2{\"sub\":\"a\",\"exp\":1800000100,\"iat\":1.5e9,\"nbf\":1}",
		"\2{\"sub\":\"a\",\"exp\":1800000100,\"aud\":[\"us\"],\"iss\":\"i\"}",
	};

	(void) argc;
	(void) argv;
	keys.count = 1;
	keys.key[0] = (JwtKey){ .alg = JWT_HS256, .secret_len = 32 };
	memset(keys.key[0].secret, 7, 32);
	for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
		fuzz_seed(i, starts[i], strlen(starts[i]));
	return 0;
}

static void
sign(Buf *token, const void *header, size_t header_len, const void *payload,
	 size_t payload_len)
{
	uint8_t mac[EVP_MAX_MD_SIZE];
	unsigned int mac_len = 0;

	base64url_append(token, header, header_len);
	buf_append_char(token, '.');
	base64url_append(token, payload, payload_len);
	REQUIRE(HMAC(EVP_sha256(), keys.key[0].secret, 32,
				 (const unsigned char *) token->data, token->len, mac,
				 &mac_len) != NULL);
	buf_append_char(token, '.');
	base64url_append(token, mac, mac_len);
}

static void
check_again(const JwtClaims *claims, const JwtExpect *expect)
{
	JwtClaims again;
	Error err;
	Buf token;

	buf_init(&token);
	REQUIRE(jwt_sign_hs256(&keys.key[0], claims, &token, &err));
	/* the signer's token may be longer than a token may be */
	if (token.len <= JWT_MAX_LEN)
	{
		REQUIRE(jwt_verify(token.data, token.len, &keys, expect, &again) ==
				JWT_OK);
		REQUIRE(memcmp(claims, &again, sizeof again) == 0);
	}
	buf_fini(&token);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const JwtClaims none;
	JwtExpect expect = { .now_s = NOW_S, .leeway_s = 5 };
	JwtClaims claims;
	JwtReason reason;
	Buf token;

	if (len == 0)
		return 0;
	if ((bytes[0] & 4) != 0)
		expect.audience = "us";
	buf_init(&token);
	if ((bytes[0] & 3) == 1)
		sign(&token, bytes + 1, len - 1, GOOD_PAYLOAD, strlen(GOOD_PAYLOAD));
	else if ((bytes[0] & 3) == 2)
		sign(&token, GOOD_HEADER, strlen(GOOD_HEADER), bytes + 1, len - 1);
	else
		buf_append(&token, bytes + 1, len - 1);

	reason = jwt_verify(token.data, token.len, &keys, &expect, &claims);
	if (reason == JWT_OK)
	{
		REQUIRE((bytes[0] & 3) == 1 || (bytes[0] & 3) == 2);
		REQUIRE(claims.subject[0] != '\0');
		REQUIRE(claims.expires_s > NOW_S - 5);
		check_again(&claims, &expect);
	}
	else
		REQUIRE(memcmp(&claims, &none, sizeof none) == 0);
	REQUIRE(strcmp(jwt_reason_name(reason), "unknown") != 0);
	buf_fini(&token);
	return 0;
}
