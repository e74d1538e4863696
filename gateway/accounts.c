#include "accounts.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "db_account.h"
#include "log.h"
#include "password_work.h"
#include "sign_in_throttle.h"
#include "xalloc.h"

struct Accounts
{
	Db *db;
	Auth *auth;
	bool is_on;
	bool is_stopped;
	int64_t ttl_s;
	PasswordWork *work;
	SignInThrottle *throttle;
	AccountsCounts counts;
};

/* One call under way; which texts it holds depends on what it is. */
typedef struct Call
{
	Accounts *accounts;
	AccountDoneFn done;
	void *arg;
	Identity identity; /* who asks; of a sign-in, who it turns out to be */
	int64_t tokens_from_us;
	bool is_change; /* of a password; else a sign-in */
	bool may_enter; /* there is such an account */
	char *name;     /* what attempts are counted by */
	char *address;
	char *password; /* as given; both are wiped */
	char *new_password;
} Call;

static Call *call_new(Accounts *accounts, AccountDoneFn done, void *arg);
static void call_free(Call *call);
static char *copy_secret(Slice secret);
static void wipe(char **secret);
static bool begin_attempt(Call *call);
static void on_account(void *arg, const DbError *error,
					   const DbAccount *account);
static void on_verified(void *arg, PasswordOutcome outcome, const char *hash);
static void on_hashed(void *arg, PasswordOutcome outcome, const char *hash);
static void on_set(void *arg, const DbError *error);
static void on_changed(void *arg, const DbError *error,
					   const DbAccount *account);
static void on_rechecked(void *arg, AuthVerdict verdict,
						 const Identity *identity);
static void on_revoked(void *arg, const DbError *error);
static void begin_session(Call *call);
static void enter(Call *take_call);
static void refuse(Call *take_call, const char *code, const char *field,
				   int64_t retry_ms);
static void refuse_busy(Call *take_call);

Accounts *
accounts_open(uv_loop_t *loop, Db *db, Auth *auth, bool is_on, int64_t ttl_s,
			  Error *err)
{
	Accounts *accounts = xcalloc(1, sizeof(*accounts));

	accounts->db = db;
	accounts->auth = auth;
	accounts->is_on = is_on;
	accounts->ttl_s = ttl_s;
	accounts->throttle = sign_in_throttle_new();
	if (is_on && (accounts->work = password_work_new(loop, err)) == NULL)
		accounts_free(&accounts);
	return accounts;
}

void
accounts_stop(Accounts *accounts)
{
	accounts->is_stopped = true;
	password_work_free(&accounts->work);
}

void
accounts_free(Accounts **accounts)
{
	if (*accounts == NULL)
		return;
	accounts_stop(*accounts);
	sign_in_throttle_free(&(*accounts)->throttle);
	free(*accounts);
	*accounts = NULL;
}

void
accounts_sign_in(Accounts *accounts, Slice handle, Slice password,
				 const char *address, AccountDoneFn done, void *arg)
{
	Call *call = call_new(accounts, done, arg);

	call->name = xstrndup(handle.at, handle.len);
	call->address = xstrdup(address);
	call->password = copy_secret(password);
	if (handle.len == 0 || handle.len > SIGN_IN_HANDLE_MAX)
		refuse(call, "invalid_argument", "handle", 0);
	else if (password.len > PASSWORD_MAX_SIZE)
		refuse(call, "invalid_argument", "password", 0);
	else if (begin_attempt(call))
		db_account_by_handle(accounts->db, handle.at, handle.len, on_account,
							 call);
}

void
accounts_refresh(Accounts *accounts, const Identity *identity,
				 AccountDoneFn done, void *arg)
{
	Call *call = call_new(accounts, done, arg);

	call->identity = *identity;
	/* not older than the one it follows, which another gateway may have issued */
	call->tokens_from_us = identity->issued_us;
	if (!accounts->is_on || !identity->is_local)
		refuse(call, "forbidden", "", 0);
	else
		auth_recheck(accounts->auth, identity, on_rechecked, call);
}

