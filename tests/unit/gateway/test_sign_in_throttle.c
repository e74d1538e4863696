/* uses: gateway common/jwt common/base */
/* pkgs: libcrypto */
#include "sign_in_throttle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND 1000000LL
#define HOUR   (3600 * SECOND)

static SignInThrottle *throttle;
static int64_t now_us;

static int
begin(void **state)
{
	(void) state;
	throttle = sign_in_throttle_new();
	now_us = 1000 * HOUR;
	return 0;
}

static int
end(void **state)
{
	(void) state;
	sign_in_throttle_free(&throttle);
	return 0;
}

static int64_t
attempt(const char *handle, const char *address)
{
	return sign_in_throttle_begin(throttle, handle, strlen(handle), address,
								  now_us);
}

static void
good(const char *handle, const char *address)
{
	sign_in_throttle_good(throttle, handle, strlen(handle), address, now_us);
}

/* How many of so many pass at this moment: from one address, or from many. */
static int
pass(int most, const char *handle, bool is_from_many)
{
	int passed = 0;

	for (int i = 0; i < most; i++)
	{
		char address[64] = "192.0.2.1";

		if (is_from_many)
			(void) snprintf(address, sizeof address, "10.0.%d.%d", i / 200,
							i % 200);
		passed += attempt(handle, address) == 0;
	}
	return passed;
}

static void
a_few_are_free_then_each_waits_longer(void **state)
{
	int64_t before_ms = 0;

	(void) state;
	for (int i = 0; i < SIGN_IN_FREE_PAIR + 1; i++)
		assert_int_equal(attempt("alice", "192.0.2.1"), 0);
	for (int i = 0; i < 8; i++)
	{
		int64_t wait_ms = attempt("alice", "192.0.2.1");

		assert_true(wait_ms > before_ms);
		assert_true(wait_ms <= 900 * 1000);
		before_ms = wait_ms;
		now_us += (wait_ms - 1) * 1000;
		assert_true(attempt("alice", "192.0.2.1") > 0);
		now_us += 1000;
		assert_int_equal(attempt("alice", "192.0.2.1"), 0);
	}
}

static void
what_is_refused_does_not_count(void **state)
{
	int64_t wait_ms;

	(void) state;
	for (int i = 0; i < SIGN_IN_FREE_PAIR + 1; i++)
		assert_int_equal(attempt("alice", "192.0.2.1"), 0);
	wait_ms = attempt("alice", "192.0.2.1");
	for (int i = 0; i < 1000; i++)
		assert_int_equal(attempt("alice", "192.0.2.1"), wait_ms);
}

static void
a_thousand_at_once_are_a_thousand(void **state)
{
	(void) state;
	assert_int_equal(pass(1000, "alice", false), SIGN_IN_FREE_PAIR + 1);
}

static void
a_handle_is_guarded_against_many_addresses(void **state)
{
	(void) state;
	assert_int_equal(pass(1000, "alice", true), SIGN_IN_FREE_HANDLE + 1);
	/* not for ever: within a minute one more passes */
	now_us += 61 * SECOND;
	assert_int_equal(attempt("alice", "192.0.2.77"), 0);
}

static void
an_address_is_guarded_over_many_handles(void **state)
{
	int passed = 0;

	(void) state;
	for (int i = 0; i < 1000; i++)
	{
		char handle[16];

		(void) snprintf(handle, sizeof handle, "user%d", i);
		passed += attempt(handle, "192.0.2.1") == 0;
	}
	assert_int_equal(passed, SIGN_IN_FREE_ADDRESS + 1);
	assert_int_equal(attempt("user1", "192.0.2.2"), 0);
}

static void
whoever_got_in_is_not_kept_out_by_others(void **state)
{
	(void) state;
	assert_int_equal(attempt("alice", "192.0.2.1"), 0);
	good("alice", "192.0.2.1");
	(void) pass(1000, "alice", true);
	assert_true(attempt("alice", "198.51.100.1") > 0);
	assert_int_equal(attempt("alice", "192.0.2.1"), 0);
}

static void
a_right_password_takes_its_count_back(void **state)
{
	(void) state;
	for (int i = 0; i < 1000; i++)
	{
		assert_int_equal(attempt("alice", "192.0.2.1"), 0);
		good("alice", "192.0.2.1");
	}
}

static void
counts_run_down(void **state)
{
	(void) state;
	(void) pass(100, "alice", false);
	now_us += 24 * HOUR;
	assert_int_equal(pass(100, "alice", false), SIGN_IN_FREE_PAIR + 1);
}

static void
ipv6_counts_by_its_network(void **state)
{
	int passed = 0;

	(void) state;
	for (int i = 0; i < 1000; i++)
	{
		char address[64];
		char handle[16];

		(void) snprintf(address, sizeof address, "2001:db8:1:2::%x", i + 1);
		(void) snprintf(handle, sizeof handle, "user%d", i);
		passed += attempt(handle, address) == 0;
	}
	assert_int_equal(passed, SIGN_IN_FREE_ADDRESS + 1);
	assert_int_equal(attempt("alice", "2001:db8:1:3::1"), 0);
}

/* Nobody is forgotten because many others came meanwhile. */
static void
strangers_take_no_count_away(void **state)
{
	(void) state;
	assert_int_equal(pass(100, "alice", false), SIGN_IN_FREE_PAIR + 1);
	for (int i = 0; i < SIGN_IN_ENTRIES_MAX / 5; i++)
	{
		char text[2][64];

		(void) snprintf(text[0], sizeof text[0], "user%d", i);
		(void) snprintf(text[1], sizeof text[1], "10.%d.%d.%d", i >> 16,
						i >> 8 & 255, i & 255);
		assert_int_equal(attempt(text[0], text[1]), 0);
	}
	assert_true(attempt("alice", "192.0.2.1") > 0);
}

/* Handles and addresses that others choose are neither kept nor confused. */
static void
strangers_fill_no_memory(void **state)
{
	char handle[400];

	(void) state;
	for (int i = 0; i < 3 * SIGN_IN_ENTRIES_MAX; i++)
	{
		char address[64];

		(void) snprintf(handle, sizeof handle, "user%d", i);
		(void) snprintf(address, sizeof address, "10.%d.%d.%d", i >> 16,
						i >> 8 & 255, i & 255);
		assert_int_equal(attempt(handle, address), 0);
	}
	memset(handle, 'x', sizeof handle - 1);
	handle[sizeof handle - 1] = '\0';
	assert_int_equal(attempt(handle, "192.0.2.1"), 0);
	assert_int_equal(attempt("a", "1192.0.2.1"), 0);
	assert_int_equal(attempt("a1", "192.0.2.1"), 0);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(a_few_are_free_then_each_waits_longer),
		EACH(what_is_refused_does_not_count),
		EACH(a_thousand_at_once_are_a_thousand),
		EACH(a_handle_is_guarded_against_many_addresses),
		EACH(an_address_is_guarded_over_many_handles),
		EACH(whoever_got_in_is_not_kept_out_by_others),
		EACH(a_right_password_takes_its_count_back),
		EACH(counts_run_down),
		EACH(ipv6_counts_by_its_network),
		EACH(strangers_take_no_count_away),
		EACH(strangers_fill_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
