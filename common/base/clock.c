#include "clock.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

static atomic_bool is_frozen;
static _Atomic int64_t frozen_now_us;
static _Atomic int64_t frozen_wall_us;

static int64_t read_us(clockid_t id);

int64_t
clock_now_us(void)
{
	if (atomic_load_explicit(&is_frozen, memory_order_acquire))
		return atomic_load(&frozen_now_us);
	return read_us(CLOCK_MONOTONIC);
}

int64_t
clock_wall_us(void)
{
	if (atomic_load_explicit(&is_frozen, memory_order_acquire))
		return atomic_load(&frozen_wall_us);
	return read_us(CLOCK_REALTIME);
}

void
clock_set(int64_t now_us, int64_t wall_us)
{
	atomic_store(&frozen_now_us, now_us);
	atomic_store(&frozen_wall_us, wall_us);
	atomic_store_explicit(&is_frozen, true, memory_order_release);
}

void
clock_unset(void)
{
	atomic_store_explicit(&is_frozen, false, memory_order_release);
}

char *
clock_format(int64_t wall_us, char *buf)
{
	/* floored, so that times before 1970 keep a positive fraction */
	int64_t fraction = ((wall_us % 1000000) + 1000000) % 1000000;
	time_t seconds = (time_t) ((wall_us - fraction) / 1000000);
	struct tm utc;
	size_t len = 0;

	if (gmtime_r(&seconds, &utc) != NULL)
		len = strftime(buf, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &utc);
	(void) snprintf(buf + len, CLOCK_TEXT_SIZE - len, ".%06dZ", (int) fraction);
	return buf;
}

static int64_t
read_us(clockid_t id)
{
	struct timespec now;

	/* both clocks always exist on Linux */
	(void) clock_gettime(id, &now);
	return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}
