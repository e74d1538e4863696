/*
 * redis_resolve - a host's addresses without blocking the loop
 *
 * getaddrinfo blocks for seconds when a name server is away, so a name is
 * looked up in a short-lived thread; an address in digits is answered at
 * once.  The descriptor becomes readable when the answer is there.
 *
 * One owner thread.  redis_resolve_free gives up an unfinished look-up; its
 * thread ends by itself and frees what it holds.
 */
#ifndef CHEMCHAT_REDIS_RESOLVE_H
#define CHEMCHAT_REDIS_RESOLVE_H

#include "error.h"

struct addrinfo;

typedef struct RedisResolve RedisResolve;

typedef enum RedisResolveState
{
	REDIS_RESOLVE_PENDING,
	REDIS_RESOLVE_DONE,
	REDIS_RESOLVE_FAILED
} RedisResolveState;

/* NULL with err when no thread or descriptor can be had. */
RedisResolve *redis_resolve_new(const char *host, int port,
								Error *err) MUST_CHECK;
void redis_resolve_free(RedisResolve **resolve);

int redis_resolve_fd(const RedisResolve *resolve);

/* DONE: *addresses is borrowed until the free.  FAILED: err says why. */
RedisResolveState redis_resolve_get(RedisResolve *resolve,
									const struct addrinfo **addresses,
									Error *err);

#endif
