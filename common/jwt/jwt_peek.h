/*
 * jwt_peek - what a token says of itself, whoever wrote it
 *
 * No signature is looked at: never ask this who somebody is.  For tools that
 * are handed a token and have to name it.
 */
#ifndef CHEMCHAT_JWT_PEEK_H
#define CHEMCHAT_JWT_PEEK_H

#include "jwt.h"

/* False when it is no token: three parts, the payload with sub and exp. */
bool jwt_peek(const char *token, size_t len, JwtClaims *claims) MUST_CHECK;

#endif
