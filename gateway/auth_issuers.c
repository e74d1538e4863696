#include "auth_issuers.h"

#include <stdlib.h>
#include <string.h>

#include "xalloc.h"

#define LEEWAY_S 5

static bool is_final(JwtReason reason);
static int rank(JwtReason reason);

AuthIssuers *
auth_issuers_new(void)
{
	return xcalloc(1, sizeof(AuthIssuers));
}

void
auth_issuers_free(AuthIssuers **issuers)
{
	if (*issuers == NULL)
		return;
	for (int i = 0; i < AUTH_ISSUERS_MAX; i++)
	{
		AuthIssuer *issuer = &(*issuers)->list[i];

		jwks_free(&issuer->jwks);
		jwt_keys_wipe(&issuer->keys);
		free(issuer->issuer);
		free(issuer->audience);
		free(issuer->claim);
		free(issuer->jwks_url);
		free(issuer->ca_file);
	}
	free(*issuers);
	*issuers = NULL;
}

bool
auth_issuers_add_local(AuthIssuers *issuers, const char *secret_file,
					   const char *issuer, const char *audience, Error *err)
{
	AuthIssuer *own = &issuers->list[issuers->count];

	if (!jwt_keys_load(secret_file, &own->keys, err))
		return false;
	own->is_local = true;
	own->algs = JWT_ALG_BIT(JWT_HS256);
	if (issuer != NULL)
		own->issuer = xstrdup(issuer);
	if (audience != NULL)
		own->audience = xstrdup(audience);
	issuers->count++;
	return true;
}

bool
auth_issuers_are_there(const AuthIssuers *issuers)
{
	for (int i = 0; i < issuers->count; i++)
	{
		if (issuers->list[i].jwks != NULL &&
			jwks_keys(issuers->list[i].jwks)->count == 0)
			return false;
	}
	return true;
}

void
auth_issuers_judge(const AuthIssuers *issuers, const char *token, size_t len,
				   int64_t now_s, AuthJudged *judged)
{
	judged->reason = JWT_UNKNOWN_KEY;
	judged->issuer = NULL;
	judged->may_be_news = false;
	memset(&judged->claims, 0, sizeof(judged->claims));
	for (int i = 0; i < issuers->count; i++)
	{
		const AuthIssuer *issuer = &issuers->list[i];
		const JwtKeys *keys =
			issuer->jwks != NULL ? jwks_keys(issuer->jwks) : &issuer->keys;
		JwtExpect expect = { .issuer = issuer->issuer,
							 .audience = issuer->audience,
							 .claim = issuer->claim,
							 .leeway_s = LEEWAY_S,
							 .now_s = now_s };
		JwtReason reason =
			jwt_verify(token, len, keys, &expect, &judged->claims);

		if (reason == JWT_UNKNOWN_KEY && issuer->jwks != NULL)
			judged->may_be_news = true;
		if (i == 0 || rank(reason) > rank(judged->reason))
			judged->reason = reason;
		if (reason == JWT_OK)
			judged->issuer = issuer;
		if (is_final(reason))
			break;
	}
	if (rank(judged->reason) > rank(JWT_BAD_SIGNATURE))
		judged->may_be_news = false;
}

/* Good, or bad before anybody's key was looked for. */
static bool
is_final(JwtReason reason)
{
	return reason == JWT_OK || reason == JWT_TOO_LONG ||
		   reason == JWT_MALFORMED || reason == JWT_FORBIDDEN_HEADER;
}

static int
rank(JwtReason reason)
{
	switch (reason)
	{
		case JWT_UNKNOWN_KEY:
			return 0;
		case JWT_WRONG_ALG:
			return 1;
		case JWT_BAD_SIGNATURE:
			return 2;
		case JWT_WRONG_ISSUER:
		case JWT_WRONG_AUDIENCE:
			return 3;
		case JWT_BAD_CLAIM:
		case JWT_NO_EXPIRY:
		case JWT_EXPIRED:
		case JWT_NOT_YET:
			return 4;
		case JWT_TOO_LONG:
		case JWT_MALFORMED:
		case JWT_FORBIDDEN_HEADER:
			return 5;
		case JWT_OK:
			return 6;
	}
	return 0;
}
