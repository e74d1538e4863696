#include "uv_pg.h"

#include <stdlib.h>

#include "log.h"
#include "xalloc.h"

typedef struct Watch
{
	uv_poll_t poll;
	PgReadyFn ready;
	void *arg;
	int events;
} Watch;

typedef struct Timer
{
	uv_timer_t timer;
	PgTimerFn fire;
	void *arg;
} Timer;

static void *watch_new(void *arg, int fd, PgReadyFn ready, void *ready_arg);
static void watch_want(void *watch, bool readable, bool writable);
static void watch_free(void *watch);
static void *timer_new(void *arg, int64_t interval_ms, PgTimerFn fire,
					   void *fire_arg);
static void timer_free(void *timer);
static void on_poll(uv_poll_t *poll, int status, int events);
static void on_timer(uv_timer_t *timer);
static void on_closed(uv_handle_t *handle);

PgLoop
uv_pg_loop(uv_loop_t *loop)
{
	PgLoop pg = {
		.arg = loop,
		.watch_new = watch_new,
		.watch_want = watch_want,
		.watch_free = watch_free,
		.timer_new = timer_new,
		.timer_free = timer_free,
	};

	return pg;
}

static void *
watch_new(void *arg, int fd, PgReadyFn ready, void *ready_arg)
{
	Watch *watch = xcalloc(1, sizeof(*watch));

	watch->ready = ready;
	watch->arg = ready_arg;
	watch->poll.data = watch;
	if (uv_poll_init(arg, &watch->poll, fd) != 0)
	{
		log_error("could not watch a descriptor", "fd=%d", fd);
		abort();
	}
	return watch;
}

static void
watch_want(void *arg, bool readable, bool writable)
{
	Watch *watch = arg;
	int events = (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0);

	if (events == watch->events)
		return;
	watch->events = events;
	if (events == 0)
		uv_poll_stop(&watch->poll);
	else
		uv_poll_start(&watch->poll, events, on_poll);
}

static void
watch_free(void *arg)
{
	Watch *watch = arg;

	uv_poll_stop(&watch->poll);
	uv_close((uv_handle_t *) &watch->poll, on_closed);
}

static void *
timer_new(void *arg, int64_t interval_ms, PgTimerFn fire, void *fire_arg)
{
	Timer *timer = xcalloc(1, sizeof(*timer));

	timer->fire = fire;
	timer->arg = fire_arg;
	timer->timer.data = timer;
	uv_timer_init(arg, &timer->timer);
	uv_timer_start(&timer->timer, on_timer, (uint64_t) interval_ms,
				   (uint64_t) interval_ms);
	return timer;
}

static void
timer_free(void *arg)
{
	Timer *timer = arg;

	uv_timer_stop(&timer->timer);
	uv_close((uv_handle_t *) &timer->timer, on_closed);
}

/* A broken socket reads as ready: libpq then finds out why. */
static void
on_poll(uv_poll_t *poll, int status, int events)
{
	Watch *watch = poll->data;

	watch->ready(watch->arg, status != 0 || (events & UV_READABLE) != 0,
				 status != 0 || (events & UV_WRITABLE) != 0);
}

static void
on_timer(uv_timer_t *handle)
{
	Timer *timer = handle->data;

	timer->fire(timer->arg);
}

static void
on_closed(uv_handle_t *handle)
{
	free(handle->data);
}
