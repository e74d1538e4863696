/* uses: gateway common/base */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "admission.h"

static void
what_is_below_the_bound_waits_its_turn(void **state)
{
	Admission admission = { .reads_max = 10, .entries_max = 5 };
	int64_t retry_ms = -1;

	(void) state;
	assert_true(admission_read(&admission, 9, &retry_ms));
	assert_int_equal(retry_ms, 0);
	assert_true(admission_entry(&admission, 4, &retry_ms));
	assert_false(admission_read(&admission, 10, &retry_ms));
	assert_false(admission_entry(&admission, 5, &retry_ms));
	assert_int_equal(admission.reads_refused, 1);
	assert_int_equal(admission.entries_refused, 1);
}

static void
who_is_sent_away_does_not_come_back_with_the_others(void **state)
{
	Admission admission = { 0 };
	int early = 0;

	(void) state;
	for (int i = 0; i < 1000; i++)
	{
		int64_t retry_ms;

		assert_false(admission_entry(&admission, 0, &retry_ms));
		assert_in_range(retry_ms, ADMISSION_RETRY_MS,
						ADMISSION_RETRY_MS + ADMISSION_SPREAD_MS - 1);
		early += retry_ms < ADMISSION_RETRY_MS + ADMISSION_SPREAD_MS / 4;
	}
	assert_in_range(early, 150, 350);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_below_the_bound_waits_its_turn),
		cmocka_unit_test(who_is_sent_away_does_not_come_back_with_the_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
