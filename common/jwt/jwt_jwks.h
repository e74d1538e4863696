/*
 * jwt_jwks - a document of public keys (RFC 7517)
 *
 * {"keys": [...]}, or one JWK alone.  Each key is judged for itself: what is
 * of another kind, for another use ("use", "key_ops"), for another algorithm
 * than its kind's or than those asked for, too weak, or private, is passed
 * over, so that one odd key does not lock everybody out.  A symmetric key in
 * a public document is no secret and no key.
 *
 * Pure.  Strict JSON (no duplicate keys) and base64url.
 */
#ifndef CHEMCHAT_JWT_JWKS_H
#define CHEMCHAT_JWT_JWKS_H

#include "jwt.h"

#define JWT_JWKS_MAX_SIZE (256 * 1024)

/*
 * Appends the usable keys; algs is a set of JWT_ALG_BIT.  False when the
 * document cannot be read or has none of use, with the last key's reason.
 * *skipped counts the keys passed over; when it is not 0, err holds the last
 * reason on success too.  Nothing is appended on failure.
 */
bool jwt_jwks_read(const char *json, size_t len, unsigned algs, JwtKeys *keys,
				   size_t *skipped, Error *err) MUST_CHECK;

#endif
