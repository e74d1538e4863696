#include "auth.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "auth_cache.h"
#include "auth_issuers.h"
#include "auth_withdrawn.h"
#include "clock.h"
#include "db_account.h"
#include "log.h"
#include "xalloc.h"

#define SECOND         1000000LL
#define LEEWAY_S       5
#define WAITING_MAX    1000
#define BOT_CACHE_MAX  20000
#define BOT_TTL_US     (2 * SECOND)
#define NAME_CACHE_MAX 20000
#define NAME_TTL_US    (300 * SECOND)

/* One question that waits: for keys (a list), or for the database. */
typedef struct Check
{
	struct Check *next;
	Auth *auth;
	AuthDoneFn done;
	void *arg;
	Identity identity; /* as far as it is known */
	uint8_t hash[SHA256_SIZE];
	size_t len;
	char token[]; /* only while waiting for keys */
} Check;

struct Auth
{
	AuthConfig config;
	AuthIssuers *issuers;
	AuthWithdrawn *withdrawn;
	AuthCache *bots;
	AuthCache *names;
	Check *waiting; /* for keys */
	AuthCounts counts;
};

static bool open_issuers(Auth *auth, Error *err);
static void judge(Auth *auth, const char *token, size_t len, bool may_ask,
				  AuthDoneFn done, void *arg);
static bool keys_are_coming(Auth *auth, bool may_ask);
static bool wait_for_keys(Auth *auth, const char *token, size_t len,
						  AuthDoneFn done, void *arg);
static void on_keys(void *arg);
static Check *check_new(Auth *auth, AuthDoneFn done, void *arg, size_t len);
static bool read_identity(const AuthJudged *judged, Identity *identity);
static void find_bot(Auth *auth, const char *token, size_t len, AuthDoneFn done,
					 void *arg);
static void on_bot(void *arg, const DbError *error, const DbBotToken *token);
static void find_name(Auth *auth, const JwtClaims *claims,
					  const Identity *identity, AuthDoneFn done, void *arg);
static void on_name(void *arg, const DbError *error, const DbAccount *account);
static void on_fresh(void *arg, bool is_fresh);
static void finish(Auth *auth, const Identity *identity, AuthDoneFn done,
				   void *arg);
static void refuse(Auth *auth, const char *reason, AuthDoneFn done, void *arg);
static void unavailable(Auth *auth, AuthDoneFn done, void *arg);

Auth *
auth_open(const AuthConfig *config, Error *err)
{
	Auth *auth = xcalloc(1, sizeof(*auth));

	auth->config = *config;
	auth->issuers = auth_issuers_new();
	auth->withdrawn =
		auth_withdrawn_new(config->db, config->on_revoked, config->arg);
	auth->bots = auth_cache_new(BOT_CACHE_MAX, BOT_TTL_US);
	auth->names = auth_cache_new(NAME_CACHE_MAX, NAME_TTL_US);
	if (!open_issuers(auth, err))
		auth_close(&auth);
	return auth;
}

void
auth_stop(Auth *auth)
{
	Check *check;

	for (int i = 0; i < auth->issuers->count; i++)
		jwks_free(&auth->issuers->list[i].jwks);
	while ((check = auth->waiting) != NULL)
	{
		auth->waiting = check->next;
		auth->counts.waiting--;
		unavailable(auth, check->done, check->arg);
		free(check);
	}
}

void
auth_close(Auth **auth_ref)
{
	Auth *auth = *auth_ref;

	if (auth == NULL)
		return;
	*auth_ref = NULL;
	auth_stop(auth);
	auth_issuers_free(&auth->issuers);
	auth_withdrawn_free(&auth->withdrawn);
	auth_cache_free(&auth->bots);
	auth_cache_free(&auth->names);
	free(auth);
}

void
auth_tick(Auth *auth)
{
	for (int i = 0; i < auth->issuers->count; i++)
	{
		if (auth->issuers->list[i].jwks != NULL)
			jwks_tick(auth->issuers->list[i].jwks);
	}
	auth_withdrawn_tick(auth->withdrawn);
}

bool
auth_is_ready(const Auth *auth)
{
	return auth_withdrawn_is_known(auth->withdrawn);
}

void
auth_check(Auth *auth, const char *token, size_t len, AuthDoneFn done,
		   void *arg)
{
	if (bot_token_is_one(token, len))
		find_bot(auth, token, len, done, arg);
	else
		judge(auth, token, len, true, done, arg);
}

void
auth_recheck(Auth *auth, const Identity *identity, AuthDoneFn done, void *arg)
{
	Check *check = check_new(auth, done, arg, 0);

	check->identity = *identity;
	auth_withdrawn_ask(auth->withdrawn, on_fresh, check);
}

void
auth_note_withdrawn(Auth *auth, const Identity *identity)
{
	auth_withdrawn_note(auth->withdrawn, identity);
}

bool
auth_is_good(const Auth *auth, const Identity *identity)
{
	return clock_wall_us() / SECOND - LEEWAY_S < identity->expires_s &&
		   !auth_withdrawn_has(auth->withdrawn, identity);
}

