#include "jwt_claims.h"

#include <jansson.h>
#include <math.h>
#include <string.h>
#include <strings.h>

/* Beyond 2^53 a double, and so JavaScript, no longer tells seconds apart. */
#define MAX_TIME_S 9007199254740992

static json_t *read_object(const char *json, size_t len);
static bool read_text(const json_t *object, const char *name, char *out,
					  size_t size, bool *is_there);
static bool read_time(const json_t *object, const char *name, int64_t *seconds,
					  bool *is_there);
static bool is_known_type(const char *type);
static JwtReason check_times(const json_t *object, const JwtExpect *expect,
							 JwtClaims *claims);
static JwtReason check_audience(const json_t *object, const JwtExpect *expect,
								JwtClaims *claims);

JwtReason
jwt_header_read(const char *json, size_t len, JwtHeader *header)
{
	/* each would let the token choose what it is checked against */
	static const char *const forbidden[] = { "crit", "jku", "jwk",
											 "x5u",  "x5c", "b64" };
	JwtReason reason = JWT_MALFORMED;
	json_t *object = read_object(json, len);
	char type[32];
	bool has_type;
	bool has_alg;

	memset(header, 0, sizeof *header);
	if (object == NULL)
		return JWT_MALFORMED;

	for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++)
	{
		if (json_object_get(object, forbidden[i]) != NULL)
		{
			reason = JWT_FORBIDDEN_HEADER;
			goto cleanup;
		}
	}
	if (!read_text(object, "typ", type, sizeof type, &has_type) ||
		(has_type && !is_known_type(type)))
		reason = JWT_FORBIDDEN_HEADER;
	else if (!read_text(object, "alg", header->alg, sizeof header->alg,
						&has_alg) ||
			 !has_alg)
		reason = JWT_WRONG_ALG;
	else if (!read_text(object, "kid", header->kid, sizeof header->kid,
						&header->has_kid))
		reason = JWT_UNKNOWN_KEY;
	else
		reason = JWT_OK;

cleanup:
	json_decref(object);
	return reason;
}

JwtReason
jwt_claims_read(const char *json, size_t len, const JwtExpect *expect,
				JwtClaims *claims)
{
	json_t *object = read_object(json, len);
	JwtReason reason;
	bool has_subject;
	bool has_issuer;
	bool has_id;
	bool has_claim = true;

	memset(claims, 0, sizeof *claims);
	if (object == NULL)
		return JWT_MALFORMED;

	reason = check_times(object, expect, claims);
	if (reason != JWT_OK)
		goto cleanup;
	if (!read_text(object, "sub", claims->subject, sizeof claims->subject,
				   &has_subject) ||
		!has_subject ||
		!read_text(object, "iss", claims->issuer, sizeof claims->issuer,
				   &has_issuer) ||
		!read_text(object, "jti", claims->id, sizeof claims->id, &has_id) ||
		(expect->claim != NULL &&
		 !read_text(object, expect->claim, claims->claim, sizeof claims->claim,
					&has_claim)) ||
		!has_claim)
		reason = JWT_BAD_CLAIM;
	else if (expect->issuer != NULL &&
			 strcmp(expect->issuer, claims->issuer) != 0)
		reason = JWT_WRONG_ISSUER;
	else
		reason = check_audience(object, expect, claims);

cleanup:
	json_decref(object);
	if (reason != JWT_OK)
		memset(claims, 0, sizeof *claims);
	return reason;
}

bool
jwt_claims_peek(const char *json, size_t len, JwtClaims *claims)
{
	json_t *object = read_object(json, len);
	bool has_subject = false;
	bool has_expiry = false;
	bool has_id;
	bool is_read;

	if (object == NULL)
		return false;
	is_read =
		read_text(object, "sub", claims->subject, sizeof claims->subject,
				  &has_subject) &&
		read_text(object, "jti", claims->id, sizeof claims->id, &has_id) &&
		read_time(object, "exp", &claims->expires_s, &has_expiry);
	json_decref(object);
	return is_read && has_subject && has_expiry;
}

