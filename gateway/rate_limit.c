#include "rate_limit.h"

bool
rate_limit_take(RateLimit *limit, const RateRule *rule, int64_t now_us,
				int64_t *retry_after_ms)
{
	int64_t token_us;
	int64_t full_at_us;
	int64_t missing_us;

	*retry_after_ms = 0;
	if (rule->per_second <= 0)
		return true;
	token_us = 1000000 / rule->per_second;
	full_at_us = limit->full_at_us > now_us ? limit->full_at_us : now_us;
	missing_us = full_at_us + token_us - now_us - rule->burst * token_us;
	if (missing_us > 0)
	{
		*retry_after_ms = (missing_us + 999) / 1000;
		return false;
	}
	limit->full_at_us = full_at_us + token_us;
	return true;
}
