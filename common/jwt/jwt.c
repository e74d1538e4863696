#include "jwt.h"

#include <inttypes.h>
#include <string.h>

#include "base64url.h"
#include "jwt_claims.h"
#include "jwt_signature.h"
#include "utf8.h"

/* The three parts, as they stand in the token. */
typedef struct Parts
{
	const char *header;
	size_t header_len;
	const char *payload;
	size_t payload_len;
	const char *signature;
	size_t signature_len;
} Parts;

static void append_text(Buf *json, const char *name, const char *text);
static void append_instant(Buf *json, const char *name, int64_t us);
static void append_time(Buf *json, const char *name, int64_t seconds);
static bool split(const char *token, size_t len, Parts *parts);
static JwtReason check_signature(const Parts *parts, const JwtHeader *header,
								 const JwtKeys *keys, const Buf *signature);

bool
jwt_sign_hs256(const JwtKey *key, const JwtClaims *claims, Buf *out, Error *err)
{
	uint8_t mac[JWT_HS256_SIZE];
	size_t begin = out->len;
	Buf json;

	if (key->alg != JWT_HS256 || key->secret_len < JWT_MIN_SECRET_SIZE)
		return error_set(err, "the key is not one for HS256");
	if (claims->subject[0] == '\0' || claims->expires_s <= 0)
		return error_set(err, "a token needs a subject and an expiry");
	if (!utf8_is_valid(claims->subject, strlen(claims->subject)) ||
		!utf8_is_valid(claims->issuer, strlen(claims->issuer)) ||
		!utf8_is_valid(claims->audience, strlen(claims->audience)) ||
		!utf8_is_valid(claims->id, strlen(claims->id)))
		return error_set(err, "subject, issuer, audience or id is not UTF-8");

	buf_init(&json);
	buf_append_str(&json, "{\"alg\":\"HS256\",\"typ\":\"JWT\"");
	append_text(&json, "kid", key->kid);
	buf_append_char(&json, '}');
	base64url_append(out, json.data, json.len);
	buf_append_char(out, '.');

	buf_reset(&json);
	buf_append_str(&json, "{\"sub\":");
	buf_append_json(&json, claims->subject, strlen(claims->subject));
	append_text(&json, "iss", claims->issuer);
	append_text(&json, "aud", claims->audience);
	append_text(&json, "jti", claims->id);
	append_instant(&json, "iat", claims->issued_us);
	append_time(&json, "nbf", claims->not_before_s);
	append_time(&json, "exp", claims->expires_s);
	buf_append_char(&json, '}');
	base64url_append(out, json.data, json.len);
	buf_fini(&json);

	if (!jwt_hs256(key, out->data + begin, out->len - begin, mac))
	{
		out->len = begin;
		out->data[begin] = '\0';
		return error_set(err, "could not compute the signature");
	}
	buf_append_char(out, '.');
	base64url_append(out, mac, sizeof mac);
	return true;
}

JwtReason
jwt_verify(const char *token, size_t len, const JwtKeys *keys,
		   const JwtExpect *expect, JwtClaims *claims)
{
	JwtReason reason = JWT_MALFORMED;
	JwtHeader header;
	Parts parts;
	Buf json;
	Buf signature;

	memset(claims, 0, sizeof *claims);
	if (len > JWT_MAX_LEN)
		return JWT_TOO_LONG;
	if (!split(token, len, &parts))
		return JWT_MALFORMED;

	buf_init(&json);
	buf_init(&signature);
	if (!base64url_decode(parts.header, parts.header_len, &json))
		goto cleanup;
	reason = jwt_header_read(json.data, json.len, &header);
	if (reason != JWT_OK)
		goto cleanup;

	reason = JWT_MALFORMED;
	if (!base64url_decode(parts.signature, parts.signature_len, &signature))
		goto cleanup;
	reason = check_signature(&parts, &header, keys, &signature);
	if (reason != JWT_OK)
		goto cleanup;

	/* from here on the bytes are those of somebody who has the key */
	reason = JWT_MALFORMED;
	buf_reset(&json);
	if (base64url_decode(parts.payload, parts.payload_len, &json))
		reason = jwt_claims_read(json.data, json.len, expect, claims);

cleanup:
	buf_fini(&json);
	buf_fini(&signature);
	return reason;
}

