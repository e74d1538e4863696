/* uses: gateway common/base */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "awaited.h"

#define TIME_US ((int64_t) 1000 * AWAITED_MS)

static void
a_commit_comes_back_when_its_time_is_over(void **state)
{
	Awaited *awaited = awaited_new();
	const Uuid id = { { 7 } };
	Uuid got;
	uint64_t ev = 0;

	(void) state;
	assert_false(awaited_next(awaited, 0, &got, &ev));
	awaited_add(awaited, &id, 3, 1000);
	awaited_add(awaited, &id, 4, 2000);
	assert_false(awaited_next(awaited, 999 + TIME_US, &got, &ev));
	assert_true(awaited_next(awaited, 1000 + TIME_US, &got, &ev));
	assert_true(uuid_equal(&got, &id));
	assert_int_equal(ev, 3);
	assert_false(awaited_next(awaited, 1999 + TIME_US, &got, &ev));
	assert_true(awaited_next(awaited, 2000 + TIME_US, &got, &ev));
	assert_int_equal(ev, 4);
	assert_false(awaited_next(awaited, INT64_MAX, &got, &ev));
	awaited_free(&awaited);
}

static void
order_is_kept_while_it_grows_and_there_is_a_bound(void **state)
{
	Awaited *awaited = awaited_new();
	uint64_t in = 0;
	uint64_t out = 0;
	Uuid id = { { 0 } };
	uint64_t ev;

	(void) state;
	while (in < 50)
		awaited_add(awaited, &id, in++, 0);
	while (out < 40)
	{
		assert_true(awaited_next(awaited, TIME_US, &id, &ev));
		assert_int_equal(ev, out++);
	}
	while (in < out + AWAITED_MAX)
		awaited_add(awaited, &id, in++, 0);
	awaited_add(awaited, &id, 12345678, 0);
	while (out < in)
	{
		assert_true(awaited_next(awaited, TIME_US, &id, &ev));
		assert_int_equal(ev, out++);
	}
	assert_false(awaited_next(awaited, TIME_US, &id, &ev));
	awaited_free(&awaited);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_commit_comes_back_when_its_time_is_over),
		cmocka_unit_test(order_is_kept_while_it_grows_and_there_is_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
