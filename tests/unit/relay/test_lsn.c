/* uses: relay common/base */
#include "lsn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "property.h"

static void
is_what_postgres_prints(void **state)
{
	static const struct
	{
		uint64_t lsn;
		const char *text;
	} known[] = {
		{ 0, "0/0" },
		{ 1, "0/1" },
		{ UINT64_C(0x16B374D848), "16/B374D848" },
		{ UINT64_C(0x100000000), "1/0" },
		{ UINT64_MAX, "FFFFFFFF/FFFFFFFF" },
	};
	char text[LSN_TEXT_SIZE];

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
	{
		assert_int_equal(lsn_format(known[i].lsn, text), strlen(known[i].text));
		assert_string_equal(text, known[i].text);
	}
}

static void
what_is_printed_is_read(void **state)
{
	Random random = random_begin();

	for (int i = 0; i < 100000; i++)
	{
		uint64_t lsn = random_next(&random) >> (random_next(&random) % 64);
		char text[LSN_TEXT_SIZE];
		char expected[LSN_TEXT_SIZE];
		size_t len = lsn_format(lsn, text);
		uint64_t read;

		snprintf(expected, sizeof(expected), "%X/%X", (uint32_t) (lsn >> 32),
				 (uint32_t) lsn);
		assert_string_equal(text, expected);
		assert_true(lsn_parse(text, len, &read));
		assert_true(read == lsn);
	}
}

static void
nothing_else_is_read(void **state)
{
	static const char *const bad[] = {
		"",     "/",   "0",     "0/",          "/0",          "0//0", "0/0 ",
		" 0/0", "G/0", "0x1/0", "123456789/0", "0/123456789", "-1/0", "0/0/0",
	};
	uint64_t lsn;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(lsn_parse(bad[i], strlen(bad[i]), &lsn));
	assert_false(lsn_parse("0/0", 2, &lsn));
	assert_true(lsn_parse("a/fZ", 3, &lsn));
	assert_true(lsn == UINT64_C(0xa0000000f));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_what_postgres_prints),
		cmocka_unit_test(what_is_printed_is_read),
		cmocka_unit_test(nothing_else_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
