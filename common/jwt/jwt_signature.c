#include "jwt_signature.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#define ES256_HALF   32
#define ED25519_SIZE 64

static bool hs256_is_good(const JwtKey *key, const char *text, size_t text_len,
						  const uint8_t *signature, size_t signature_len);
static bool es256_is_good(const JwtKey *key, const char *text, size_t text_len,
						  const uint8_t *signature, size_t signature_len);
static bool verify(const JwtKey *key, const EVP_MD *digest, const char *text,
				   size_t text_len, const uint8_t *signature,
				   size_t signature_len);

bool
jwt_signature_is_good(const JwtKey *key, const char *text, size_t text_len,
					  const uint8_t *signature, size_t signature_len)
{
	if (key->alg == JWT_HS256)
		return hs256_is_good(key, text, text_len, signature, signature_len);
	if (key->public_key == NULL)
		return false;
	switch (key->alg)
	{
		case JWT_HS256:
			break;
		case JWT_RS256:
			/* RFC 8017 8.2.2: as long as the modulus, no byte less */
			return signature_len ==
					   (size_t) EVP_PKEY_get_size(key->public_key) &&
				   verify(key, EVP_sha256(), text, text_len, signature,
						  signature_len);
		case JWT_ES256:
			return es256_is_good(key, text, text_len, signature, signature_len);
		case JWT_EDDSA:
			return signature_len == ED25519_SIZE &&
				   verify(key, NULL, text, text_len, signature, signature_len);
	}
	return false;
}

bool
jwt_hs256(const JwtKey *key, const char *text, size_t len,
		  uint8_t mac[JWT_HS256_SIZE])
{
	unsigned int mac_len = 0;

	return HMAC(EVP_sha256(), key->secret, (int) key->secret_len,
				(const unsigned char *) text, len, mac, &mac_len) != NULL &&
		   mac_len == JWT_HS256_SIZE;
}

static bool
hs256_is_good(const JwtKey *key, const char *text, size_t text_len,
			  const uint8_t *signature, size_t signature_len)
{
	uint8_t mac[JWT_HS256_SIZE];

	return signature_len == sizeof mac &&
		   key->secret_len >= JWT_MIN_SECRET_SIZE &&
		   jwt_hs256(key, text, text_len, mac) &&
		   CRYPTO_memcmp(mac, signature, sizeof mac) == 0;
}

/*
 * A token has r and s, 32 bytes each, high byte first (RFC 7518 3.4); OpenSSL
 * wants them as ASN.1.  A zero among them is refused here already: a library
 * that took it once accepted every message (CVE-2022-21449).
 */
static bool
es256_is_good(const JwtKey *key, const char *text, size_t text_len,
			  const uint8_t *signature, size_t signature_len)
{
	bool is_good = false;
	uint8_t *der = NULL;
	int der_len;
	ECDSA_SIG *sig = NULL;
	BIGNUM *r = NULL;
	BIGNUM *s = NULL;

	if (signature_len != 2 * (size_t) ES256_HALF)
		return false;
	r = BN_bin2bn(signature, ES256_HALF, NULL);
	s = BN_bin2bn(signature + ES256_HALF, ES256_HALF, NULL);
	sig = ECDSA_SIG_new();
	if (r == NULL || s == NULL || sig == NULL || BN_is_zero(r) || BN_is_zero(s))
		goto cleanup;
	if (ECDSA_SIG_set0(sig, r, s) != 1)
		goto cleanup;
	r = NULL; /* they are sig's now */
	s = NULL;
	der_len = i2d_ECDSA_SIG(sig, &der);
	is_good = der_len > 0 &&
			  verify(key, EVP_sha256(), text, text_len, der, (size_t) der_len);

cleanup:
	OPENSSL_free(der);
	ECDSA_SIG_free(sig);
	BN_free(s);
	BN_free(r);
	return is_good;
}

static bool
verify(const JwtKey *key, const EVP_MD *digest, const char *text,
	   size_t text_len, const uint8_t *signature, size_t signature_len)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool is_good =
		context != NULL &&
		EVP_DigestVerifyInit(context, NULL, digest, NULL, key->public_key) ==
			1 &&
		EVP_DigestVerify(context, signature, signature_len,
						 (const unsigned char *) text, text_len) == 1;

	EVP_MD_CTX_free(context);
	/* a bad one leaves its reasons in a queue that nobody reads */
	ERR_clear_error();
	return is_good;
}
