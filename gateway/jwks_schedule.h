/*
 * jwks_schedule - when to ask an issuer for its keys again
 *
 * When what it published has aged as long as it said, within a minute and a
 * day; soon, and then ever later, after an answer that was none; and at once
 * for a token signed with a key we do not know, but no oftener than every
 * JWKS_UNKNOWN_S: anybody can make up a key's name.  While the issuer does not
 * answer, its old keys are good for JWKS_GRACE_S longer than they should be.
 *
 * Pure.  Times in microseconds of clock_now_us.
 */
#ifndef CHEMCHAT_JWKS_SCHEDULE_H
#define CHEMCHAT_JWKS_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#define JWKS_AGE_MIN_S     60
#define JWKS_AGE_MAX_S     86400
#define JWKS_AGE_UNSAID_S  3600
#define JWKS_UNKNOWN_S     30
#define JWKS_RETRY_FIRST_S 2
#define JWKS_RETRY_LAST_S  300
#define JWKS_GRACE_S       86400

/* All zeroes: nothing was asked yet, and asking is due. */
typedef struct JwksSchedule
{
	int64_t next_us;
	int64_t unknown_us; /* last asked for an unknown key; 0: never */
	int64_t stale_us;   /* 0: there is nothing yet */
	int failures;       /* in a row */
} JwksSchedule;

bool jwks_schedule_is_due(const JwksSchedule *schedule, int64_t now_us);

/* For an unknown key: may it be asked now?  True counts as asking. */
bool jwks_schedule_ask_unknown(JwksSchedule *schedule, int64_t now_us);

/* The keys that are there are too old to be trusted. */
bool jwks_schedule_is_stale(const JwksSchedule *schedule, int64_t now_us);

/* max_age_s: -1 when the answer did not say. */
void jwks_schedule_answered(JwksSchedule *schedule, int64_t now_us,
							int64_t max_age_s);
void jwks_schedule_failed(JwksSchedule *schedule, int64_t now_us);

#endif
