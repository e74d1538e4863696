/*
 * uv_pg - common/pg on a libuv loop
 *
 * Watches and timers of one PgLoop; their memory is given back by the loop's
 * close callbacks, so it has to run once more after the last is freed.
 */
#ifndef CHEMCHAT_UV_PG_H
#define CHEMCHAT_UV_PG_H

#include <uv.h>

#include "pg_loop.h"

/* loop is borrowed as long as connections live. */
PgLoop uv_pg_loop(uv_loop_t *loop);

#endif
