#include "auth.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "jwt.h"
#include "log.h"
#include "xalloc.h"

#define LEEWAY_S 5

struct Auth
{
	JwtKeys keys;
	char *issuer;
	char *audience;
};

Auth *
auth_open(const char *secret_file, const char *issuer, const char *audience,
		  Error *err)
{
	Auth *auth = xcalloc(1, sizeof(*auth));

	if (!jwt_keys_load(secret_file, &auth->keys, err))
	{
		auth_close(&auth);
		return NULL;
	}
	auth->issuer = issuer != NULL ? xstrdup(issuer) : NULL;
	auth->audience = audience != NULL ? xstrdup(audience) : NULL;
	return auth;
}

void
auth_close(Auth **auth_ref)
{
	Auth *auth = *auth_ref;

	if (auth == NULL)
		return;
	*auth_ref = NULL;
	jwt_keys_wipe(&auth->keys);
	free(auth->issuer);
	free(auth->audience);
	free(auth);
}

bool
auth_check(const Auth *auth, const char *token, size_t len, Uuid *user_id,
		   int64_t *expires_s)
{
	JwtExpect expect = {
		.issuer = auth->issuer,
		.audience = auth->audience,
		.leeway_s = LEEWAY_S,
		.now_s = clock_wall_us() / 1000000,
	};
	JwtClaims claims;
	JwtReason reason = jwt_verify(token, len, &auth->keys, &expect, &claims);

	if (reason != JWT_OK)
	{
		log_info("token refused", "reason=%s", jwt_reason_name(reason));
		return false;
	}
	if (!uuid_parse(claims.subject, strlen(claims.subject), user_id))
	{
		log_info("token refused", "reason=sub_is_no_user_id");
		return false;
	}
	*expires_s = claims.expires_s;
	return true;
}
