/* uses: common/jwt common/base */
/* pkgs: libcrypto */
/*
 * Public keys: what is signed with the private half is verified, by the one
 * algorithm of that key, and by nothing else.
 */
#include "jwt.h"

#include "forge.h"
#include "jwt_jwks.h"
#include "jwt_public_key.h"
#include "keyring.h"
#include "property.h"

static Error err;

static void
trust_pem(PairKind kind, const char *kid)
{
	Buf pem;

	buf_init(&pem);
	pair_pem(pair[kind], &pem);
	if (!jwt_public_keys_pem(&keys, pem.data, pem.len, kid, &err))
		fail_msg("%s", err.text);
	buf_fini(&pem);
}

static bool
trust_json(const char *json)
{
	size_t skipped;

	return jwt_jwks_read(json, strlen(json), JWT_ALGS_PUBLIC, &keys, &skipped,
						 &err);
}

static JwtReason
judge_signed(PairKind kind, const char *header)
{
	JwtReason reason;
	Buf token;

	buf_init(&token);
	pair_sign(pair[kind], kind, header, GOOD_PAYLOAD, &token);
	reason = jwt_verify(token.data, token.len, &keys, &anybody, &claims);
	buf_fini(&token);
	return reason;
}

/* Somebody else's keys and signatures; expired, so the signature is good. */
static void
the_rfcs_own_examples_are_verified(void **state)
{
	static const char payload[] =
		"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
		"cGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
	static const struct
	{
		const char *jwk;
		const char *header;
		const char *payload;
		const char *signature;
		JwtReason reason;
	} rfc[] = {
		/* RFC 7515 A.2 */
		{ "{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\""
		  "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-"
		  "Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWv"
		  "G6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsL"
		  "A9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG"
		  "4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2P"
		  "AcDTW9gb54h4FRWyuXpoQ\"}",
		  "eyJhbGciOiJSUzI1NiJ9", payload,
		  "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7"
		  "AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4"
		  "BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K"
		  "0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqv"
		  "hJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrB"
		  "p0igcN_IoypGlUPQGe77Rw",
		  JWT_EXPIRED },
		/* RFC 7515 A.3 */
		{ "{\"kty\":\"EC\",\"crv\":\"P-256\","
		  "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
		  "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}",
		  "eyJhbGciOiJFUzI1NiJ9", payload,
		  "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSA"
		  "pmWQxfKTUJqPP3-Kg6NU1Q",
		  JWT_EXPIRED },
		/* RFC 8037 A.4; its payload is no JSON, which is seen afterwards */
		{ "{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
		  "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
		  "eyJhbGciOiJFZERTQSJ9", "RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
		  "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5B"
		  "hVsPt9g7sVvpAr_MuM0KAg",
		  JWT_MALFORMED },
	};

	(void) state;
	for (size_t i = 0; i < sizeof rfc / sizeof rfc[0]; i++)
	{
		Buf token;

		jwt_keys_wipe(&keys);
		if (!trust_json(rfc[i].jwk))
			fail_msg("%s", err.text);
		buf_init(&token);
		buf_printf(&token, "%s.%s.%s", rfc[i].header, rfc[i].payload,
				   rfc[i].signature);
		assert_int_equal(judge_text(token.data), rfc[i].reason);
		/* the first bits; the last character's may be left over */
		token.data[strlen(rfc[i].header) + strlen(rfc[i].payload) + 4] ^= 1;
		assert_int_equal(judge_text(token.data), JWT_BAD_SIGNATURE);
		buf_fini(&token);
	}
}

static void
a_key_has_one_algorithm(void **state)
{
	static const char *const algs[] = { "RS256", "ES256",  "EdDSA", "HS256",
										"PS256", "RS384",  "ES384", "none",
										"None",  "Ed25519" };

	(void) state;
	for (int kind = 0; kind < PAIR_KINDS; kind++)
	{
		jwt_keys_wipe(&keys);
		trust_pem((PairKind) kind, "");
		for (size_t i = 0; i < sizeof algs / sizeof algs[0]; i++)
		{
			char header[64];

			(void) snprintf(header, sizeof header, "{\"alg\":\"%s\"}", algs[i]);
			assert_int_equal(judge_signed((PairKind) kind, header),
							 strcmp(algs[i], pair_alg[kind]) == 0
								 ? JWT_OK
								 : JWT_WRONG_ALG);
		}
	}
}

