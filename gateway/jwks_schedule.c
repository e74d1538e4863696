#include "jwks_schedule.h"

#define US 1000000LL

bool
jwks_schedule_is_due(const JwksSchedule *schedule, int64_t now_us)
{
	return now_us >= schedule->next_us;
}

bool
jwks_schedule_ask_unknown(JwksSchedule *schedule, int64_t now_us)
{
	if (schedule->unknown_us != 0 &&
		now_us - schedule->unknown_us < JWKS_UNKNOWN_S * US)
		return false;
	schedule->unknown_us = now_us;
	return true;
}

bool
jwks_schedule_is_stale(const JwksSchedule *schedule, int64_t now_us)
{
	return schedule->stale_us != 0 && now_us >= schedule->stale_us;
}

void
jwks_schedule_answered(JwksSchedule *schedule, int64_t now_us,
					   int64_t max_age_s)
{
	int64_t age_s = max_age_s < 0 ? JWKS_AGE_UNSAID_S : max_age_s;

	if (age_s < JWKS_AGE_MIN_S)
		age_s = JWKS_AGE_MIN_S;
	if (age_s > JWKS_AGE_MAX_S)
		age_s = JWKS_AGE_MAX_S;
	schedule->failures = 0;
	schedule->next_us = now_us + age_s * US;
	schedule->stale_us = schedule->next_us + JWKS_GRACE_S * US;
}

void
jwks_schedule_failed(JwksSchedule *schedule, int64_t now_us)
{
	int64_t wait_s = JWKS_RETRY_LAST_S;

	if (schedule->failures < 16)
		wait_s = (int64_t) JWKS_RETRY_FIRST_S << schedule->failures;
	if (wait_s > JWKS_RETRY_LAST_S)
		wait_s = JWKS_RETRY_LAST_S;
	schedule->failures++;
	schedule->next_us = now_us + wait_s * US;
}
