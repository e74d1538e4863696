/* uses: common/jwt common/base */
/* pkgs: libcrypto */
/*
 * A document of keys: each is judged for itself, and what disagrees with
 * itself is no key.
 */
#include "jwt_jwks.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "forge.h"
#include "jwt_public_file.h"
#include "keyring.h"

static Error err;
static size_t skipped;

static bool
read_text(const char *json)
{
	jwt_keys_wipe(&keys);
	return jwt_jwks_read(json, strlen(json), JWT_ALGS_PUBLIC, &keys, &skipped,
						 &err);
}

/* One key with these further members. */
static bool
read_one(PairKind kind, const char *more)
{
	bool is_read;
	Buf json;

	buf_init(&json);
	pair_jwk(pair[kind], kind, more, &json);
	is_read = read_text(json.data);
	buf_fini(&json);
	return is_read;
}

static void
refused(PairKind kind, const char *more, const char *why)
{
	if (read_one(kind, more))
		fail_msg("taken with %s", more);
	if (strstr(err.text, why) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err.text, why);
	assert_int_equal(keys.count, 0);
}

static void
a_document_has_several_keys(void **state)
{
	Buf json;

	(void) state;
	buf_init(&json);
	buf_append_str(&json, "{\"keys\":[");
	for (int kind = 0; kind < PAIR_KINDS; kind++)
	{
		char more[100];

		(void) snprintf(more, sizeof more,
						",\"kid\":\"k%d\",\"use\":\"sig\",\"alg\":\"%s\","
						"\"x5t\":\"ignored\"",
						kind, pair_alg[kind]);
		pair_jwk(pair[kind], (PairKind) kind, more, &json);
		buf_append_str(&json, ",");
	}
	buf_append_str(&json, "{\"kty\":\"oct\",\"k\":\"AAAA\"},7,null,"
						  "{\"kty\":\"AKP\"}],\"more\":{}}");
	assert_true(read_text(json.data));
	assert_int_equal(keys.count, PAIR_KINDS);
	assert_int_equal(skipped, 4);
	for (int kind = 0; kind < PAIR_KINDS; kind++)
	{
		Buf token;
		char header[80];

		(void) snprintf(header, sizeof header,
						"{\"alg\":\"%s\",\"kid\":\"k%d\"}", pair_alg[kind],
						kind);
		buf_init(&token);
		pair_sign(pair[kind], (PairKind) kind, header, GOOD_PAYLOAD, &token);
		assert_int_equal(judge_text(token.data), JWT_OK);
		buf_fini(&token);
	}
	buf_fini(&json);
}

static void
a_key_that_disagrees_with_itself_is_refused(void **state)
{
	(void) state;
	assert_true(read_one(PAIR_RSA, ""));
	assert_true(read_one(PAIR_RSA, ",\"key_ops\":[\"verify\"]"));
	refused(PAIR_RSA, ",\"use\":\"enc\"", "use is not sig");
	refused(PAIR_RSA, ",\"use\":1", "use is not sig");
	refused(PAIR_RSA, ",\"key_ops\":[\"encrypt\"]", "no verify");
	refused(PAIR_RSA, ",\"key_ops\":\"verify\"", "no verify");
	refused(PAIR_RSA, ",\"alg\":\"ES256\"", "alg is not RS256");
	refused(PAIR_RSA, ",\"alg\":\"PS256\"", "alg is not RS256");
	refused(PAIR_RSA, ",\"alg\":\"RS512\"", "alg is not RS256");
	refused(PAIR_RSA, ",\"alg\":\"HS256\"", "alg is not RS256");
	refused(PAIR_RSA, ",\"alg\":null", "alg is not RS256");
	refused(PAIR_EC, ",\"alg\":\"RS256\"", "alg is not ES256");
	refused(PAIR_ED, ",\"alg\":\"ES256\"", "alg is not EdDSA");
	refused(PAIR_EC, ",\"d\":\"AAAA\"", "private part");
	refused(PAIR_EC, ",\"k\":\"AAAA\"", "private part");
	refused(PAIR_EC, ",\"kid\":\"\"", "kid has not 1 to");
	refused(PAIR_EC, ",\"kid\":7", "kid has not 1 to");
}

static void
only_the_algorithms_asked_for(void **state)
{
	Buf json;

	(void) state;
	buf_init(&json);
	pair_jwk(pair[PAIR_RSA], PAIR_RSA, "", &json);
	assert_false(jwt_jwks_read(json.data, json.len, JWT_ALG_BIT(JWT_ES256),
							   &keys, &skipped, &err));
	assert_non_null(strstr(err.text, "not asked for"));
	assert_true(jwt_jwks_read(json.data, json.len, JWT_ALG_BIT(JWT_RS256),
							  &keys, &skipped, &err));
	buf_fini(&json);
}

static void
numbers_that_are_no_key_are_refused(void **state)
{
	static const char *const documents[] = {
		/* 512 bits; an even exponent; exponent 1; a huge exponent */
		"{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"zzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"
		"zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzw\"}",
		"{\"kty\":\"RSA\",\"n\":\"\",\"e\":\"AQAB\"}",
		"{\"kty\":\"RSA\",\"e\":\"AQAB\"}",
		/* not on the curve */
		"{\"kty\":\"EC\",\"crv\":\"P-256\","
		"\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
		"\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
		"{\"kty\":\"EC\",\"crv\":\"P-256\","
		"\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
		"\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a1\"}",
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AQ\",\"y\":\"AQ\"}",
		"{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"AQ\",\"y\":\"AQ\"}",
		"{\"kty\":\"EC\",\"x\":\"AQ\",\"y\":\"AQ\"}",
		"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AQ\"}",
		"{\"kty\":\"OKP\",\"crv\":\"X25519\","
		"\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
		"{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
		"\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo=\"}",
		"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":7}",
		/* points of small order: anybody can sign for them */
		"{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
		"\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
		"{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
		"\"x\":\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
		"{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ\"}",
		"{\"kty\":7}",
		"{\"kty\":\"rsa\"}",
	};

	(void) state;
	for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++)
	{
		if (read_text(documents[i]))
			fail_msg("taken: %s", documents[i]);
		assert_int_equal(keys.count, 0);
	}
}