const char *
jwt_reason_name(JwtReason reason)
{
	switch (reason)
	{
		case JWT_OK:
			return "ok";
		case JWT_TOO_LONG:
			return "too_long";
		case JWT_MALFORMED:
			return "malformed";
		case JWT_FORBIDDEN_HEADER:
			return "forbidden_header";
		case JWT_WRONG_ALG:
			return "wrong_alg";
		case JWT_UNKNOWN_KEY:
			return "unknown_key";
		case JWT_BAD_SIGNATURE:
			return "bad_signature";
		case JWT_BAD_CLAIM:
			return "bad_claim";
		case JWT_NO_EXPIRY:
			return "no_expiry";
		case JWT_EXPIRED:
			return "expired";
		case JWT_NOT_YET:
			return "not_yet";
		case JWT_WRONG_ISSUER:
			return "wrong_issuer";
		case JWT_WRONG_AUDIENCE:
			return "wrong_audience";
	}
	return "unknown";
}

const char *
jwt_alg_name(JwtAlg alg)
{
	switch (alg)
	{
		case JWT_HS256:
			return "HS256";
		case JWT_RS256:
			return "RS256";
		case JWT_ES256:
			return "ES256";
		case JWT_EDDSA:
			return "EdDSA";
	}
	return "";
}

static void
append_text(Buf *json, const char *name, const char *text)
{
	if (text[0] == '\0')
		return;
	buf_printf(json, ",\"%s\":", name);
	buf_append_json(json, text, strlen(text));
}

static void
append_time(Buf *json, const char *name, int64_t seconds)
{
	if (seconds != 0)
		buf_printf(json, ",\"%s\":%" PRId64, name, seconds);
}

/* A NumericDate with a fraction. */
static void
append_instant(Buf *json, const char *name, int64_t us)
{
	if (us != 0)
		buf_printf(json, ",\"%s\":%" PRId64 ".%06d", name, us / 1000000,
				   (int) (us % 1000000));
}

static bool
split(const char *token, size_t len, Parts *parts)
{
	const char *end = token + len;
	const char *first = memchr(token, '.', len);
	const char *second;

	if (first == NULL)
		return false;
	second = memchr(first + 1, '.', (size_t) (end - first - 1));
	if (second == NULL ||
		memchr(second + 1, '.', (size_t) (end - second - 1)) != NULL)
		return false;

	*parts = (Parts){ .header = token,
					  .header_len = (size_t) (first - token),
					  .payload = first + 1,
					  .payload_len = (size_t) (second - first - 1),
					  .signature = second + 1,
					  .signature_len = (size_t) (end - second - 1) };
	return parts->header_len > 0 && parts->payload_len > 0;
}

static JwtReason
check_signature(const Parts *parts, const JwtHeader *header,
				const JwtKeys *keys, const Buf *signature)
{
	JwtReason reason = JWT_UNKNOWN_KEY;
	/* header and payload are neighbours in the token: one text is signed */
	size_t signed_len = parts->header_len + 1 + parts->payload_len;

	for (size_t i = 0; i < keys->count; i++)
	{
		const JwtKey *key = &keys->key[i];

		if (strcmp(key->kid, header->has_kid ? header->kid : "") != 0)
			continue;
		if (strcmp(jwt_alg_name(key->alg), header->alg) != 0)
		{
			if (reason == JWT_UNKNOWN_KEY)
				reason = JWT_WRONG_ALG;
			continue;
		}
		if (jwt_signature_is_good(key, parts->header, signed_len,
								  (const uint8_t *) signature->data,
								  signature->len))
			return JWT_OK;
		reason = JWT_BAD_SIGNATURE;
	}
	return reason;
}
