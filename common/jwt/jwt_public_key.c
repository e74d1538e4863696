#include "jwt_public_key.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <sodium.h>
#include <string.h>

#define RSA_MIN_BITS     2048
#define RSA_MAX_BITS     8192
#define RSA_MAX_EXPONENT 32 /* bits */
#define P256_HALF        32
#define ED25519_SIZE     32

static bool make(const char *type, OSSL_PARAM_BLD *builder, EVP_PKEY **made);
static bool judge(EVP_PKEY *public_key, JwtAlg *alg, Error *err);
static bool judge_rsa(EVP_PKEY *public_key, Error *err);
static bool judge_ec(EVP_PKEY *public_key, Error *err);
static bool judge_ed25519(EVP_PKEY *public_key, Error *err);
static bool take(JwtKey *key, EVP_PKEY *take_public_key, Error *err);
static bool take_block(JwtKeys *keys, BIO *bio, const char *kid, Error *err);
static int no_passphrase(char *out, int size, int is_writing, void *arg);
static int count_of(const char *text, size_t len, const char *word);

bool
jwt_public_key_rsa(JwtKey *key, const Buf *modulus, const Buf *exponent,
				   Error *err)
{
	BIGNUM *n = NULL;
	BIGNUM *e = NULL;
	OSSL_PARAM_BLD *builder = NULL;
	EVP_PKEY *made = NULL;
	bool is_made = false;

	/* before a number of a million bits is made of it */
	if (modulus->len > RSA_MAX_BITS / 8 + 1 || exponent->len > 8)
		return error_set(err, "the RSA key is longer than %d bits",
						 RSA_MAX_BITS);
	n = BN_bin2bn((const unsigned char *) modulus->data, (int) modulus->len,
				  NULL);
	e = BN_bin2bn((const unsigned char *) exponent->data, (int) exponent->len,
				  NULL);
	builder = OSSL_PARAM_BLD_new();
	is_made = n != NULL && e != NULL && builder != NULL &&
			  OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
			  OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1 &&
			  make("RSA", builder, &made);
	OSSL_PARAM_BLD_free(builder);
	BN_free(e);
	BN_free(n);
	if (!is_made)
		return error_set(err, "the numbers are no RSA key");
	return take(key, made, err);
}

bool
jwt_public_key_p256(JwtKey *key, const Buf *x, const Buf *y, Error *err)
{
	uint8_t point[1 + 2 * P256_HALF] = { POINT_CONVERSION_UNCOMPRESSED };
	OSSL_PARAM_BLD *builder;
	EVP_PKEY *made = NULL;
	bool is_made;

	if (x->len != P256_HALF || y->len != P256_HALF)
		return error_set(err, "the point has not two numbers of %d bytes",
						 P256_HALF);
	memcpy(point + 1, x->data, P256_HALF);
	memcpy(point + 1 + P256_HALF, y->data, P256_HALF);
	builder = OSSL_PARAM_BLD_new();
	is_made =
		builder != NULL &&
		OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME,
										SN_X9_62_prime256v1, 0) == 1 &&
		OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY,
										 point, sizeof point) == 1 &&
		make("EC", builder, &made);
	OSSL_PARAM_BLD_free(builder);
	if (!is_made)
		return error_set(err, "the point is not on P-256");
	return take(key, made, err);
}

bool
jwt_public_key_ed25519(JwtKey *key, const Buf *x, Error *err)
{
	EVP_PKEY *made;

	if (x->len != ED25519_SIZE)
		return error_set(err, "the key has not %d bytes", ED25519_SIZE);
	made = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL,
									   (const unsigned char *) x->data, x->len);
	if (made == NULL)
	{
		ERR_clear_error();
		return error_set(err, "the bytes are no Ed25519 key");
	}
	return take(key, made, err);
}

bool
jwt_public_keys_pem(JwtKeys *keys, const char *pem, size_t len, const char *kid,
					Error *err)
{
	BIO *bio;
	int blocks = count_of(pem, len, "-----BEGIN ");
	bool is_read = true;

	if (blocks == 0 || blocks != count_of(pem, len, "-----BEGIN PUBLIC KEY---"))
		return error_set(err, "there is something else than public keys "
							  "(BEGIN PUBLIC KEY) in it");
	if (strlen(kid) > JWT_MAX_KID)
		return error_set(err, "the key's name is longer than %d bytes",
						 JWT_MAX_KID);
	bio = BIO_new_mem_buf(pem, (int) len);
	if (bio == NULL)
		return error_set(err, "could not read the keys");
	for (int i = 0; is_read && i < blocks; i++)
		is_read = take_block(keys, bio, kid, err);
	BIO_free(bio);
	return is_read;
}

