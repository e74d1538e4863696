/* uses: gateway common/base */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "poll_cursor.h"

#define ID "00000000-0000-7000-8000-00000000000a"

static void
a_cursor_comes_back_as_it_went(void **state)
{
	PollCursor cursor = { .session_id = { { 0x12, 0x34 } },
						  .number = 999999999999999,
						  .position = "7711121911462228141:1:1A/1AD22E0" };
	PollCursor back;
	char text[POLL_CURSOR_SIZE];

	(void) state;
	assert_true(poll_cursor_parse(poll_cursor_format(&cursor, text), &back));
	assert_true(uuid_equal(&back.session_id, &cursor.session_id));
	assert_int_equal(back.number, cursor.number);
	assert_string_equal(back.position, cursor.position);
}

static void
anything_else_is_none(void **state)
{
	static const char *const bad[] = {
		"",
		"x",
		ID,
		ID ".",
		ID ".1",
		ID ".1.",
		ID "..1:1:0/1",
		ID ".x.1:1:0/1",
		ID ".-1.1:1:0/1",
		ID ".1.1:1:0/g",
		ID ".1.1:1:0/1 ",
		ID ".1.1:1",
		ID ".1234567890123456.1:1:0/1",
		"x" ID ".1.1:1:0/1",
	};
	PollCursor cursor;

	(void) state;
	assert_true(poll_cursor_parse(ID ".1.1:1:0/1", &cursor));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		if (poll_cursor_parse(bad[i], &cursor))
			fail_msg("%s", bad[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cursor_comes_back_as_it_went),
		cmocka_unit_test(anything_else_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
