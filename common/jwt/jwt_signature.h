/*
 * jwt_signature - are these bytes that key's signature over that text?
 *
 * Pure.  For jwt.c; one case for each JwtAlg.  Verification takes about 20 us
 * for RS256 (2048 bits), 50 for ES256, 70 for EdDSA: short enough for a loop.
 */
#ifndef CHEMCHAT_JWT_SIGNATURE_H
#define CHEMCHAT_JWT_SIGNATURE_H

#include "jwt.h"

#define JWT_HS256_SIZE 32

/* By the key's algorithm and no other. */
bool jwt_signature_is_good(const JwtKey *key, const char *text, size_t text_len,
						   const uint8_t *signature,
						   size_t signature_len) MUST_CHECK;

bool jwt_hs256(const JwtKey *key, const char *text, size_t len,
			   uint8_t mac[JWT_HS256_SIZE]) MUST_CHECK;

#endif
