/*
 * jwt_public_file - a file of public keys
 *
 * PEM (jwt_public_key.h), or a JWK or JWKS (jwt_jwks.h), by the first
 * character.  Every key in it must be usable: an operator named the file, so
 * what is odd about it is said at start and not found out at night.
 *
 * A file that others than its owner may write is refused: who can write it
 * can sign for us.
 */
#ifndef CHEMCHAT_JWT_PUBLIC_FILE_H
#define CHEMCHAT_JWT_PUBLIC_FILE_H

#include "jwt.h"

/*
 * Appends the keys; algs is a set of JWT_ALG_BIT.  kid names those of a PEM
 * file, which has no names itself, and must be "" for JSON, which has.
 */
bool jwt_public_keys_load(const char *path, const char *kid, unsigned algs,
						  JwtKeys *keys, Error *err) MUST_CHECK;

#endif
