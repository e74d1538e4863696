#include "user_limits.h"

#include <stdlib.h>

#include "uuid_map.h"
#include "xalloc.h"

#define SWEEP_MIN 1024

struct UserLimits
{
	UuidMap *map;
	size_t sweep_at; /* as many as this: look for those to forget */
};

static void sweep(UserLimits *limits, int64_t now_us);

UserLimits *
user_limits_new(void)
{
	UserLimits *limits = xcalloc(1, sizeof(*limits));

	limits->map = uuid_map_new();
	limits->sweep_at = SWEEP_MIN;
	return limits;
}

void
user_limits_free(UserLimits **limits)
{
	size_t cursor = 0;
	void *value;
	Uuid key;

	if (*limits == NULL)
		return;
	while (uuid_map_next((*limits)->map, &cursor, &key, &value))
		free(value);
	uuid_map_free(&(*limits)->map);
	free(*limits);
	*limits = NULL;
}

size_t
user_limits_count(const UserLimits *limits)
{
	return uuid_map_count(limits->map);
}

UserLimit *
user_limits_of(UserLimits *limits, const Uuid *user_id, int64_t now_us)
{
	UserLimit *limit = uuid_map_get(limits->map, user_id);

	if (limit != NULL)
		return limit;
	if (uuid_map_count(limits->map) >= limits->sweep_at)
		sweep(limits, now_us);
	limit = xcalloc(1, sizeof(*limit));
	uuid_map_put(limits->map, user_id, limit);
	return limit;
}

/* Twice as many as are left may come before the next look. */
static void
sweep(UserLimits *limits, int64_t now_us)
{
	size_t cursor = 0;
	void *value;
	Uuid key;

	while (uuid_map_next(limits->map, &cursor, &key, &value))
	{
		const UserLimit *limit = value;

		if (limit->sends.full_at_us > now_us ||
			limit->requests.full_at_us > now_us)
			continue;
		uuid_map_remove(limits->map, &key);
		free(value);
	}
	limits->sweep_at = 2 * uuid_map_count(limits->map);
	if (limits->sweep_at < SWEEP_MIN)
		limits->sweep_at = SWEEP_MIN;
}
