/*
 * sign_in_throttle - how often may a password be tried?
 *
 * Three counts of attempts that were not right: of one handle from one
 * address, of the handle, of the address.  A few are free; then each makes the
 * next wait, longer every time, up to a bound.  Counts run down with time.  An
 * attempt counts when it begins, so that a thousand at once are a thousand,
 * and is taken back when the password was right; what is refused here does
 * not count, so nobody can be kept out for ever.  And an address from which
 * the handle got in before does not wait for what others do to the handle.
 *
 * IPv6 addresses count by their /64.  Bounded: of what is not touched the
 * oldest is forgotten.  Of this process alone.
 *
 * Pure.  One thread.
 */
#ifndef CHEMCHAT_SIGN_IN_THROTTLE_H
#define CHEMCHAT_SIGN_IN_THROTTLE_H

#include <stddef.h>
#include <stdint.h>

#define SIGN_IN_FREE_PAIR    5
#define SIGN_IN_FREE_HANDLE  20
#define SIGN_IN_FREE_ADDRESS 50
#define SIGN_IN_ENTRIES_MAX  100000
#define SIGN_IN_HANDLE_MAX   256 /* bytes; what is longer counts as its start */

typedef struct SignInThrottle SignInThrottle;

SignInThrottle *sign_in_throttle_new(void);
void sign_in_throttle_free(SignInThrottle **throttle);

/* 0: go on, and it counts; else how long to wait, in milliseconds. */
int64_t sign_in_throttle_begin(SignInThrottle *throttle, const char *handle,
							   size_t handle_len, const char *address,
							   int64_t now_us);

/* That attempt's password was right. */
void sign_in_throttle_good(SignInThrottle *throttle, const char *handle,
						   size_t handle_len, const char *address,
						   int64_t now_us);

#endif