/* The oldest trick: HS256 with what everybody knows as the secret. */
static void
a_public_keys_bytes_are_no_secret(void **state)
{
	(void) state;
	for (int kind = 0; kind < PAIR_KINDS; kind++)
	{
		JwtKey forged = key_of(0, "");
		Buf pem;
		Buf token;

		jwt_keys_wipe(&keys);
		trust_pem((PairKind) kind, "");
		buf_init(&pem);
		pair_pem(pair[kind], &pem);
		memcpy(forged.secret, pem.data, 64);
		forged.secret_len = 64;
		forge(&token, &forged, GOOD_HEADER, GOOD_PAYLOAD);
		assert_int_equal(judge_text(token.data), JWT_WRONG_ALG);
		buf_fini(&token);
		buf_init(&token);
		buf_fini(&token);
		forge(&token, &forged, "{\"alg\":\"RS256\"}", GOOD_PAYLOAD);
		assert_int_not_equal(judge_text(token.data), JWT_OK);
		buf_fini(&token);
		buf_fini(&pem);
	}
}

static void
another_pairs_signature_is_bad(void **state)
{
	(void) state;
	for (int kind = 0; kind < PAIR_KINDS; kind++)
	{
		EVP_PKEY *mine = pair[kind];
		char header[64];

		jwt_keys_wipe(&keys);
		trust_pem((PairKind) kind, "");
		(void) snprintf(header, sizeof header, "{\"alg\":\"%s\"}",
						pair_alg[kind]);
		pair[kind] = pair_make((PairKind) kind);
		assert_int_equal(judge_signed((PairKind) kind, header),
						 JWT_BAD_SIGNATURE);
		EVP_PKEY_free(pair[kind]);
		pair[kind] = mine;
		assert_int_equal(judge_signed((PairKind) kind, header), JWT_OK);
	}
}

/* Zeroes, and every wrong length: CVE-2022-21449 and its kin. */
static void
an_odd_signature_is_bad(void **state)
{
	static const size_t sizes[] = { 1,  31,  32,  63,  64,  65,
									70, 127, 128, 255, 256, 257 };

	(void) state;
	for (int kind = 0; kind < PAIR_KINDS; kind++)
	{
		jwt_keys_wipe(&keys);
		trust_pem((PairKind) kind, "");
		for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
		{
			for (int fill = 0; fill <= 255; fill += 255)
			{
				uint8_t bytes[257];
				char header[64];
				Buf token;

				memset(bytes, fill, sizeof bytes);
				(void) snprintf(header, sizeof header, "{\"alg\":\"%s\"}",
								pair_alg[kind]);
				buf_init(&token);
				base64url_append(&token, header, strlen(header));
				buf_append_char(&token, '.');
				base64url_append(&token, GOOD_PAYLOAD, strlen(GOOD_PAYLOAD));
				buf_append_char(&token, '.');
				base64url_append(&token, bytes, sizes[i]);
				assert_int_equal(judge_text(token.data), JWT_BAD_SIGNATURE);
				buf_fini(&token);
			}
		}
	}
}

/* r alone zero, s alone zero, and r grown by the group's order. */
static void
an_ecdsa_signature_has_one_text(void **state)
{
	Buf token;
	Buf raw;
	size_t at;

	(void) state;
	trust_pem(PAIR_EC, "");
	buf_init(&token);
	buf_init(&raw);
	pair_sign(pair[PAIR_EC], PAIR_EC, "{\"alg\":\"ES256\"}", GOOD_PAYLOAD,
			  &token);
	assert_int_equal(judge_text(token.data), JWT_OK);
	at = token.len - 86;
	assert_true(base64url_decode(token.data + at, 86, &raw));
	for (int half = 0; half < 2; half++)
	{
		uint8_t odd[64];
		Buf text;

		memcpy(odd, raw.data, 64);
		memset(odd + 32 * half, 0, 32);
		buf_init(&text);
		buf_append(&text, token.data, at);
		base64url_append(&text, odd, 64);
		assert_int_equal(judge_text(text.data), JWT_BAD_SIGNATURE);
		buf_fini(&text);
	}
	buf_fini(&raw);
	buf_fini(&token);
}

