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

static bool read_identity(const JwtClaims *claims, Identity *identity);

Auth *
auth_open(const AuthConfig *config, Error *err)
{
	Auth *auth = xcalloc(1, sizeof(*auth));

	if (!jwt_keys_load(config->secret_file, &auth->keys, err))
	{
		auth_close(&auth);
		return NULL;
	}
	if (config->issuer != NULL)
		auth->issuer = xstrdup(config->issuer);
	if (config->audience != NULL)
		auth->audience = xstrdup(config->audience);
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

void
auth_check(Auth *auth, const char *token, size_t len, AuthDoneFn done,
		   void *arg)
{
	JwtExpect expect = {
		.issuer = auth->issuer,
		.audience = auth->audience,
		.leeway_s = LEEWAY_S,
		.now_s = clock_wall_us() / 1000000,
	};
	Identity identity = { .scopes = AUTH_ALL };
	JwtClaims claims;
	JwtReason reason = jwt_verify(token, len, &auth->keys, &expect, &claims);

	if (reason != JWT_OK)
	{
		log_info("token refused", "reason=%s", jwt_reason_name(reason));
		done(arg, AUTH_REFUSED, NULL);
	}
	else if (!read_identity(&claims, &identity))
	{
		log_info("token refused", "reason=sub_is_no_user_id");
		done(arg, AUTH_REFUSED, NULL);
	}
	else
		done(arg, AUTH_GOOD, &identity);
}

bool
auth_is_good(const Auth *auth, const Identity *identity)
{
	(void) auth;
	return clock_wall_us() / 1000000 - LEEWAY_S < identity->expires_s;
}

bool
auth_allows(const Identity *identity, AuthScope scope)
{
	return (identity->scopes & scope) == scope;
}

static bool
read_identity(const JwtClaims *claims, Identity *identity)
{
	identity->issued_s = claims->issued_s;
	identity->expires_s = claims->expires_s;
	/* a jti of another kind cannot be withdrawn by name */
	if (!uuid_parse(claims->id, strlen(claims->id), &identity->token_id))
		memset(&identity->token_id, 0, sizeof(identity->token_id));
	return uuid_parse(claims->subject, strlen(claims->subject),
					  &identity->user_id);
}
