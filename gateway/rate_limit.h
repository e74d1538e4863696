/*
 * rate_limit - a bucket of tokens
 *
 * Holds up to `burst` tokens and gains `per_second` of them; each request
 * takes one.  Kept as the time at which the bucket would be full, so it is
 * eight bytes and never has to be refilled.
 *
 * Pure: the caller says what time it is.
 */
#ifndef CHEMCHAT_RATE_LIMIT_H
#define CHEMCHAT_RATE_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

typedef struct RateLimit
{
	int64_t full_at_us; /* 0: full since ever */
} RateLimit;

typedef struct RateRule
{
	int64_t per_second; /* 0: no limit */
	int64_t burst;
} RateRule;

/*
 * Takes a token.  Without one: false, and *retry_after_ms says when there
 * will be one (at least 1).
 */
bool rate_limit_take(RateLimit *limit, const RateRule *rule, int64_t now_us,
					 int64_t *retry_after_ms);

#endif