bool
auth_allows(const Identity *identity, AuthScope scope)
{
	return (identity->scopes & scope) == scope;
}

bool
auth_issue(Auth *auth, const Uuid *user_id, int64_t ttl_s,
		   int64_t not_before_us, Buf *token, Identity *identity, Error *err)
{
	const AuthIssuer *own = &auth->issuers->list[0];
	int64_t now_us = clock_wall_us();
	JwtClaims claims = { 0 };

	if (auth->issuers->count == 0 || !own->is_local)
		return error_set(err, "there is no key to sign with");
	if (getrandom(identity->token_id.byte, 16, 0) != 16)
		return error_set(err, "there are no random bytes");
	identity->token_id.byte[6] = (identity->token_id.byte[6] & 0x0f) | 0x40;
	identity->token_id.byte[8] = (identity->token_id.byte[8] & 0x3f) | 0x80;
	identity->user_id = *user_id;
	/* Exact: a whole second could be before or behind a revocation in it. */
	identity->issued_us = not_before_us > now_us ? not_before_us : now_us;
	identity->expires_s = now_us / SECOND + ttl_s;
	identity->scopes = AUTH_ALL;
	identity->is_local = true;
	identity->is_bot = false;

	uuid_format(user_id, claims.subject);
	uuid_format(&identity->token_id, claims.id);
	if (own->issuer != NULL)
		strncat(claims.issuer, own->issuer, sizeof(claims.issuer) - 1);
	if (own->audience != NULL)
		strncat(claims.audience, own->audience, sizeof(claims.audience) - 1);
	claims.issued_us = identity->issued_us;
	claims.expires_s = identity->expires_s;
	return jwt_sign_hs256(&own->keys.key[0], &claims, token, err);
}

AuthCounts
auth_counts(const Auth *auth)
{
	AuthCounts counts = auth->counts;

	counts.listed = auth_withdrawn_count(auth->withdrawn);
	return counts;
}

static bool
open_issuers(Auth *auth, Error *err)
{
	const AuthConfig *config = &auth->config;

	if (config->secret_file != NULL &&
		!auth_issuers_add_local(auth->issuers, config->secret_file,
								config->issuer, config->audience, err))
		return false;
	if (config->issuers_file != NULL &&
		!auth_issuers_read(auth->issuers, config->issuers_file, err))
		return false;
	for (int i = 0; i < auth->issuers->count; i++)
	{
		AuthIssuer *issuer = &auth->issuers->list[i];
		JwksConfig jwks = { .issuer = issuer->issuer,
							.url = issuer->jwks_url,
							.ca_file = issuer->ca_file,
							.algs = issuer->algs,
							.on_done = on_keys,
							.arg = auth };

		if (issuer->jwks_url != NULL)
			issuer->jwks = jwks_new(config->loop, &jwks);
	}
	return true;
}

static void
judge(Auth *auth, const char *token, size_t len, bool may_ask, AuthDoneFn done,
	  void *arg)
{
	Identity identity;
	AuthJudged judged;

	auth_issuers_judge(auth->issuers, token, len, clock_wall_us() / SECOND,
					   &judged);
	if (judged.may_be_news && keys_are_coming(auth, may_ask) &&
		wait_for_keys(auth, token, len, done, arg))
		return;
	if (judged.may_be_news && !auth_issuers_are_there(auth->issuers))
		unavailable(auth, done, arg);
	else if (judged.reason != JWT_OK)
		refuse(auth, jwt_reason_name(judged.reason), done, arg);
	else if (!read_identity(&judged, &identity))
		refuse(auth, "no_user_id", done, arg);
	else if (judged.issuer->is_handle)
		find_name(auth, &judged.claims, &identity, done, arg);
	else
		finish(auth, &identity, done, arg);
}

/* The key may have been published since we asked. */
static bool
keys_are_coming(Auth *auth, bool may_ask)
{
	bool are_coming = false;

	for (int i = 0; i < auth->issuers->count; i++)
	{
		Jwks *jwks = auth->issuers->list[i].jwks;

		if (jwks != NULL && (may_ask ? jwks_want(jwks) : jwks_is_asking(jwks)))
			are_coming = true;
	}
	return are_coming;
}

/* False: too many wait. */
static bool
wait_for_keys(Auth *auth, const char *token, size_t len, AuthDoneFn done,
			  void *arg)
{
	Check *check;

	if (auth->counts.waiting >= WAITING_MAX)
		return false;
	check = check_new(auth, done, arg, len);
	memcpy(check->token, token, len);
	check->next = auth->waiting;
	auth->waiting = check;
	auth->counts.waiting++;
	return true;
}

/* Each asks once, and waits until nothing of what was asked is under way. */
static void
on_keys(void *arg)
{
	Auth *auth = arg;
	Check *check = auth->waiting;

	auth->waiting = NULL;
	while (check != NULL)
	{
		Check *next = check->next;

		auth->counts.waiting--;
		judge(auth, check->token, check->len, false, check->done, check->arg);
		free(check);
		check = next;
	}
}

