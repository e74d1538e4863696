/*
 * auth_issuers - whose signatures count, and for what
 *
 * A token is checked with the keys it names, whoever's they are, and then has
 * to be that issuer's: its `iss`, its `aud`, the claim that names the user.
 * So nothing of the payload is looked at before the signature is good, and no
 * issuer can speak for another.
 *
 * The first issuer may be ourselves (keys that chemchatctl makes, HS256); the
 * others stand in a file (docs/operations.md, "Issuers"):
 *
 *   {"issuers": [{"issuer": "https://id.example/", "audience": "chemchat",
 *                 "jwks_url": "https://id.example/keys",
 *                 "handle_claim": "preferred_username"}]}
 *
 * Owns what it read.  One thread.
 */
#ifndef CHEMCHAT_AUTH_ISSUERS_H
#define CHEMCHAT_AUTH_ISSUERS_H

#include <stdbool.h>
#include <stddef.h>

#include "jwks.h"
#include "jwt.h"

#define AUTH_ISSUERS_MAX 16

typedef struct AuthIssuer
{
	char *issuer;   /* NULL: tokens need have none */
	char *audience; /* NULL: tokens may have none */
	char *claim;    /* names the user; NULL: sub */
	bool is_handle; /* it is a handle, else the user's id */
	bool is_local;  /* ourselves */
	unsigned algs;  /* set of JWT_ALG_BIT */
	char *jwks_url; /* NULL: the keys are those below */
	char *ca_file;
	JwtKeys keys;
	Jwks *jwks; /* NULL until begun, and without jwks_url */
} AuthIssuer;

typedef struct AuthIssuers
{
	int count;
	AuthIssuer list[AUTH_ISSUERS_MAX];
} AuthIssuers;

AuthIssuers *auth_issuers_new(void);
void auth_issuers_free(AuthIssuers **issuers);

/* Ourselves; issuer and audience may be NULL. */
bool auth_issuers_add_local(AuthIssuers *issuers, const char *secret_file,
							const char *issuer, const char *audience,
							Error *err) MUST_CHECK;

/*
 * Adds those of the file, and reads the key files it names (relative to its
 * own folder).  err says what is wrong where: "issuers[1].jwks_url: ...".
 */
bool auth_issuers_read(AuthIssuers *issuers, const char *path,
					   Error *err) MUST_CHECK;

/* Every issuer that publishes its keys has been heard once. */
bool auth_issuers_are_there(const AuthIssuers *issuers);

typedef struct AuthJudged
{
	JwtReason reason;
	const AuthIssuer *issuer; /* whose token it is, when JWT_OK */
	JwtClaims claims;
	/*
	 * Nobody's key fits, and one who has none of that name may have published
	 * it meanwhile: two issuers may name their keys alike.
	 */
	bool may_be_news;
} AuthJudged;

/* Of several reasons the one that came furthest. */
void auth_issuers_judge(const AuthIssuers *issuers, const char *token,
						size_t len, int64_t now_s, AuthJudged *judged);

#endif
