#include "jwt_jwks.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <string.h>

#include "base64url.h"
#include "jwt_public_key.h"

/* Members that hold a private part (RFC 7518 6.2.2, 6.3.2, 6.4.1, RFC 8037). */
static const char *const private_members[] = { "d",  "p",  "q",   "dp",
											   "dq", "qi", "oth", "k" };

static bool read_key(const json_t *jwk, unsigned algs, JwtKeys *keys,
					 Error *err);
static bool check_purpose(const json_t *jwk, Error *err);
static bool check_alg(const json_t *jwk, JwtAlg alg, unsigned algs, Error *err);
static bool read_numbers(const json_t *jwk, JwtKey *key, Error *err);
static bool read_curve(const json_t *jwk, const char *curve, Error *err);
static bool read_bytes(const json_t *jwk, const char *name, Buf *out,
					   Error *err);

bool
jwt_jwks_read(const char *json, size_t len, unsigned algs, JwtKeys *keys,
			  size_t *skipped, Error *err)
{
	size_t had = keys->count;
	json_t *document = NULL;
	const json_t *list;
	size_t count;

	*skipped = 0;
	if (len > JWT_JWKS_MAX_SIZE)
		return error_set(err, "the document is larger than %d bytes",
						 JWT_JWKS_MAX_SIZE);
	document = json_loadb(json, len, JSON_REJECT_DUPLICATES, NULL);
	if (document == NULL || !json_is_object(document))
	{
		json_decref(document);
		return error_set(err, "the document is no JSON object");
	}

	list = json_object_get(document, "keys");
	if (list == NULL && json_object_get(document, "kty") != NULL)
	{
		count = 1;
		*skipped = !read_key(document, algs, keys, err);
	}
	else
	{
		count = json_is_array(list) ? json_array_size(list) : 0;
		for (size_t i = 0; i < count; i++)
			*skipped += !read_key(json_array_get(list, i), algs, keys, err);
	}
	json_decref(document);
	if (count == 0)
		return error_set(err, "there is no key in the document");
	if (keys->count == had)
		return error_wrap(err, "there is no usable key in the document");
	return true;
}

static bool
read_key(const json_t *jwk, unsigned algs, JwtKeys *keys, Error *err)
{
	JwtKey key = { .alg = JWT_RS256 };
	const json_t *kid;

	if (!json_is_object(jwk))
		return error_set(err, "a key is no JSON object");
	for (size_t i = 0; i < sizeof private_members / sizeof *private_members;
		 i++)
	{
		if (json_object_get(jwk, private_members[i]) != NULL)
			return error_set(err, "a key has a private part");
	}
	kid = json_object_get(jwk, "kid");
	if (kid != NULL)
	{
		size_t len = json_string_length(kid);

		if (!json_is_string(kid) || len == 0 || len > JWT_MAX_KID)
			return error_set(err, "a key's kid has not 1 to %d bytes",
							 JWT_MAX_KID);
		memcpy(key.kid, json_string_value(kid), len + 1);
	}
	if (!check_purpose(jwk, err) || !read_numbers(jwk, &key, err))
		return false;
	if (check_alg(jwk, key.alg, algs, err) && jwt_keys_take(keys, &key, err))
		return true;
	EVP_PKEY_free(key.public_key);
	return false;
}

/* For signatures, and for checking them (RFC 7517 4.2, 4.3). */
static bool
check_purpose(const json_t *jwk, Error *err)
{
	const json_t *use = json_object_get(jwk, "use");
	const json_t *ops = json_object_get(jwk, "key_ops");
	bool may_verify = false;

	if (use != NULL &&
		(!json_is_string(use) || strcmp(json_string_value(use), "sig") != 0))
		return error_set(err, "a key's use is not sig");
	if (ops == NULL)
		return true;
	for (size_t i = 0; json_is_array(ops) && i < json_array_size(ops); i++)
	{
		const json_t *op = json_array_get(ops, i);

		if (json_is_string(op) && strcmp(json_string_value(op), "verify") == 0)
			may_verify = true;
	}
	return may_verify || error_set(err, "a key's key_ops have no verify");
}

/* Its kind says which; where it says so itself, both must agree. */
static bool
check_alg(const json_t *jwk, JwtAlg alg, unsigned algs, Error *err)
{
	const json_t *said = json_object_get(jwk, "alg");

	if (said != NULL &&
		(!json_is_string(said) ||
		 strcmp(json_string_value(said), jwt_alg_name(alg)) != 0))
		return error_set(err, "a key's alg is not %s", jwt_alg_name(alg));
	if ((algs & JWT_ALG_BIT(alg)) == 0)
		return error_set(err, "a key is for %s, which is not asked for",
						 jwt_alg_name(alg));
	return true;
}

static bool
read_numbers(const json_t *jwk, JwtKey *key, Error *err)
{
	const char *kty = json_string_value(json_object_get(jwk, "kty"));
	bool is_read = false;
	Buf first;
	Buf second;

	buf_init(&first);
	buf_init(&second);
	if (kty != NULL && strcmp(kty, "RSA") == 0)
		is_read = read_bytes(jwk, "n", &first, err) &&
				  read_bytes(jwk, "e", &second, err) &&
				  jwt_public_key_rsa(key, &first, &second, err);
	else if (kty != NULL && strcmp(kty, "EC") == 0)
		is_read = read_curve(jwk, "P-256", err) &&
				  read_bytes(jwk, "x", &first, err) &&
				  read_bytes(jwk, "y", &second, err) &&
				  jwt_public_key_p256(key, &first, &second, err);
	else if (kty != NULL && strcmp(kty, "OKP") == 0)
		is_read = read_curve(jwk, "Ed25519", err) &&
				  read_bytes(jwk, "x", &first, err) &&
				  jwt_public_key_ed25519(key, &first, err);
	else
		error_set(err, "a key's kty is none of RSA, EC, OKP");
	buf_fini(&first);
	buf_fini(&second);
	return is_read;
}

static bool
read_curve(const json_t *jwk, const char *curve, Error *err)
{
	const char *said = json_string_value(json_object_get(jwk, "crv"));

	return (said != NULL && strcmp(said, curve) == 0) ||
		   error_set(err, "a key's crv is not %s", curve);
}

static bool
read_bytes(const json_t *jwk, const char *name, Buf *out, Error *err)
{
	const json_t *value = json_object_get(jwk, name);

	return (json_is_string(value) &&
			base64url_decode(json_string_value(value),
							 json_string_length(value), out) &&
			out->len > 0) ||
		   error_set(err, "a key's %s is no base64url", name);
}
