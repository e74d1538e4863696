/*
 * pg_loop - what a connection needs of its caller's event loop
 *
 * The library polls nothing and owns no thread.  It asks the loop to watch a
 * descriptor and to call back after a while; the caller implements these six
 * functions once for its loop.  Callbacks come from the loop, never from
 * within one of these functions.
 */
#ifndef CHEMCHAT_PG_LOOP_H
#define CHEMCHAT_PG_LOOP_H

#include <stdbool.h>
#include <stdint.h>

typedef void (*PgReadyFn)(void *arg, bool is_readable, bool is_writable);
typedef void (*PgTimerFn)(void *arg);

typedef struct PgLoop
{
	void *arg;

	/* Begins to watch fd, with nothing wanted yet. */
	void *(*watch_new)(void *arg, int fd, PgReadyFn ready, void *ready_arg);
	void (*watch_want)(void *watch, bool readable, bool writable);

	/* No callback follows.  The descriptor is closed right after. */
	void (*watch_free)(void *watch);

	/* Calls every interval_ms until freed. */
	void *(*timer_new)(void *arg, int64_t interval_ms, PgTimerFn fire,
					   void *fire_arg);
	void (*timer_free)(void *timer);
} PgLoop;

#endif
