/* uses: common/pg common/base */
#include "pg_conninfo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void
what_libpq_takes_is_good(void **state)
{
	Error err;

	assert_true(pg_conninfo_check("chat", &err));
	assert_true(pg_conninfo_check("host=/tmp dbname=chat", &err));
	assert_true(pg_conninfo_check("postgresql://a:b@[::1]:5432/chat", &err));
	assert_true(
		pg_conninfo_check("postgres://a@h1,h2/chat?sslmode=require", &err));
}

static void
what_it_does_not_take_is_not_repeated(void **state)
{
	static const char *const bad[] = { "postgresql://x:s3cret@[bad/chat",
									   "postgresql://x:s3cret@h/chat?n",
									   "host=h password='s3cret dbname=chat",
									   "passwort=s3cret dbname=chat",
									   "dbname=chat s3cret" };
	Error err;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		assert_false(pg_conninfo_check(bad[i], &err));
		assert_non_null(strstr(err.text, "cannot be read"));
		assert_null(strstr(err.text, "s3cret"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_libpq_takes_is_good),
		cmocka_unit_test(what_it_does_not_take_is_not_repeated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
