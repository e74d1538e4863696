/*
 * redis_dial - from a URL to a connected socket
 *
 * One attempt: looks the name up, then tries its addresses one after the
 * other until one accepts.  Sockets are non-blocking, close-on-exec and, over
 * TCP, without Nagle's delay.
 *
 * Whoever polls the descriptor must be told before it goes: `on_close_fd` is
 * called with it, and a new one is only made in a later turn, so that one
 * number never stands for two sockets in a poller's eyes.
 *
 * One thread.  Never blocks.  Has no deadline of its own.
 */
#ifndef CHEMCHAT_REDIS_DIAL_H
#define CHEMCHAT_REDIS_DIAL_H

#include "error.h"
#include "redis_url.h"

typedef struct RedisDial RedisDial;

typedef enum RedisDialState
{
	REDIS_DIAL_PENDING,
	REDIS_DIAL_DONE,
	REDIS_DIAL_FAILED
} RedisDialState;

/* Borrows the URL until the free.  on_close_fd may be NULL. */
RedisDial *redis_dial_new(const RedisUrl *url,
						  void (*on_close_fd)(void *arg, int fd), void *arg);
void redis_dial_free(RedisDial **dial);

/* -1: none, and a turn is due at once. */
int redis_dial_fd(const RedisDial *dial);
short redis_dial_events(const RedisDial *dial);

/* FAILED: err says why, for the last of the addresses. */
RedisDialState redis_dial_turn(RedisDial *dial, short revents, Error *err);

/* After DONE: the socket becomes the caller's.  on_close_fd is not called. */
int redis_dial_take_fd(RedisDial *dial);

#endif
