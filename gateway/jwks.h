/*
 * jwks - the keys that an issuer publishes, kept fresh
 *
 * Asks its URL on libuv's threads, so that the loop never waits; when, is
 * jwks_schedule's judgement.  A document that cannot be had or read changes
 * nothing: the keys of the last good one stay, until they are stale.
 *
 * One thread, that of the loop.
 */
#ifndef CHEMCHAT_JWKS_H
#define CHEMCHAT_JWKS_H

#include <stdbool.h>
#include <uv.h>

#include "jwt.h"

#define JWKS_TIMEOUT_MS 5000

typedef struct Jwks Jwks;

typedef struct JwksConfig
{
	const char *issuer; /* for the log; all are copied */
	const char *url;
	const char *ca_file; /* NULL: the system's */
	unsigned algs;       /* set of JWT_ALG_BIT */

	/* An attempt has ended, well or not: look at what waits for it. */
	void (*on_done)(void *arg);
	void *arg;
} JwksConfig;

/* Begins with the first jwks_tick. */
Jwks *jwks_new(uv_loop_t *loop, const JwksConfig *config);

/* An attempt under way ends by itself, unheard; run the loop until then. */
void jwks_free(Jwks **jwks);

/* About once a second. */
void jwks_tick(Jwks *jwks);

/* Borrowed until the loop turns; none before the first answer. */
const JwtKeys *jwks_keys(const Jwks *jwks);

/*
 * A token names a key that is not there.  True: an attempt is under way and
 * on_done will be called; false: it was asked a moment ago.
 */
bool jwks_want(Jwks *jwks);

/* An attempt is under way. */
bool jwks_is_asking(const Jwks *jwks);

#endif