/* The modulus of our own pair, with exponents that nobody honest has. */
static void
an_exponent_is_small_and_odd(void **state)
{
	static const char *const exponents[] = { "AQ", "Ag", "AQAA", "AQAAAAE",
											 "_____________________w" };

	(void) state;
	for (size_t i = 0; i < sizeof exponents / sizeof exponents[0]; i++)
	{
		Buf json;

		buf_init(&json);
		buf_append_str(&json, "{\"kty\":\"RSA\",\"n\":\"");
		pair_number(pair[PAIR_RSA], OSSL_PKEY_PARAM_RSA_N, 0, &json);
		buf_printf(&json, "\",\"e\":\"%s\"}", exponents[i]);
		if (read_text(json.data))
			fail_msg("taken: e = %s", exponents[i]);
		buf_fini(&json);
	}
}

static void
a_document_that_is_none_is_refused(void **state)
{
	static const char *const documents[] = {
		"",
		"[]",
		"7",
		"{}",
		"{\"keys\":[]}",
		"{\"keys\":{}}",
		"{\"keys\":7}",
		"{\"keys\":[],\"keys\":[]}",
		"{\"keys\":[{}]}",
		"{\"keys\":[[]]}",
		"<html>not found</html>",
	};
	size_t len = JWT_JWKS_MAX_SIZE + 1;
	char *large = malloc(len);

	(void) state;
	for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++)
	{
		if (read_text(documents[i]))
			fail_msg("taken: %s", documents[i]);
	}
	assert_non_null(large);
	memset(large, ' ', len);
	assert_false(
		jwt_jwks_read(large, len, JWT_ALGS_PUBLIC, &keys, &skipped, &err));
	assert_non_null(strstr(err.text, "larger than"));
	free(large);
}

static void
keys_of_one_name_are_few(void **state)
{
	Buf json;

	(void) state;
	buf_init(&json);
	buf_append_str(&json, "{\"keys\":[");
	for (int i = 0; i < 100; i++)
	{
		buf_append_str(&json, i > 0 ? "," : "");
		pair_jwk(pair[PAIR_ED], PAIR_ED, "", &json);
	}
	buf_append_str(&json, "]}");
	assert_true(read_text(json.data));
	assert_int_equal(keys.count, JWT_MAX_SAME_KID);
	assert_int_equal(skipped, 100 - JWT_MAX_SAME_KID);
	buf_fini(&json);
}

static void
write_file(const char *path, const char *text, mode_t mode)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static void
a_file_is_pem_or_json_and_nobody_elses(void **state)
{
	char path[] = "/tmp/chemchat-public-XXXXXX";
	int fd = mkstemp(path);
	Buf text;

	(void) state;
	assert_true(fd >= 0);
	close(fd);
	buf_init(&text);
	pair_pem(pair[PAIR_EC], &text);
	write_file(path, text.data, 0644);
	assert_true(
		jwt_public_keys_load(path, "mine", JWT_ALGS_PUBLIC, &keys, &err));
	assert_string_equal(keys.key[0].kid, "mine");
	assert_false(
		jwt_public_keys_load(path, "", JWT_ALG_BIT(JWT_RS256), &keys, &err));
	write_file(path, text.data, 0664);
	assert_false(jwt_public_keys_load(path, "", JWT_ALGS_PUBLIC, &keys, &err));
	assert_non_null(strstr(err.text, "others may write it"));

	buf_reset(&text);
	buf_append_str(&text, " {\"keys\":[");
	pair_jwk(pair[PAIR_RSA], PAIR_RSA, ",\"kid\":\"a\"", &text);
	buf_append_str(&text, "]}");
	write_file(path, text.data, 0444);
	jwt_keys_wipe(&keys);
	assert_true(jwt_public_keys_load(path, "", JWT_ALGS_PUBLIC, &keys, &err));
	assert_string_equal(keys.key[0].kid, "a");
	assert_false(jwt_public_keys_load(path, "b", JWT_ALGS_PUBLIC, &keys, &err));
	write_file(path, "{\"keys\":[{\"kty\":\"oct\"}]}", 0600);
	assert_false(jwt_public_keys_load(path, "", JWT_ALGS_PUBLIC, &keys, &err));
	write_file(path, "", 0600);
	assert_false(jwt_public_keys_load(path, "", JWT_ALGS_PUBLIC, &keys, &err));
	assert_int_equal(unlink(path), 0);
	assert_false(jwt_public_keys_load(path, "", JWT_ALGS_PUBLIC, &keys, &err));
	buf_fini(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(a_document_has_several_keys),
		WITH(a_key_that_disagrees_with_itself_is_refused),
		WITH(only_the_algorithms_asked_for),
		WITH(numbers_that_are_no_key_are_refused),
		WITH(an_exponent_is_small_and_odd),
		WITH(a_document_that_is_none_is_refused),
		WITH(keys_of_one_name_are_few),
		WITH(a_file_is_pem_or_json_and_nobody_elses),
	};

	return cmocka_run_group_tests(tests, make_pairs, free_pairs);
}
