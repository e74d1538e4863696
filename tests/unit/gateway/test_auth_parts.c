/* uses: gateway common/jwt common/base */
/* pkgs: libcrypto */
/*
 * What auth is made of and what needs no clock, no database and no issuer:
 * the withdrawn, the remembered, and when to ask for keys.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auth_cache.h"
#include "auth_revoked.h"
#include "jwks_schedule.h"

#define SECOND 1000000LL

static Uuid
id_of(uint8_t n)
{
	Uuid id = { { 0 } };

	id.byte[15] = n;
	return id;
}

static Identity
identity_of(uint8_t user, uint8_t token, int64_t issued_s)
{
	return (Identity){ .user_id = id_of(user),
					   .token_id = id_of(token),
					   .issued_us = issued_s * SECOND,
					   .expires_s = 2000 };
}

static void
a_withdrawn_token_is_that_one_alone(void **state)
{
	AuthRevoked *revoked = auth_revoked_new();
	Identity one = identity_of(1, 11, 1000);
	Identity other = identity_of(1, 12, 1000);
	Identity nameless = identity_of(1, 0, 1000);
	Uuid zero = id_of(0);

	(void) state;
	assert_true(auth_revoked_token(revoked, &one.token_id, 2000));
	assert_false(auth_revoked_token(revoked, &one.token_id, 2000));
	assert_true(auth_revoked_has(revoked, &one));
	assert_false(auth_revoked_has(revoked, &other));
	/* whoever has no id is not whoever withdrew none */
	(void) auth_revoked_token(revoked, &zero, 2000);
	assert_false(auth_revoked_has(revoked, &nameless));
	auth_revoked_free(&revoked);
}

static void
a_changed_password_voids_what_is_older(void **state)
{
	AuthRevoked *revoked = auth_revoked_new();
	Identity before = identity_of(1, 11, 1000);
	Identity same = identity_of(1, 12, 1001);
	Identity sooner = identity_of(1, 16, 1000);
	Identity later = identity_of(1, 17, 1000);
	Identity other = identity_of(2, 13, 1000);
	Identity ageless = identity_of(1, 14, 0);
	Identity bot = identity_of(1, 15, 0);

	(void) state;
	bot.is_bot = true;
	assert_true(
		auth_revoked_user(revoked, &before.user_id, 1000 * SECOND + 5, false));
	sooner.issued_us += 4; /* in the same second, and told apart */
	later.issued_us += 5;
	assert_true(auth_revoked_has(revoked, &sooner));
	assert_false(auth_revoked_has(revoked, &later));
	assert_true(auth_revoked_has(revoked, &before));
	assert_false(auth_revoked_has(revoked, &same));
	assert_false(auth_revoked_has(revoked, &other));
	assert_true(auth_revoked_has(revoked, &ageless));
	assert_false(auth_revoked_has(revoked, &bot));
	assert_false(
		auth_revoked_user(revoked, &before.user_id, 1000 * SECOND + 5, false));
	auth_revoked_free(&revoked);
}

static void
a_deactivated_user_is_out_until_she_is_active(void **state)
{
	AuthRevoked *revoked = auth_revoked_new();
	Identity person = identity_of(1, 11, 5000);
	Identity bot = identity_of(1, 12, 0);

	(void) state;
	bot.is_bot = true;
	assert_true(auth_revoked_user(revoked, &person.user_id, 0, true));
	assert_true(auth_revoked_has(revoked, &person));
	assert_true(auth_revoked_has(revoked, &bot));
	assert_true(auth_revoked_user(revoked, &person.user_id, 0, false));
	assert_false(auth_revoked_has(revoked, &person));
	auth_revoked_free(&revoked);
}

static void
a_token_that_has_ended_is_forgotten(void **state)
{
	AuthRevoked *revoked = auth_revoked_new();
	Identity last = identity_of(1, 199, 1000);

	(void) state;
	for (int i = 1; i < 200; i++)
	{
		Uuid id = id_of((uint8_t) i);

		(void) auth_revoked_token(revoked, &id, 1000 + i);
	}
	assert_int_equal(auth_revoked_count(revoked), 199);
	auth_revoked_forget(revoked, 1100);
	assert_int_equal(auth_revoked_count(revoked), 100);
	assert_true(auth_revoked_has(revoked, &last));
	auth_revoked_free(&revoked);
}

