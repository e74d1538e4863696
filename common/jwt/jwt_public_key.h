/*
 * jwt_public_key - a public key, and the one algorithm it is for
 *
 * From its numbers, as a JWK has them (RFC 7518 6, RFC 8037 2), or from PEM
 * (SubjectPublicKeyInfo).  RSA has 2048 to 8192 bits and an odd exponent of
 * at most 32 bits, beside what would only cost time; EC is P-256 and on its
 * curve; OKP is Ed25519.  Nothing else is a key.
 *
 * Pure.  On success key->alg and key->public_key are set (the latter owned by
 * the key), everything else is left as it was.
 */
#ifndef CHEMCHAT_JWT_PUBLIC_KEY_H
#define CHEMCHAT_JWT_PUBLIC_KEY_H

#include "jwt.h"

/* Numbers with the high byte first. */
bool jwt_public_key_rsa(JwtKey *key, const Buf *modulus, const Buf *exponent,
						Error *err) MUST_CHECK;
bool jwt_public_key_p256(JwtKey *key, const Buf *x, const Buf *y,
						 Error *err) MUST_CHECK;
bool jwt_public_key_ed25519(JwtKey *key, const Buf *x, Error *err) MUST_CHECK;

/*
 * Appends each "PUBLIC KEY" of a PEM text under the name kid ("": for tokens
 * that name no key).  A private key or anything else between the dashes is
 * refused, and so is a text without a key.
 */
bool jwt_public_keys_pem(JwtKeys *keys, const char *pem, size_t len,
						 const char *kid, Error *err) MUST_CHECK;

#endif
