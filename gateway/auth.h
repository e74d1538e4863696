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

#include "error.h"
#include "uuid.h"

#define AUTH_POLL_MS 2000

typedef struct Auth Auth;

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
	int64_t issued_s;  /* seconds since 1970; 0: it does not say */
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
	const char *secret_file; /* HS256 keys */
	const char *issuer;      /* of the tokens they sign; NULL: none */
	const char *audience;    /* NULL: none */
} AuthConfig;

Auth *auth_open(const AuthConfig *config, Error *err) MUST_CHECK;
void auth_close(Auth **auth);

/* Calls done exactly once, perhaps within the call; token is borrowed. */
void auth_check(Auth *auth, const char *token, size_t len, AuthDoneFn done,
				void *arg);

/* Is it still what it was: neither expired nor withdrawn? */
bool auth_is_good(const Auth *auth, const Identity *identity);

bool auth_allows(const Identity *identity, AuthScope scope);

#endif
