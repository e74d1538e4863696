/*
 * accounts - signing in here, with handle and password
 *
 * A right password gives a token of ours (auth_issue), good for ttl_s; it can
 * be exchanged for a fresh one before it ends, withdrawn, and is void once
 * the password changes.  A wrong password, an unknown handle, one without a
 * password and one that is deactivated get the same answer after the same
 * work.  Attempts are bounded (sign_in_throttle.h), and so is the work
 * (password_work.h): `rate_limited`, `busy`.
 *
 * Each call is answered exactly once, perhaps within the call.  What it is
 * given is borrowed until it returns; the answer until the callback does.
 *
 * One thread, that of the loop.
 */
#ifndef CHEMCHAT_ACCOUNTS_H
#define CHEMCHAT_ACCOUNTS_H

#include "auth.h"
#include "slice.h"

typedef struct Accounts Accounts;

typedef struct AccountAnswer
{
	const char *code;  /* NULL: done; else one of docs/protocol.md */
	const char *field; /* "" : none */
	int64_t retry_ms;  /* 0: the code's own */
	const char *token; /* NULL: the answer has none */
	Identity identity; /* of the token */
} AccountAnswer;

typedef void (*AccountDoneFn)(void *arg, const AccountAnswer *answer);

typedef struct AccountsCounts
{
	uint64_t good;
	uint64_t wrong;
	uint64_t throttled;
	uint64_t busy; /* refused because too many passwords wait */
} AccountsCounts;

/* is_on: sign-in and passwords; without, only sign-out. */
Accounts *accounts_open(uv_loop_t *loop, Db *db, Auth *auth, bool is_on,
						int64_t ttl_s, Error *err);

/* What waits is answered `unavailable`; then run the loop, then free. */
void accounts_stop(Accounts *accounts);
void accounts_free(Accounts **accounts);

/* address: the client's, as text. */
void accounts_sign_in(Accounts *accounts, Slice handle, Slice password,
					  const char *address, AccountDoneFn done, void *arg);

/* A fresh token for a good one of ours; the old one is good until its end. */
void accounts_refresh(Accounts *accounts, const Identity *identity,
					  AccountDoneFn done, void *arg);

/* The token is void from now on; here at once, elsewhere within seconds. */
void accounts_sign_out(Accounts *accounts, const Identity *identity,
					   AccountDoneFn done, void *arg);

/* Every token issued before is void; the answer has a new one. */
void accounts_change_password(Accounts *accounts, const Identity *identity,
							  Slice old_password, Slice new_password,
							  const char *address, AccountDoneFn done,
							  void *arg);

AccountsCounts accounts_counts(const Accounts *accounts);

#endif
