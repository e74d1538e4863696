/*
 * redis_conn - a connection to one Redis, on anybody's loop
 *
 * Our own non-blocking socket (TCP or unix) with hiredis as the codec, RESP2.
 * It looks after itself: name look-up, connect, AUTH, SELECT, a PING that must
 * be answered before it calls itself ready, a PING whenever nothing was heard
 * for ping_ms, and the end of the connection when then nothing comes for
 * dead_ms (a stopped server accepts and never answers).  After a failure it
 * tries again for ever: exponential backoff with full jitter between
 * backoff_min_ms and backoff_max_ms, begun anew by a ready connection.
 *
 * The loop waits for redis_conn_events on redis_conn_fd until
 * redis_conn_deadline_us, then calls redis_conn_turn.  Everything happens in
 * there, callbacks too; commands may be given in between.
 *
 * Commands are pipelined; replies come in order, each to its callback.  What
 * does not fit max_out_bytes or max_pending is refused: the newest is dropped,
 * the caller knows.  When the connection ends, the callback of every command
 * under way is called with NULL: it may or may not have been done.
 *
 * With is_subscriber only [S]SUBSCRIBE (one channel each) and PING may be
 * sent; messages go to on_push.
 *
 * A cluster (slot map, MOVED) can come behind this header's users: a keyed
 * command would choose among several of these.
 *
 * One thread.  Never blocks.  Does not log: on_down says why.
 */
#ifndef CHEMCHAT_REDIS_CONN_H
#define CHEMCHAT_REDIS_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "redis_url.h"
#include "redis_value.h"

typedef struct RedisConn RedisConn;

/* reply: borrowed; NULL when the connection ended before it came. */
typedef void (*RedisReplyFn)(void *arg, const RedisValue *reply);

/* Any may be NULL.  None may free the connection. */
typedef struct RedisCallbacks
{
	void (*on_ready)(void *arg);

	/* why: one line.  retry_ms: until the next try. */
	void (*on_down)(void *arg, const char *why, int64_t retry_ms);

	/* A message or smessage; all borrowed. */
	void (*on_push)(void *arg, const char *channel, size_t channel_len,
					const char *payload, size_t payload_len);

	/* Before a descriptor that redis_conn_fd gave is closed. */
	void (*on_close_fd)(void *arg, int fd);
} RedisCallbacks;

typedef struct RedisConnOptions
{
	const char *name; /* for CLIENT SETNAME; borrowed, static */
	bool is_subscriber;
	int64_t connect_ms; /* look-up to first PING's answer */
	int64_t ping_ms;
	int64_t dead_ms;
	int64_t backoff_min_ms;
	int64_t backoff_max_ms;
	size_t max_out_bytes; /* written by nobody yet */
	size_t max_pending;   /* commands without their reply */
	size_t max_reply_bytes;
} RedisConnOptions;

/* 2 s, 1 s, 2 s, 50 ms .. 2 s, 8 MiB, 16,384 commands, 16 MiB. */
extern const RedisConnOptions redis_conn_defaults;

/* Copies the URL.  The first turn, due at once, begins to connect. */
RedisConn *redis_conn_new(const RedisUrl *url, const RedisConnOptions *options,
						  const RedisCallbacks *callbacks, void *arg);

/* Calls on_close_fd, and no other callback. */
void redis_conn_free(RedisConn **conn);

bool redis_conn_is_ready(const RedisConn *conn);

/* Bytes handed over and not yet taken by the kernel. */
size_t redis_conn_unsent(const RedisConn *conn);
size_t redis_conn_pending(const RedisConn *conn);

/*
 * Queues one command; false when not ready (or on_ready is not yet running) or
 * beyond a bound.  fn may be NULL.  Bytes leave in the next turn: call
 * redis_conn_flush when it matters.
 */
bool redis_conn_command(RedisConn *conn, int argc, const char *const *argv,
						const size_t *argv_len, RedisReplyFn fn, void *arg);

/* Writes what the kernel takes.  A failure shows in the next turn. */
void redis_conn_flush(RedisConn *conn);

/* -1: none at the moment. */
int redis_conn_fd(const RedisConn *conn);

/* POLLIN and POLLOUT as wanted. */
short redis_conn_events(const RedisConn *conn);

/* On clock_now_us; a turn is due then. */
int64_t redis_conn_deadline_us(const RedisConn *conn);

/*
 * revents: what poll said of the descriptor; 0 when a deadline came.  A ready
 * connection may be told POLLIN at any time.
 */
void redis_conn_turn(RedisConn *conn, short revents, int64_t now_us);

#endif
