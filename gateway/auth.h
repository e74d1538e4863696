/*
 * auth - who is this, and what may they do?
 *
 * A token is a JWT of an issuer we trust (auth_issuers.h), or a bot's own: an
 * opaque text that the database knows by its SHA-256.  Why one is refused
 * goes to the log; the client hears `invalid_token`.
 *
 * The answer may have to wait: for a bot's row, for a handle's user, for keys
 * that an issuer has just changed.  Most need none of that and are answered
 * within the call.  Tokens that were withdrawn (signed out, password changed,
 * user deactivated, bot token revoked) are refused from at most AUTH_POLL_MS
 * after the database knows it, and AuthConfig.on_revoked tells to look at the
 * sockets that are open.  Before the first look at the database nobody is let
 * in.  Whether the user exists is the database's to say at hello.
 *
 * One thread, that of the loop.
 */
#ifndef CHEMCHAT_AUTH_H
#define CHEMCHAT_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "error.h"
#include "uuid.h"

#define AUTH_POLL_MS 2000

typedef struct Auth Auth;
typedef struct Db Db;
typedef struct uv_loop_s uv_loop_t;

/* What a bot's token may be limited to; a person's has them all. */
typedef enum AuthScope
{
	AUTH_READ = 1,
	AUTH_SEND = 2,
	AUTH_MANAGE = 4,
	AUTH_ALL = 7
} AuthScope;

typedef struct Identity
{
	Uuid user_id;
	Uuid token_id;     /* jti, or a bot token's id; all zero: it has none */
	int64_t issued_us; /* since 1970; 0: it does not say */
	int64_t expires_s; /* seconds since 1970 */
	uint8_t scopes;    /* set of AuthScope */
	bool is_local;     /* signed in here: may be renewed, has a password */
	bool is_bot;
} Identity;

typedef enum AuthVerdict
{
	AUTH_GOOD,
	AUTH_REFUSED,    /* invalid_token */
	AUTH_UNAVAILABLE /* cannot be told now: unavailable */
} AuthVerdict;

/* identity is borrowed, and NULL unless AUTH_GOOD. */
typedef void (*AuthDoneFn)(void *arg, AuthVerdict verdict,
						   const Identity *identity);

typedef struct AuthConfig
{
	const char *secret_file;  /* our own HS256 keys; NULL: none */
	const char *issuer;       /* of the tokens they sign; NULL: none */
	const char *audience;     /* NULL: none */
	const char *issuers_file; /* others; NULL: none */
	uv_loop_t *loop;          /* for what waits; NULL without issuers_file */
	Db *db;                   /* NULL: nothing is withdrawn, no bots */
	/* Something was withdrawn: ask auth_is_good of those who are in. */
	void (*on_revoked)(void *arg);
	void *arg;
} AuthConfig;

typedef struct AuthCounts
{
	uint64_t good;
	uint64_t refused;
	uint64_t unavailable;
	uint64_t withdrawn; /* of the refused: good but for the database's word */
	uint64_t waiting;   /* now */
	uint64_t listed;    /* withdrawn tokens and users that are known now */
} AuthCounts;

Auth *auth_open(const AuthConfig *config, Error *err) MUST_CHECK;

/* No issuer is asked any more; what waits is answered AUTH_UNAVAILABLE. */
void auth_stop(Auth *auth);
void auth_close(Auth **auth);

/* Once a second or oftener. */
void auth_tick(Auth *auth);

/* It has looked at the database: before, every answer is AUTH_UNAVAILABLE. */
bool auth_is_ready(const Auth *auth);

/* Calls done exactly once, perhaps within the call; token is borrowed. */
void auth_check(Auth *auth, const char *token, size_t len, AuthDoneFn done,
				void *arg);

/* Is it still what it was: neither expired nor withdrawn? */
bool auth_is_good(const Auth *auth, const Identity *identity);

/*
 * The same, by the database's word of this moment and not of two seconds ago:
 * before a token is exchanged for another that outlives it.
 */
void auth_recheck(Auth *auth, const Identity *identity, AuthDoneFn done,
				  void *arg);

/* Its session was ended here: true at once, elsewhere soon. */
void auth_note_withdrawn(Auth *auth, const Identity *identity);

bool auth_allows(const Identity *identity, AuthScope scope);

/*
 * A token of our own for the user, good for ttl_s, not older than
 * not_before_us (since 1970): what a changed password made void stays so.
 * False, with a reason, when we have no key to sign with.
 */
bool auth_issue(Auth *auth, const Uuid *user_id, int64_t ttl_s,
				int64_t not_before_us, Buf *token, Identity *identity,
				Error *err) MUST_CHECK;

AuthCounts auth_counts(const Auth *auth);

#endif
