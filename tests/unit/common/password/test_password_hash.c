/* uses: common/password common/base */
#include "password_hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
a_hash_is_of_one_password_and_of_no_other(void **state)
{
	char hash[PASSWORD_HASH_SIZE];
	char again[PASSWORD_HASH_SIZE];

	(void) state;
	assert_true(password_hash("correct horse", 13, hash));
	assert_int_equal(strncmp(hash, "$argon2id$", 10), 0);
	assert_null(strstr(hash, "horse"));
	assert_true(password_is_of(hash, "correct horse", 13));
	assert_false(password_is_of(hash, "correct horse ", 14));
	assert_false(password_is_of(hash, "correct hors", 12));
	assert_false(password_is_of(hash, "", 0));
	assert_true(password_hash("correct horse", 13, again));
	assert_string_not_equal(hash, again); /* a salt of its own */
}

static void
what_is_no_hash_lets_nobody_in(void **state)
{
	static const char *const bad[] = { "", "x", "correct horse", "$argon2id$",
									   "$1$abc$def" };
	char decoy[PASSWORD_HASH_SIZE];

	(void) state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(password_is_of(bad[i], "correct horse", 13));
	assert_true(password_hash_decoy(decoy));
	assert_false(password_is_of(decoy, "", 0));
}

static void
a_password_is_text_of_a_length(void **state)
{
	char large[PASSWORD_MAX_SIZE + 1];
	Error err;

	(void) state;
	memset(large, 'a', sizeof large);
	assert_true(password_check(large, PASSWORD_MAX_SIZE, &err));
	assert_true(password_check(large, PASSWORD_MIN_SIZE, &err));
	assert_true(password_check("p\xc3\xa4ssword", 9, &err));
	assert_false(password_check(large, PASSWORD_MAX_SIZE + 1, &err));
	assert_false(password_check(large, PASSWORD_MIN_SIZE - 1, &err));
	assert_false(password_check("password\n", 9, &err));
	assert_false(password_check("pass\0word", 9, &err));
	assert_false(password_check("password\xff", 9, &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hash_is_of_one_password_and_of_no_other),
		cmocka_unit_test(what_is_no_hash_lets_nobody_in),
		cmocka_unit_test(a_password_is_text_of_a_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
