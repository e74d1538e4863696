/* uses: gateway common/base */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rate_limit.h"

static const RateRule rule = { .per_second = 20, .burst = 40 };

static void
a_full_bucket_holds_the_burst(void **state)
{
	RateLimit limit = { 0 };
	int64_t retry_ms;

	(void) state;
	for (int i = 0; i < 40; i++)
		assert_true(rate_limit_take(&limit, &rule, 1000000, &retry_ms));
	assert_false(rate_limit_take(&limit, &rule, 1000000, &retry_ms));
	assert_int_equal(retry_ms, 50);
}

static void
the_wait_it_names_is_enough_and_not_more(void **state)
{
	RateLimit limit = { 0 };
	int64_t now_us = 5000000;
	int64_t retry_ms;

	(void) state;
	while (rate_limit_take(&limit, &rule, now_us, &retry_ms))
		;
	assert_false(rate_limit_take(&limit, &rule, now_us + retry_ms * 1000 - 1000,
								 &retry_ms));
	retry_ms++;
	assert_true(rate_limit_take(&limit, &rule, now_us + 50000, &retry_ms));
	assert_int_equal(retry_ms, 0);
}

static void
over_a_minute_no_more_than_the_rate_passes(void **state)
{
	RateLimit limit = { 0 };
	int64_t retry_ms;
	int passed = 0;

	(void) state;
	for (int64_t now_us = 0; now_us < 60000000; now_us += 1000)
		passed += rate_limit_take(&limit, &rule, now_us, &retry_ms);
	assert_in_range(passed, 40 + 20 * 60 - 2, 40 + 20 * 60);
}

static void
no_rate_is_no_limit(void **state)
{
	RateRule none = { .per_second = 0, .burst = 1 };
	RateLimit limit = { 0 };
	int64_t retry_ms;

	(void) state;
	for (int i = 0; i < 1000; i++)
		assert_true(rate_limit_take(&limit, &none, 1, &retry_ms));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_bucket_holds_the_burst),
		cmocka_unit_test(the_wait_it_names_is_enough_and_not_more),
		cmocka_unit_test(over_a_minute_no_more_than_the_rate_passes),
		cmocka_unit_test(no_rate_is_no_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
