/*
 * keyring - key pairs of our own, and tokens signed with them
 *
 * Made once per program by OpenSSL, so that what is checked was signed by
 * somebody else's code.  A pair's public half is had as PEM and as a JWK.
 * The keys that are filled are forge.h's.
 */
#ifndef CHEMCHAT_TEST_KEYRING_H
#define CHEMCHAT_TEST_KEYRING_H

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string.h>

#include "base64url.h"
#include "forge.h"
#include "jwt.h"

typedef enum PairKind
{
	PAIR_RSA,
	PAIR_EC,
	PAIR_ED,
	PAIR_KINDS
} PairKind;

static const char *const pair_alg[PAIR_KINDS] = { "RS256", "ES256", "EdDSA" };

static inline EVP_PKEY *
pair_make(PairKind kind)
{
	switch (kind)
	{
		case PAIR_RSA:
			return EVP_RSA_gen(2048);
		case PAIR_EC:
			return EVP_EC_gen("P-256");
		case PAIR_ED:
			return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
		case PAIR_KINDS:
			break;
	}
	return NULL;
}

static inline void
pair_pem(EVP_PKEY *pair, Buf *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long len;

	if (PEM_write_bio_PUBKEY(bio, pair) != 1)
		abort();
	len = BIO_get_mem_data(bio, &text);
	buf_append(out, text, (size_t) len);
	BIO_free(bio);
}

static inline void
pair_number(EVP_PKEY *pair, const char *param, int size, Buf *out)
{
	unsigned char bytes[1024];
	BIGNUM *number = NULL;
	int len;

	if (EVP_PKEY_get_bn_param(pair, param, &number) != 1)
		abort();
	len =
		size > 0 ? BN_bn2binpad(number, bytes, size) : BN_bn2bin(number, bytes);
	base64url_append(out, bytes, (size_t) len);
	BN_free(number);
}

/* {"kty":..., and what `more` says } */
static inline void
pair_jwk(EVP_PKEY *pair, PairKind kind, const char *more, Buf *out)
{
	unsigned char raw[32];
	size_t len = sizeof raw;

	switch (kind)
	{
		case PAIR_RSA:
			buf_append_str(out, "{\"kty\":\"RSA\",\"n\":\"");
			pair_number(pair, OSSL_PKEY_PARAM_RSA_N, 0, out);
			buf_append_str(out, "\",\"e\":\"");
			pair_number(pair, OSSL_PKEY_PARAM_RSA_E, 0, out);
			break;
		case PAIR_EC:
			buf_append_str(out, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"");
			pair_number(pair, OSSL_PKEY_PARAM_EC_PUB_X, 32, out);
			buf_append_str(out, "\",\"y\":\"");
			pair_number(pair, OSSL_PKEY_PARAM_EC_PUB_Y, 32, out);
			break;
		case PAIR_ED:
			buf_append_str(out,
						   "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"");
			if (EVP_PKEY_get_raw_public_key(pair, raw, &len) != 1)
				abort();
			base64url_append(out, raw, len);
			break;
		case PAIR_KINDS:
			abort();
	}
	buf_printf(out, "\"%s}", more);
}

/* ASN.1 as OpenSSL has it, to r and s of 32 bytes each. */
static inline size_t
pair_raw_ecdsa(unsigned char *bytes, size_t len)
{
	const unsigned char *at = bytes;
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long) len);

	if (sig == NULL)
		abort();
	if (BN_bn2binpad(ECDSA_SIG_get0_r(sig), bytes, 32) != 32 ||
		BN_bn2binpad(ECDSA_SIG_get0_s(sig), bytes + 32, 32) != 32)
		abort();
	ECDSA_SIG_free(sig);
	return 64;
}

/* A token of these bytes, rightly signed by the pair's own algorithm. */
static inline void
pair_sign(EVP_PKEY *pair, PairKind kind, const char *header,
		  const char *payload, Buf *token)
{
	unsigned char signature[1024];
	size_t len = sizeof signature;
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	base64url_append(token, header, strlen(header));
	buf_append_char(token, '.');
	base64url_append(token, payload, strlen(payload));
	if (EVP_DigestSignInit(context, NULL, kind == PAIR_ED ? NULL : EVP_sha256(),
						   NULL, pair) != 1 ||
		EVP_DigestSign(context, signature, &len,
					   (const unsigned char *) token->data, token->len) != 1)
		abort();
	EVP_MD_CTX_free(context);
	if (kind == PAIR_EC)
		len = pair_raw_ecdsa(signature, len);
	buf_append_char(token, '.');
	base64url_append(token, signature, len);
}

/* A group of tests: pairs are made once, each test begins without a key. */
static EVP_PKEY *pair[PAIR_KINDS];

static int
make_pairs(void **state)
{
	(void) state;
	for (int kind = 0; kind < PAIR_KINDS; kind++)
		pair[kind] = pair_make((PairKind) kind);
	return 0;
}

static int
free_pairs(void **state)
{
	(void) state;
	for (int kind = 0; kind < PAIR_KINDS; kind++)
		EVP_PKEY_free(pair[kind]);
	return 0;
}

static int
no_key(void **state)
{
	(void) state;
	memset(&keys, 0, sizeof keys);
	return 0;
}

static int
wipe(void **state)
{
	(void) state;
	jwt_keys_wipe(&keys);
	return 0;
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, no_key, wipe)

#endif