void
accounts_sign_out(Accounts *accounts, const Identity *identity,
				  AccountDoneFn done, void *arg)
{
	static const Uuid none;
	Call *call = call_new(accounts, done, arg);

	call->identity = *identity;
	/* A bot's is taken back by who gave it; one without a name cannot be. */
	if (identity->is_bot || uuid_equal(&identity->token_id, &none))
		refuse(call, "forbidden", "", 0);
	else
		db_revoke_session(accounts->db, &identity->token_id, &identity->user_id,
						  identity->expires_s, on_revoked, call);
}

void
accounts_change_password(Accounts *accounts, const Identity *identity,
						 Slice old_password, Slice new_password,
						 const char *address, AccountDoneFn done, void *arg)
{
	Call *call = call_new(accounts, done, arg);
	char name[UUID_TEXT_LEN + 1];
	Error err;

	call->is_change = true;
	call->identity = *identity;
	call->name = xstrdup(uuid_format(&identity->user_id, name));
	call->address = xstrdup(address);
	call->password = copy_secret(old_password);
	call->new_password = copy_secret(new_password);
	if (identity->is_bot)
		refuse(call, "forbidden", "", 0);
	else if (old_password.len > PASSWORD_MAX_SIZE)
		refuse(call, "invalid_argument", "oldPassword", 0);
	else if (!password_check(new_password.at, new_password.len, &err))
		refuse(call, "invalid_argument", "newPassword", 0);
	else if (begin_attempt(call))
		db_account_by_id(accounts->db, &identity->user_id, on_account, call);
}

AccountsCounts
accounts_counts(const Accounts *accounts)
{
	return accounts->counts;
}

static Call *
call_new(Accounts *accounts, AccountDoneFn done, void *arg)
{
	Call *call = xcalloc(1, sizeof(*call));

	call->accounts = accounts;
	call->done = done;
	call->arg = arg;
	return call;
}

static void
call_free(Call *call)
{
	wipe(&call->password);
	wipe(&call->new_password);
	free(call->name);
	free(call->address);
	free(call);
}

static char *
copy_secret(Slice secret)
{
	return xstrndup(secret.len > 0 ? secret.at : "", secret.len);
}

static void
wipe(char **secret)
{
	if (*secret != NULL)
		explicit_bzero(*secret, strlen(*secret));
	free(*secret);
	*secret = NULL;
}

/* False, and answered: not allowed now. */
static bool
begin_attempt(Call *call)
{
	Accounts *accounts = call->accounts;
	int64_t wait_ms;

	if (!accounts->is_on)
	{
		refuse(call, "not_found", "", 0);
		return false;
	}
	wait_ms = sign_in_throttle_begin(accounts->throttle, call->name,
									 strlen(call->name), call->address,
									 clock_now_us());
	if (wait_ms == 0)
		return true;
	accounts->counts.throttled++;
	refuse(call, "rate_limited", "", wait_ms);
	return false;
}

/* Whoever it is or is not: the same work follows. */
static void
on_account(void *arg, const DbError *error, const DbAccount *account)
{
	Call *call = arg;
	Accounts *accounts = call->accounts;
	const char *hash = NULL;

	if (error->code != NULL)
	{
		refuse(call, error->code, "", 0);
		return;
	}
	if (account != NULL && account->password_hash != NULL &&
		!account->is_deactivated)
	{
		call->may_enter = true;
		call->identity.user_id = account->user_id;
		call->tokens_from_us = account->tokens_from_us;
		hash = account->password_hash;
	}
	if (accounts->is_stopped)
		refuse(call, "unavailable", "", 0);
	else if (!password_work_verify(accounts->work, hash, call->password,
								   strlen(call->password), on_verified, call))
		refuse_busy(call);
}