static void
what_is_remembered_grows_old(void **state)
{
	AuthCache *cache = auth_cache_new(100, 2 * SECOND);
	Identity identity = identity_of(1, 11, 0);
	const Identity *found = NULL;
	uint8_t hash[SHA256_SIZE];
	uint8_t other[SHA256_SIZE];

	(void) state;
	sha256_of("one", 3, hash);
	sha256_of("two", 3, other);
	assert_false(auth_cache_get(cache, hash, 0, &found));
	auth_cache_put(cache, hash, 0, &identity);
	auth_cache_put(cache, other, 0, NULL);
	assert_true(auth_cache_get(cache, hash, 2 * SECOND - 1, &found));
	assert_true(uuid_equal(&found->user_id, &identity.user_id));
	assert_true(auth_cache_get(cache, other, SECOND, &found));
	assert_null(found);
	assert_false(auth_cache_get(cache, hash, 2 * SECOND, &found));

	/* half of the hash is no proof */
	other[31] ^= 1;
	assert_false(auth_cache_get(cache, other, SECOND, &found));
	auth_cache_free(&cache);
}

static void
what_is_remembered_is_bounded(void **state)
{
	AuthCache *cache = auth_cache_new(100, 2 * SECOND);
	const Identity *found;
	int kept = 0;

	(void) state;
	for (int i = 0; i < 10000; i++)
	{
		uint8_t hash[SHA256_SIZE];

		sha256_of(&i, sizeof i, hash);
		auth_cache_put(cache, hash, 0, NULL);
		assert_true(auth_cache_get(cache, hash, 0, &found));
	}
	for (int i = 0; i < 10000; i++)
	{
		uint8_t hash[SHA256_SIZE];

		sha256_of(&i, sizeof i, hash);
		kept += auth_cache_get(cache, hash, 0, &found);
	}
	assert_true(kept >= 1 && kept <= 100);
	auth_cache_free(&cache);
}

static void
keys_are_asked_for_when_they_have_aged(void **state)
{
	static const struct
	{
		int64_t said_s;
		int64_t after_s;
	} cases[] = {
		{ -1, JWKS_AGE_UNSAID_S }, { 0, JWKS_AGE_MIN_S },
		{ 59, JWKS_AGE_MIN_S },    { 300, 300 },
		{ 86400, JWKS_AGE_MAX_S }, { 10LL * 365 * 86400, JWKS_AGE_MAX_S },
	};

	(void) state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
	{
		JwksSchedule schedule = { 0 };
		int64_t now_us = 77 * SECOND;
		int64_t due_us = now_us + cases[i].after_s * SECOND;

		assert_true(jwks_schedule_is_due(&schedule, now_us));
		jwks_schedule_answered(&schedule, now_us, cases[i].said_s);
		assert_false(jwks_schedule_is_due(&schedule, due_us - 1));
		assert_true(jwks_schedule_is_due(&schedule, due_us));
		assert_false(
			jwks_schedule_is_stale(&schedule,
								   due_us + JWKS_GRACE_S * SECOND - 1));
		assert_true(
			jwks_schedule_is_stale(&schedule, due_us + JWKS_GRACE_S * SECOND));
	}
}

static void
an_issuer_that_is_away_is_asked_ever_later(void **state)
{
	JwksSchedule schedule = { 0 };
	int64_t now_us = SECOND;
	int64_t before_us = 0;

	(void) state;
	jwks_schedule_answered(&schedule, now_us, 60);
	now_us = schedule.next_us;
	for (int i = 0; i < 100; i++)
	{
		int64_t stale_us = schedule.stale_us;

		jwks_schedule_failed(&schedule, now_us);
		assert_true(schedule.next_us - now_us >= before_us);
		assert_true(schedule.next_us - now_us <= JWKS_RETRY_LAST_S * SECOND);
		assert_int_equal(schedule.stale_us, stale_us);
		before_us = schedule.next_us - now_us;
		now_us = schedule.next_us;
	}
	assert_int_equal(before_us, JWKS_RETRY_LAST_S * SECOND);
	jwks_schedule_answered(&schedule, now_us, 60);
	jwks_schedule_failed(&schedule, now_us);
	assert_int_equal(schedule.next_us - now_us, JWKS_RETRY_FIRST_S * SECOND);
}

static void
made_up_keys_make_nobody_ask_often(void **state)
{
	JwksSchedule schedule = { 0 };
	int asked = 0;

	(void) state;
	jwks_schedule_answered(&schedule, SECOND, 3600);
	for (int64_t now_us = SECOND; now_us < 301 * SECOND; now_us += SECOND / 10)
		asked += jwks_schedule_ask_unknown(&schedule, now_us);
	assert_int_equal(asked, 300 / JWKS_UNKNOWN_S);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_withdrawn_token_is_that_one_alone),
		cmocka_unit_test(a_changed_password_voids_what_is_older),
		cmocka_unit_test(a_deactivated_user_is_out_until_she_is_active),
		cmocka_unit_test(a_token_that_has_ended_is_forgotten),
		cmocka_unit_test(what_is_remembered_grows_old),
		cmocka_unit_test(what_is_remembered_is_bounded),
		cmocka_unit_test(keys_are_asked_for_when_they_have_aged),
		cmocka_unit_test(an_issuer_that_is_away_is_asked_ever_later),
		cmocka_unit_test(made_up_keys_make_nobody_ask_often),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