static Check *
check_new(Auth *auth, AuthDoneFn done, void *arg, size_t len)
{
	Check *check = xcalloc(1, sizeof(*check) + len);

	check->auth = auth;
	check->done = done;
	check->arg = arg;
	check->len = len;
	return check;
}

static bool
read_identity(const AuthJudged *judged, Identity *identity)
{
	const JwtClaims *claims = &judged->claims;
	const char *user =
		judged->issuer->claim != NULL ? claims->claim : claims->subject;

	memset(identity, 0, sizeof(*identity));
	identity->issued_us = claims->issued_us;
	identity->expires_s = claims->expires_s;
	identity->scopes = AUTH_ALL;
	identity->is_local = judged->issuer->is_local;
	/* a jti of another kind cannot be withdrawn by name */
	if (!uuid_parse(claims->id, strlen(claims->id), &identity->token_id))
		memset(&identity->token_id, 0, sizeof(identity->token_id));
	return judged->issuer->is_handle ||
		   uuid_parse(user, strlen(user), &identity->user_id);
}

static void
find_bot(Auth *auth, const char *token, size_t len, AuthDoneFn done, void *arg)
{
	uint8_t hash[SHA256_SIZE];
	const Identity *known;
	Check *check;

	sha256_of(token, len, hash);
	if (auth_cache_get(auth->bots, hash, clock_now_us(), &known))
	{
		if (known != NULL)
			finish(auth, known, done, arg);
		else
			refuse(auth, "unknown_bot_token", done, arg);
	}
	else if (auth->config.db == NULL)
		refuse(auth, "unknown_bot_token", done, arg);
	else
	{
		check = check_new(auth, done, arg, 0);
		memcpy(check->hash, hash, sizeof(hash));
		db_bot_token(auth->config.db, hash, on_bot, check);
	}
}

static void
on_bot(void *arg, const DbError *error, const DbBotToken *token)
{
	Check *check = arg;
	Auth *auth = check->auth;
	Identity *identity = &check->identity;

	if (error->code != NULL)
		unavailable(auth, check->done, check->arg);
	else if (token == NULL)
	{
		auth_cache_put(auth->bots, check->hash, clock_now_us(), NULL);
		refuse(auth, "unknown_bot_token", check->done, check->arg);
	}
	else
	{
		identity->user_id = token->user_id;
		identity->token_id = token->id;
		identity->expires_s = token->expires_us / SECOND;
		identity->scopes = token->scopes;
		identity->is_bot = true;
		auth_cache_put(auth->bots, check->hash, clock_now_us(), identity);
		finish(auth, identity, check->done, check->arg);
	}
	free(check);
}

static void
find_name(Auth *auth, const JwtClaims *claims, const Identity *identity,
		  AuthDoneFn done, void *arg)
{
	size_t len = strlen(claims->claim);
	uint8_t hash[SHA256_SIZE];
	const Identity *known;
	Identity found = *identity;
	Check *check;

	sha256_of(claims->claim, len, hash);
	if (auth_cache_get(auth->names, hash, clock_now_us(), &known))
	{
		found.user_id = known->user_id;
		finish(auth, &found, done, arg);
	}
	else if (auth->config.db == NULL)
		refuse(auth, "unknown_handle", done, arg);
	else
	{
		check = check_new(auth, done, arg, 0);
		memcpy(check->hash, hash, sizeof(hash));
		check->identity = *identity;
		db_account_by_handle(auth->config.db, claims->claim, len, on_name,
							 check);
	}
}

/* Only who is there is remembered: somebody may be made any moment. */
static void
on_name(void *arg, const DbError *error, const DbAccount *account)
{
	Check *check = arg;
	Auth *auth = check->auth;

	if (error->code != NULL)
		unavailable(auth, check->done, check->arg);
	else if (account == NULL)
		refuse(auth, "unknown_handle", check->done, check->arg);
	else
	{
		check->identity.user_id = account->user_id;
		auth_cache_put(auth->names, check->hash, clock_now_us(),
					   &check->identity);
		finish(auth, &check->identity, check->done, check->arg);
	}
	free(check);
}

static void
on_fresh(void *arg, bool is_fresh)
{
	Check *check = arg;

	if (is_fresh)
		finish(check->auth, &check->identity, check->done, check->arg);
	else
		unavailable(check->auth, check->done, check->arg);
	free(check);
}

static void
finish(Auth *auth, const Identity *identity, AuthDoneFn done, void *arg)
{
	if (!auth_withdrawn_is_known(auth->withdrawn))
		unavailable(auth, done, arg);
	else if (auth_withdrawn_has(auth->withdrawn, identity))
	{
		auth->counts.withdrawn++;
		refuse(auth, "withdrawn", done, arg);
	}
	else
	{
		auth->counts.good++;
		done(arg, AUTH_GOOD, identity);
	}
}

static void
refuse(Auth *auth, const char *reason, AuthDoneFn done, void *arg)
{
	auth->counts.refused++;
	log_info("token refused", "reason=%s", reason);
	done(arg, AUTH_REFUSED, NULL);
}

static void
unavailable(Auth *auth, AuthDoneFn done, void *arg)
{
	auth->counts.unavailable++;
	done(arg, AUTH_UNAVAILABLE, NULL);
}