static void
on_verified(void *arg, PasswordOutcome outcome, const char *hash)
{
	Call *call = arg;
	Accounts *accounts = call->accounts;

	(void) hash;
	if (outcome == PASSWORD_UNAVAILABLE)
	{
		refuse(call, "unavailable", "", 0);
		return;
	}
	if (outcome == PASSWORD_BAD || !call->may_enter)
	{
		accounts->counts.wrong++;
		log_info("a password was wrong", "address=%s",
				 log_quote(call->address));
		refuse(call, "invalid_credentials", "", 0);
		return;
	}
	sign_in_throttle_good(accounts->throttle, call->name, strlen(call->name),
						  call->address, clock_now_us());
	if (!call->is_change)
		begin_session(call);
	else if (!password_work_hash(accounts->work, call->new_password,
								 strlen(call->new_password), on_hashed, call))
		refuse_busy(call);
}

static void
on_hashed(void *arg, PasswordOutcome outcome, const char *hash)
{
	Call *call = arg;

	if (outcome != PASSWORD_GOOD)
		refuse(call, "unavailable", "", 0);
	else
		db_set_password(call->accounts->db, &call->identity.user_id, hash,
						on_set, call);
}

static void
on_set(void *arg, const DbError *error)
{
	Call *call = arg;

	if (error->code != NULL)
		refuse(call, error->code, "", 0);
	else
		db_account_by_id(call->accounts->db, &call->identity.user_id,
						 on_changed, call);
}

/* From when on tokens are good, by the clock that judges them. */
static void
on_changed(void *arg, const DbError *error, const DbAccount *account)
{
	Call *call = arg;

	if (error->code != NULL || account == NULL)
	{
		refuse(call, error->code != NULL ? error->code : "unknown_user", "", 0);
		return;
	}
	call->tokens_from_us = account->tokens_from_us;
	enter(call);
}

static void
on_rechecked(void *arg, AuthVerdict verdict, const Identity *identity)
{
	Call *call = arg;

	(void) identity;
	if (verdict == AUTH_GOOD)
		enter(call);
	else if (verdict == AUTH_UNAVAILABLE)
		refuse(call, "unavailable", "", 0);
	else
		refuse(call,
			   call->name != NULL ? "invalid_credentials" : "invalid_token", "",
			   0);
}

static void
on_revoked(void *arg, const DbError *error)
{
	Call *call = arg;
	AccountAnswer answer = { .code = error->code, .field = "" };

	if (error->code == NULL)
		auth_note_withdrawn(call->accounts->auth, &call->identity);
	call->done(call->arg, &answer);
	call_free(call);
}

/*
 * Who is deactivated is known as of two seconds ago: without a look, somebody
 * who was made active just now would get a token that is refused.
 */
static void
begin_session(Call *call)
{
	int64_t now_us = clock_wall_us();

	call->identity.issued_us =
		now_us > call->tokens_from_us ? now_us : call->tokens_from_us;
	auth_recheck(call->accounts->auth, &call->identity, on_rechecked, call);
}

static void
enter(Call *take_call)
{
	Accounts *accounts = take_call->accounts;
	AccountAnswer answer = { .field = "" };
	Error err;
	Buf token;

	buf_init(&token);
	if (!auth_issue(accounts->auth, &take_call->identity.user_id,
					accounts->ttl_s, take_call->tokens_from_us, &token,
					&answer.identity, &err))
	{
		log_error("could not issue a token", "reason=%s", log_quote(err.text));
		refuse(take_call, "internal", "", 0);
	}
	else
	{
		accounts->counts.good++;
		answer.token = token.data;
		take_call->done(take_call->arg, &answer);
		call_free(take_call);
	}
	if (token.data != NULL)
		explicit_bzero(token.data, token.len);
	buf_fini(&token);
}

static void
refuse(Call *take_call, const char *code, const char *field, int64_t retry_ms)
{
	AccountAnswer answer = { .code = code,
							 .field = field,
							 .retry_ms = retry_ms };

	take_call->done(take_call->arg, &answer);
	call_free(take_call);
}

static void
refuse_busy(Call *take_call)
{
	take_call->accounts->counts.busy++;
	refuse(take_call, "unavailable", "", 0);
}
