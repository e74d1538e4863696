/*
 * auth_revoked - the tokens that are good by themselves and yet withdrawn
 *
 * By their id (signed out, a bot's token taken back), by their user and age
 * (password changed: those issued before), by their user altogether
 * (deactivated).  Kept as the database told; a token's id until the token
 * would have ended anyway.
 *
 * Pure.  One thread.
 */
#ifndef CHEMCHAT_AUTH_REVOKED_H
#define CHEMCHAT_AUTH_REVOKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth.h"

typedef struct AuthRevoked AuthRevoked;

AuthRevoked *auth_revoked_new(void);
void auth_revoked_free(AuthRevoked **revoked);

/* True when that was news. */
bool auth_revoked_token(AuthRevoked *revoked, const Uuid *token_id,
						int64_t expires_s);

/*
 * What holds for the user from now on: tokens from before tokens_from_us
 * (since 1970; 0: none) are void, and all are when she is deactivated.
 */
bool auth_revoked_user(AuthRevoked *revoked, const Uuid *user_id,
					   int64_t tokens_from_us, bool is_deactivated);

bool auth_revoked_has(const AuthRevoked *revoked, const Identity *identity);

/* Forgets ids of tokens that have ended; now and then. */
void auth_revoked_forget(AuthRevoked *revoked, int64_t now_s);

size_t auth_revoked_count(const AuthRevoked *revoked);

#endif
