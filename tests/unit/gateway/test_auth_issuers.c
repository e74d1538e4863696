/* uses: gateway common/jwt common/http common/base */
/* pkgs: libcrypto libuv */
/*
 * The file of issuers: what it may say, and how a mistake in it is named.
 */
#include "auth_issuers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define KEY                                                                    \
	"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"a\","                      \
	"\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}"
#define WHO "\"issuer\":\"https://id.example/\",\"audience\":\"chemchat\""

static char dir[] = "/tmp/chemchat-issuers-XXXXXX";
static char path[64];
static Error err;

static void
write_file(const char *name, const char *text)
{
	char full[96];
	FILE *file;

	(void) snprintf(full, sizeof full, "%s/%s", dir, name);
	file = fopen(full, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(full, 0644), 0);
}

static int
make_dir(void **state)
{
	(void) state;
	if (mkdtemp(dir) == NULL)
		return -1;
	(void) snprintf(path, sizeof path, "%s/issuers.json", dir);
	write_file("key.json", KEY);
	return 0;
}

static int
remove_dir(void **state)
{
	char full[96];

	(void) state;
	(void) snprintf(full, sizeof full, "%s/key.json", dir);
	(void) unlink(full);
	(void) unlink(path);
	return rmdir(dir);
}

static bool
read_text(const char *text, AuthIssuers **issuers)
{
	bool is_read;

	write_file("issuers.json", text);
	*issuers = auth_issuers_new();
	is_read = auth_issuers_read(*issuers, path, &err);
	return is_read;
}

static void
each_issuer_is_read(void **state)
{
	AuthIssuers *issuers;

	(void) state;
	if (!read_text(
			"{\"issuers\":[{" WHO ",\"jwks_url\":"
			"\"https://id.example/keys\",\"algorithms\":[\"ES256\"]},{" WHO
			",\"key_files\":[\"key.json\"],"
			"\"handle_claim\":\"preferred_username\"},{" WHO
			",\"key_files\":[{\"file\":\"key.json\"}],"
			"\"user_id_claim\":\"chat_id\"}]}",
			&issuers))
		fail_msg("%s", err.text);
	assert_int_equal(issuers->count, 3);
	assert_string_equal(issuers->list[0].jwks_url, "https://id.example/keys");
	assert_int_equal(issuers->list[0].algs, JWT_ALG_BIT(JWT_ES256));
	assert_null(issuers->list[0].claim);
	assert_int_equal(issuers->list[1].keys.count, 1);
	assert_true(issuers->list[1].is_handle);
	assert_string_equal(issuers->list[1].claim, "preferred_username");
	assert_int_equal(issuers->list[1].algs, JWT_ALGS_PUBLIC);
	assert_false(issuers->list[2].is_handle);
	assert_string_equal(issuers->list[2].claim, "chat_id");
	auth_issuers_free(&issuers);
	assert_null(issuers);
}

static void
a_mistake_is_named_with_its_place(void **state)
{
	static const char *const cases[][2] = {
		{ "", "is empty" },
		{ "{", "issuers.json\":1: " },
		{ "{\n\"issuers\":[],\n\"issuers\":[]}", "issuers.json\":3: " },
		{ "[]", "no list of \"issuers\"" },
		{ "{\"issuers\":[]}", "no list of \"issuers\"" },
		{ "{\"issuers\":[7]}", "issuers[0]: is no object" },
		{ "{\"issuers\":[{" WHO "}],\"isuers\":1}",
		  "there is no setting \"isuers\"" },
		{ "{\"issuers\":[{" WHO ",\"key_file\":\"x\"}]}",
		  "issuers[0]: there is no setting \"key_file\"" },
		{ "{\"issuers\":[{\"issuer\":\"i\"}]}",
		  "issuers[0]: audience: is missing" },
		{ "{\"issuers\":[{\"audience\":\"i\"}]}",
		  "issuers[0]: issuer: is missing" },
		{ "{\"issuers\":[{\"issuer\":7,\"audience\":\"a\"}]}",
		  "issuer: is no text" },
		{ "{\"issuers\":[{" WHO "}]}", "needs either jwks_url or key_files" },
		{ "{\"issuers\":[{" WHO ",\"jwks_url\":\"https://id.example/\","
		  "\"key_files\":[\"key.json\"]}]}",
		  "needs either jwks_url or key_files" },
		{ "{\"issuers\":[{" WHO ",\"jwks_url\":\"http://id.example/\"}]}",
		  "issuers[0]: jwks_url: http:// is only for this machine" },
		{ "{\"issuers\":[{" WHO ",\"jwks_url\":\"https://id.example/\","
		  "\"algorithms\":[\"HS256\"]}]}",
		  "algorithms: are RS256, ES256, EdDSA" },
		{ "{\"issuers\":[{" WHO ",\"jwks_url\":\"https://id.example/\","
		  "\"algorithms\":[]}]}",
		  "algorithms: is no list" },
		{ "{\"issuers\":[{" WHO ",\"jwks_url\":\"https://id.example/\","
		  "\"algorithms\":\"RS256\"}]}",
		  "algorithms: is no list" },
		{ "{\"issuers\":[{" WHO ",\"key_files\":[\"key.json\"],"
		  "\"algorithms\":[\"RS256\"]}]}",
		  "not asked for" },
		{ "{\"issuers\":[{" WHO ",\"key_files\":[]}]}",
		  "key_files: is no list" },
		{ "{\"issuers\":[{" WHO ",\"key_files\":[7]}]}",
		  "key_files[0]: is neither" },
		{ "{\"issuers\":[{" WHO ",\"key_files\":[\"nowhere\"]}]}",
		  "could not open" },
		{ "{\"issuers\":[{" WHO ",\"key_files\":[\"key.json\"],"
		  "\"user_id_claim\":\"a\",\"handle_claim\":\"b\"}]}",
		  "handle_claim: user_id_claim is there too" },
	};

	(void) state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		AuthIssuers *issuers;

		if (read_text(cases[i][0], &issuers))
			fail_msg("taken: %s", cases[i][0]);
		if (strstr(err.text, cases[i][1]) == NULL)
			fail_msg("\"%s\" does not say \"%s\"", err.text, cases[i][1]);
		auth_issuers_free(&issuers);
	}
}

static void
a_file_that_others_may_write_is_not_believed(void **state)
{
	AuthIssuers *issuers;

	(void) state;
	assert_true(read_text("{\"issuers\":[{" WHO
						  ",\"jwks_url\":\"https://id.example/\"}]}",
						  &issuers));
	auth_issuers_free(&issuers);
	assert_int_equal(chmod(path, 0666), 0);
	issuers = auth_issuers_new();
	assert_false(auth_issuers_read(issuers, path, &err));
	assert_non_null(strstr(err.text, "others may write it (mode 0666)"));
	auth_issuers_free(&issuers);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_issuer_is_read),
		cmocka_unit_test(a_mistake_is_named_with_its_place),
		cmocka_unit_test(a_file_that_others_may_write_is_not_believed),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