static void
one_changed_bit_is_noticed(void **state)
{
	Random random = random_begin();

	(void) state;
	for (int kind = 0; kind < PAIR_KINDS; kind++)
	{
		char header[64];
		Buf token;

		jwt_keys_wipe(&keys);
		trust_pem((PairKind) kind, "");
		(void) snprintf(header, sizeof header, "{\"alg\":\"%s\"}",
						pair_alg[kind]);
		buf_init(&token);
		pair_sign(pair[kind], (PairKind) kind, header, GOOD_PAYLOAD, &token);
		for (size_t at = 0; at < token.len; at++)
		{
			char was = token.data[at];

			token.data[at] ^= (char) (1 << random_below(&random, 8));
			assert_int_not_equal(judge_text(token.data), JWT_OK);
			token.data[at] = was;
		}
		assert_int_equal(judge_text(token.data), JWT_OK);
		buf_fini(&token);
	}
}

static void
keys_of_one_name_are_told_apart_by_algorithm(void **state)
{
	(void) state;
	for (int kind = 0; kind < PAIR_KINDS; kind++)
		trust_pem((PairKind) kind, "k");
	assert_int_equal(keys.count, PAIR_KINDS);
	assert_int_equal(judge_signed(PAIR_RSA,
								  "{\"alg\":\"RS256\",\"kid\":\"k\"}"),
					 JWT_OK);
	assert_int_equal(judge_signed(PAIR_EC, "{\"alg\":\"ES256\",\"kid\":\"k\"}"),
					 JWT_OK);
	assert_int_equal(judge_signed(PAIR_ED, "{\"alg\":\"EdDSA\",\"kid\":\"k\"}"),
					 JWT_OK);
	assert_int_equal(judge_signed(PAIR_ED, "{\"alg\":\"ES256\",\"kid\":\"k\"}"),
					 JWT_BAD_SIGNATURE);
	assert_int_equal(judge_signed(PAIR_ED, "{\"alg\":\"EdDSA\"}"),
					 JWT_UNKNOWN_KEY);
}

static void
the_private_half_is_not_taken(void **state)
{
	static const char empty[] =
		"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n";
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long len;

	(void) state;
	assert_int_equal(PEM_write_bio_PrivateKey(bio, pair[PAIR_EC], NULL, NULL, 0,
											  NULL, NULL),
					 1);
	len = BIO_get_mem_data(bio, &text);
	assert_false(jwt_public_keys_pem(&keys, text, (size_t) len, "", &err));
	assert_non_null(strstr(err.text, "something else than public keys"));
	BIO_free(bio);
	assert_false(jwt_public_keys_pem(&keys, "", 0, "", &err));
	assert_false(jwt_public_keys_pem(&keys, empty, strlen(empty), "", &err));
	assert_int_equal(keys.count, 0);
}

static void
a_weak_or_foreign_pem_is_no_key(void **state)
{
	static const char *const curves[] = { "P-384", "P-521", "secp256k1" };

	(void) state;
	for (int i = 0; i < 5; i++)
	{
		EVP_PKEY *weak = i == 0   ? EVP_RSA_gen(1024)
						 : i == 1 ? EVP_PKEY_Q_keygen(NULL, NULL, "ED448")
								  : EVP_EC_gen(curves[i - 2]);
		Buf pem;

		assert_non_null(weak);
		buf_init(&pem);
		pair_pem(weak, &pem);
		assert_false(jwt_public_keys_pem(&keys, pem.data, pem.len, "", &err));
		assert_non_null(strstr(err.text, i == 0   ? "has 1024 bits"
										 : i == 1 ? "neither RSA nor"
												  : "curve is not P-256"));
		buf_fini(&pem);
		EVP_PKEY_free(weak);
	}
	assert_int_equal(keys.count, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(the_rfcs_own_examples_are_verified),
		WITH(a_key_has_one_algorithm),
		WITH(a_public_keys_bytes_are_no_secret),
		WITH(another_pairs_signature_is_bad),
		WITH(an_odd_signature_is_bad),
		WITH(an_ecdsa_signature_has_one_text),
		WITH(one_changed_bit_is_noticed),
		WITH(keys_of_one_name_are_told_apart_by_algorithm),
		WITH(the_private_half_is_not_taken),
		WITH(a_weak_or_foreign_pem_is_no_key),
	};

	return cmocka_run_group_tests(tests, make_pairs, free_pairs);
}