static json_t *
read_object(const char *json, size_t len)
{
	/* without JSON_ALLOW_NUL: a text is as long as it says */
	json_t *value = json_loadb(json, len, JSON_REJECT_DUPLICATES, NULL);

	if (value != NULL && !json_is_object(value))
	{
		json_decref(value);
		value = NULL;
	}
	return value;
}

/* False when it is there and is not a text of 1 to size-1 bytes. */
static bool
read_text(const json_t *object, const char *name, char *out, size_t size,
		  bool *is_there)
{
	const json_t *value = json_object_get(object, name);
	size_t len;

	*is_there = value != NULL;
	out[0] = '\0';
	if (value == NULL)
		return true;
	if (!json_is_string(value))
		return false;
	len = json_string_length(value);
	if (len == 0 || len >= size)
		return false;
	memcpy(out, json_string_value(value), len + 1);
	return true;
}

/* A NumericDate (RFC 7519 2), rounded down; false when it is there and odd. */
static bool
read_time(const json_t *object, const char *name, int64_t *seconds,
		  bool *is_there)
{
	const json_t *value = json_object_get(object, name);

	*is_there = value != NULL;
	*seconds = 0;
	if (value == NULL)
		return true;
	if (json_is_integer(value))
		*seconds = json_integer_value(value);
	else if (json_is_real(value) && isfinite(json_real_value(value)) &&
			 fabs(json_real_value(value)) <= (double) MAX_TIME_S)
		*seconds = (int64_t) floor(json_real_value(value));
	else
		return false;
	return *seconds > 0 && *seconds <= MAX_TIME_S;
}

/* RFC 7519 5.1, RFC 9068 2.1; a token made for something else is not ours. */
static bool
is_known_type(const char *type)
{
	if (strncasecmp(type, "application/", 12) == 0)
		type += 12;
	return strcasecmp(type, "JWT") == 0 || strcasecmp(type, "at+jwt") == 0;
}

static JwtReason
check_times(const json_t *object, const JwtExpect *expect, JwtClaims *claims)
{
	bool has_expiry;
	bool has_start;
	bool has_issued;
	int64_t issued_s;
	int64_t latest_s = expect->now_s + expect->leeway_s;

	if (!read_time(object, "exp", &claims->expires_s, &has_expiry) ||
		!read_time(object, "nbf", &claims->not_before_s, &has_start) ||
		!read_time(object, "iat", &issued_s, &has_issued))
		return JWT_BAD_CLAIM;
	if (!has_expiry)
		return JWT_NO_EXPIRY;
	if (expect->now_s - expect->leeway_s >= claims->expires_s)
		return JWT_EXPIRED;
	if ((has_start && claims->not_before_s > latest_s) ||
		(has_issued && issued_s > latest_s))
		return JWT_NOT_YET;
	claims->issued_us =
		json_is_real(json_object_get(object, "iat"))
			? llround(json_real_value(json_object_get(object, "iat")) * 1e6)
			: issued_s * 1000000;
	return JWT_OK;
}

/* One text or a list of texts (RFC 7519 4.1.3). */
static JwtReason
check_audience(const json_t *object, const JwtExpect *expect, JwtClaims *claims)
{
	json_t *audience = json_object_get(object, "aud");
	size_t count = json_is_array(audience) ? json_array_size(audience) : 1;
	bool is_ours = false;

	if (audience == NULL)
		return expect->audience == NULL ? JWT_OK : JWT_WRONG_AUDIENCE;
	for (size_t i = 0; i < count; i++)
	{
		const json_t *one =
			json_is_array(audience) ? json_array_get(audience, i) : audience;

		if (!json_is_string(one))
			return JWT_BAD_CLAIM;
		if (expect->audience != NULL &&
			strcmp(json_string_value(one), expect->audience) == 0)
			is_ours = true;
	}
	if (!is_ours || strlen(expect->audience) > JWT_MAX_TEXT)
		return JWT_WRONG_AUDIENCE;
	memcpy(claims->audience, expect->audience, strlen(expect->audience) + 1);
	return JWT_OK;
}
