#include "jwt_peek.h"

#include <string.h>

#include "base64url.h"
#include "jwt_claims.h"

bool
jwt_peek(const char *token, size_t len, JwtClaims *claims)
{
	const char *end = token + len;
	const char *payload = memchr(token, '.', len);
	const char *signature;
	bool is_read = false;
	Buf json;

	memset(claims, 0, sizeof *claims);
	if (payload == NULL || len > JWT_MAX_LEN)
		return false;
	payload++;
	signature = memchr(payload, '.', (size_t) (end - payload));
	if (signature == NULL)
		return false;
	buf_init(&json);
	if (base64url_decode(payload, (size_t) (signature - payload), &json))
		is_read = jwt_claims_peek(json.data != NULL ? json.data : "", json.len,
								  claims);
	buf_fini(&json);
	return is_read;
}
