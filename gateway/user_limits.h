/*
 * user_limits - what each user may still do, whatever she comes in by
 *
 * Her buckets of sends and of requests, shared by her sockets and her REST
 * requests.  A user whose buckets are full again is forgotten.
 *
 * Pure: the caller says what time it is.  One thread.
 */
#ifndef CHEMCHAT_USER_LIMITS_H
#define CHEMCHAT_USER_LIMITS_H

#include "rate_limit.h"
#include "uuid.h"

typedef struct UserLimits UserLimits;

typedef struct UserLimit
{
	RateLimit sends;
	RateLimit requests;
} UserLimit;

UserLimits *user_limits_new(void);
void user_limits_free(UserLimits **limits);
size_t user_limits_count(const UserLimits *limits);

/* Borrowed until the next call. */
UserLimit *user_limits_of(UserLimits *limits, const Uuid *user_id,
						  int64_t now_us);

#endif