static bool
take_block(JwtKeys *keys, BIO *bio, const char *kid, Error *err)
{
	JwtKey key = { .alg = JWT_RS256 };
	EVP_PKEY *read = PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL);

	if (read == NULL)
	{
		ERR_clear_error();
		return error_set(err, "a public key in it cannot be read");
	}
	memcpy(key.kid, kid, strlen(kid) + 1);
	if (!take(&key, read, err))
		return false;
	if (!jwt_keys_take(keys, &key, err))
	{
		EVP_PKEY_free(key.public_key);
		return false;
	}
	return true;
}

/* Instead of OpenSSL's own, which asks at the terminal. */
static int
no_passphrase(char *out, int size, int is_writing, void *arg)
{
	(void) out;
	(void) size;
	(void) is_writing;
	(void) arg;
	return -1;
}

static bool
make(const char *type, OSSL_PARAM_BLD *builder, EVP_PKEY **made)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	bool is_made =
		params != NULL && context != NULL &&
		EVP_PKEY_fromdata_init(context) == 1 &&
		EVP_PKEY_fromdata(context, made, EVP_PKEY_PUBLIC_KEY, params) == 1;

	EVP_PKEY_CTX_free(context);
	OSSL_PARAM_free(params);
	ERR_clear_error();
	return is_made;
}

/* Sets the key's algorithm, or frees what was taken. */
static bool
take(JwtKey *key, EVP_PKEY *take_public_key, Error *err)
{
	JwtAlg alg = JWT_RS256;

	if (!judge(take_public_key, &alg, err))
	{
		EVP_PKEY_free(take_public_key);
		ERR_clear_error();
		return false;
	}
	key->alg = alg;
	key->public_key = take_public_key;
	return true;
}

static bool
judge(EVP_PKEY *public_key, JwtAlg *alg, Error *err)
{
	switch (EVP_PKEY_get_base_id(public_key))
	{
		case EVP_PKEY_RSA:
			*alg = JWT_RS256;
			return judge_rsa(public_key, err);
		case EVP_PKEY_EC:
			*alg = JWT_ES256;
			return judge_ec(public_key, err);
		case EVP_PKEY_ED25519:
			*alg = JWT_EDDSA;
			return judge_ed25519(public_key, err);
		default:
			return error_set(err,
							 "the key is neither RSA nor P-256 nor Ed25519");
	}
}

/*
 * A long exponent, or a modulus of 64 kbit, would be a gift to whoever wants
 * our processor's time; a short modulus to whoever wants the private key.
 */
static bool
judge_rsa(EVP_PKEY *public_key, Error *err)
{
	int bits = EVP_PKEY_get_bits(public_key);
	BIGNUM *n = NULL;
	BIGNUM *e = NULL;
	bool is_good =
		EVP_PKEY_get_bn_param(public_key, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
		EVP_PKEY_get_bn_param(public_key, OSSL_PKEY_PARAM_RSA_E, &e) == 1 &&
		BN_is_odd(n) && BN_is_odd(e) && !BN_is_one(e) &&
		BN_num_bits(e) <= RSA_MAX_EXPONENT;

	BN_free(e);
	BN_free(n);
	if (bits < RSA_MIN_BITS || bits > RSA_MAX_BITS)
		return error_set(err, "the RSA key has %d bits; it must have %d to %d",
						 bits, RSA_MIN_BITS, RSA_MAX_BITS);
	return is_good ||
		   error_set(err, "the RSA key's modulus or exponent is odd in "
						  "a way that no honest key is");
}

static bool
judge_ec(EVP_PKEY *public_key, Error *err)
{
	char group[64] = "";
	size_t len = 0;
	EVP_PKEY_CTX *context;
	bool is_on_curve;

	if (EVP_PKEY_get_utf8_string_param(public_key, OSSL_PKEY_PARAM_GROUP_NAME,
									   group, sizeof group, &len) != 1 ||
		strcmp(group, SN_X9_62_prime256v1) != 0)
		return error_set(err, "the key's curve is not P-256");
	context = EVP_PKEY_CTX_new_from_pkey(NULL, public_key, NULL);
	is_on_curve = context != NULL && EVP_PKEY_public_check(context) == 1;
	EVP_PKEY_CTX_free(context);
	return is_on_curve || error_set(err, "the point is not on P-256");
}

/*
 * A point of small order (32 zeroes are one) has signatures that anybody can
 * make; OpenSSL does not look.
 */
static bool
judge_ed25519(EVP_PKEY *public_key, Error *err)
{
	unsigned char bytes[ED25519_SIZE];
	size_t len = sizeof bytes;

	return (EVP_PKEY_get_raw_public_key(public_key, bytes, &len) == 1 &&
			crypto_core_ed25519_is_valid_point(bytes) == 1) ||
		   error_set(err, "the bytes are no Ed25519 key");
}

static int
count_of(const char *text, size_t len, const char *word)
{
	size_t word_len = strlen(word);
	const char *end = text + len;
	int count = 0;

	while ((text = memmem(text, (size_t) (end - text), word, word_len)) != NULL)
	{
		count++;
		text += word_len;
	}
	return count;
}
