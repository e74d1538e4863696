/*
 * db_account - accounts, bots' tokens and what was withdrawn, asked from the
 * loop
 *
 * As db.h: each call answers exactly once, within its deadline; all of these
 * may be repeated without doing more.  Texts and rows are borrowed until the
 * callback returns.
 */
#ifndef CHEMCHAT_DB_ACCOUNT_H
#define CHEMCHAT_DB_ACCOUNT_H

#include "db.h"

#define DB_TOKEN_HASH_SIZE 32 /* SHA-256 */

/* A token's id, or what holds for a user from now on. */
typedef struct DbRevocation
{
	bool is_token;
	Uuid token_id;
	Uuid user_id;
	int64_t tokens_from_us; /* since 1970; 0: tokens of any age are good */
	int64_t expires_us;     /* of the token; INT64_MAX: never */
	int64_t changed_us;
	bool is_deactivated;
} DbRevocation;

typedef void (*DbRevocationsFn)(void *arg, const DbError *error,
								const DbRevocation *rows, int count);

typedef struct DbAccount
{
	Uuid user_id;
	const char *password_hash; /* NULL: has no password */
	bool is_admin;
	bool is_deactivated;
	int64_t tokens_from_us;
} DbAccount;

/* account NULL: there is no such user. */
typedef void (*DbAccountFn)(void *arg, const DbError *error,
							const DbAccount *account);

typedef struct DbBotToken
{
	Uuid id;
	Uuid user_id;
	uint8_t scopes;     /* set of AuthScope */
	int64_t expires_us; /* INT64_MAX: never */
} DbBotToken;

/* token NULL: it lets nobody in. */
typedef void (*DbBotTokenFn)(void *arg, const DbError *error,
							 const DbBotToken *token);
typedef void (*DbDoneFn)(void *arg, const DbError *error);

/* Changed since then (DbRevocation.changed_us); 0: all that still matter. */
void db_revocations(Db *db, int64_t since_us, DbRevocationsFn done, void *arg);

void db_account_by_handle(Db *db, const char *handle, size_t len,
						  DbAccountFn done, void *arg);
void db_account_by_id(Db *db, const Uuid *user_id, DbAccountFn done, void *arg);
void db_set_password(Db *db, const Uuid *user_id, const char *password_hash,
					 DbDoneFn done, void *arg);
void db_revoke_session(Db *db, const Uuid *token_id, const Uuid *user_id,
					   int64_t expires_s, DbDoneFn done, void *arg);
void db_bot_token(Db *db, const uint8_t hash[DB_TOKEN_HASH_SIZE],
				  DbBotTokenFn done, void *arg);

#endif
