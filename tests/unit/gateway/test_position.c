/* uses: gateway common/base */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "position.h"

static void
a_position_survives_its_text(void **state)
{
	static const Position positions[] = {
		{ 7711069413565483615u, 1, UINT64_C(0x19ED648) },
		{ UINT64_MAX, INT32_MAX, UINT64_MAX },
		{ 1, 1, 0 },
	};
	char text[POSITION_TEXT_SIZE];
	Position back;

	(void) state;
	for (size_t i = 0; i < 3; i++)
	{
		assert_true(
			position_parse(position_format(&positions[i], text), &back));
		assert_true(back.system_id == positions[i].system_id);
		assert_true(back.timeline == positions[i].timeline);
		assert_true(back.lsn == positions[i].lsn);
	}
}

static void
nothing_else_is_a_position(void **state)
{
	static const char *const bad[] = {
		"",
		"1",
		"1:1",
		"1:1:",
		"1:1:0",
		"1:1:0/",
		"1:1:/0",
		"1:0:0/0",
		"1:1:0/0 ",
		" 1:1:0/0",
		"-1:1:0/0",
		"1:1:g/0",
		"1:1:a/0",
		"1:1:0/123456789",
		"1:1:0/0:",
		"1:+1:0/0",
		"x:1:0/0",
		"99999999999999999999:1:0/0",
		"1:2147483648:0/0",
	};
	Position position;

	(void) state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		if (position_parse(bad[i], &position))
			fail_msg("accepted: %s", bad[i]);
	}
}

static void
only_one_history_can_be_compared(void **state)
{
	Position now = { 5, 2, 1000 };

	(void) state;
	assert_true(position_is_before(&(Position){ 5, 2, 1000 }, &now));
	assert_true(position_is_before(&(Position){ 5, 2, 1 }, &now));
	assert_false(position_is_before(&(Position){ 5, 2, 1001 }, &now));
	assert_false(position_is_before(&(Position){ 5, 1, 1 }, &now));
	assert_false(position_is_before(&(Position){ 6, 2, 1 }, &now));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_position_survives_its_text),
		cmocka_unit_test(nothing_else_is_a_position),
		cmocka_unit_test(only_one_history_can_be_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
