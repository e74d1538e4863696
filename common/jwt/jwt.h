/*
 * jwt - who signed this, and may it still be used? (RFC 7515, 7519, 8725)
 *
 * The algorithm belongs to the key, never to the token: a token's "alg" has
 * to be its key's.  "kid" only picks one of the keys we were given; "crit",
 * "jku", "jwk", "x5u" and "x5c" in the header are refused, whatever they say.
 * Base64url without padding and JSON without duplicate keys, strictly; "exp"
 * and "sub" must be there; the signature is checked before a byte of the
 * payload is looked at, and where it is a MAC, in constant time.
 *
 * A token that is not good gives a JwtReason, which belongs in the log; to
 * the client it is always the same `invalid_token`.
 *
 * Pure but for jwt_keys_load, which reads a file.  Any thread; keys are only
 * read by jwt_verify.  JwtKeys own what their keys point to: jwt_keys_wipe
 * gives it back and overwrites the secrets.
 */
#ifndef CHEMCHAT_JWT_H
#define CHEMCHAT_JWT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "error.h"

#define JWT_MAX_LEN         8192 /* of a token, bytes */
#define JWT_MAX_TEXT        255  /* of sub, iss, aud */
#define JWT_MAX_KID         127
#define JWT_MAX_KEYS        32
#define JWT_MAX_SAME_KID    8  /* each is tried for a token of that name */
#define JWT_MIN_SECRET_SIZE 32 /* RFC 7518 3.2 */
#define JWT_MAX_SECRET_SIZE 128

typedef enum JwtAlg
{
	JWT_HS256, /* a secret of ours; RFC 7518 3.2 */
	JWT_RS256, /* RSA of 2048 to 8192 bits; RFC 7518 3.3 */
	JWT_ES256, /* P-256, the signature as r and s; RFC 7518 3.4 */
	JWT_EDDSA  /* Ed25519; RFC 8037 3.1 */
} JwtAlg;

/* Algorithms as a set. */
#define JWT_ALG_BIT(alg) (1u << (alg))
#define JWT_ALGS_PUBLIC                                                        \
	(JWT_ALG_BIT(JWT_RS256) | JWT_ALG_BIT(JWT_ES256) | JWT_ALG_BIT(JWT_EDDSA))

typedef struct JwtKey
{
	JwtAlg alg;
	char kid[JWT_MAX_KID + 1];           /* "": for tokens that name no key */
	uint8_t secret[JWT_MAX_SECRET_SIZE]; /* HS256 */
	size_t secret_len;
	struct evp_pkey_st *public_key; /* the others; owned */
} JwtKey;

typedef struct JwtKeys
{
	JwtKey key[JWT_MAX_KEYS];
	size_t count;
} JwtKeys;

/* Times are seconds since 1970 (UTC); 0 = not in the token. */
typedef struct JwtClaims
{
	char subject[JWT_MAX_TEXT + 1];
	char issuer[JWT_MAX_TEXT + 1];   /* "": none */
	char audience[JWT_MAX_TEXT + 1]; /* the one that was asked for; "": none */
	char id[JWT_MAX_TEXT + 1];       /* jti; "": none */
	char claim[JWT_MAX_TEXT + 1];    /* the one that was asked for */
	int64_t expires_s;
	int64_t not_before_s;
	int64_t issued_us; /* microseconds: what is revoked goes by it */
} JwtClaims;

typedef struct JwtExpect
{
	const char *issuer; /* NULL: any, and none */
	/* NULL: a token with an audience is not for us (RFC 7519 4.1.3). */
	const char *audience;
	/* A further text that must be there, into JwtClaims.claim; NULL: none. */
	const char *claim;
	int64_t leeway_s; /* for clocks that disagree */
	int64_t now_s;
} JwtExpect;

typedef enum JwtReason
{
	JWT_OK,
	JWT_TOO_LONG,
	JWT_MALFORMED,        /* not three base64url parts of JSON objects */
	JWT_FORBIDDEN_HEADER, /* crit, jku, jwk, x5u, x5c, b64; a foreign typ */
	JWT_WRONG_ALG,        /* "none" and every other that is not the key's */
	JWT_UNKNOWN_KEY,      /* kid names none of ours */
	JWT_BAD_SIGNATURE,
	JWT_BAD_CLAIM, /* of the wrong type, out of range, sub missing */
	JWT_NO_EXPIRY,
	JWT_EXPIRED,
	JWT_NOT_YET, /* nbf or iat lies in the future */
	JWT_WRONG_ISSUER,
	JWT_WRONG_AUDIENCE
} JwtReason;

/*
 * Reads a key file: one key a line, `HEX` or `KID:HEX`, HEX being 32 to 128
 * bytes as hexadecimal text; blank lines and lines that begin with '#' are
 * skipped.  Several keys let one be replaced without a gap.  Refuses a file
 * that others may read (secret_file.h) and says so in err, without a byte of
 * the secret.
 */
bool jwt_keys_load(const char *path, JwtKeys *keys, Error *err) MUST_CHECK;

/* Overwrites the secrets in a way the compiler may not leave out. */
void jwt_keys_wipe(JwtKeys *keys);

/*
 * Moves the key to the end of keys; key is zeroed.  False, and the key still
 * the caller's, when there are JWT_MAX_KEYS, or JWT_MAX_SAME_KID of its name.
 */
bool jwt_keys_take(JwtKeys *keys, JwtKey *key, Error *err) MUST_CHECK;

/* "RS256": as tokens and JWKs name it. */
const char *jwt_alg_name(JwtAlg alg);

/*
 * Appends a token over the claims; times that are 0 and texts that are ""
 * are left out, but for `exp` and `sub`, which must be set.  `claim` is not
 * written: its name is the reader's affair.
 */
bool jwt_sign_hs256(const JwtKey *key, const JwtClaims *claims, Buf *out,
					Error *err) MUST_CHECK;

/*
 * A token with a kid is checked against the key of that name, one without
 * against each key that has none.  claims is set when JWT_OK, zeroed else.
 */
JwtReason jwt_verify(const char *token, size_t len, const JwtKeys *keys,
					 const JwtExpect *expect, JwtClaims *claims) MUST_CHECK;

/* "wrong_alg": for the log and a metric's label. */
const char *jwt_reason_name(JwtReason reason);

#endif
