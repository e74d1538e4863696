/*
 * auth - who is this?
 *
 * A token (HS256, common/jwt) names a user id in `sub` and when it ends.
 * Whether the user exists is the database's to say.  Why a token is refused
 * goes to the log; the client hears `invalid_token`.
 */
#ifndef CHEMCHAT_AUTH_H
#define CHEMCHAT_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "uuid.h"

typedef struct Auth Auth;

/* issuer, audience: NULL when tokens carry none. */
Auth *auth_open(const char *secret_file, const char *issuer,
				const char *audience, Error *err) MUST_CHECK;
void auth_close(Auth **auth);

/* On success the user and the end of the token, seconds since 1970. */
bool auth_check(const Auth *auth, const char *token, size_t len, Uuid *user_id,
				int64_t *expires_s) MUST_CHECK;

#endif
