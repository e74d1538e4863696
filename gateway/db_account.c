#include "db_account.h"

#include <stdlib.h>
#include <string.h>

#include "auth.h"
#include "db_private.h"
#include "xalloc.h"

typedef struct Ask
{
	DbRevocationsFn revocations;
	DbAccountFn account;
	DbBotTokenFn bot_token;
	DbDoneFn done;
	void *arg;
} Ask;

static const PgReply not_sent = {
	.outcome = PG_NOT_SENT, .sqlstate = "", .message = "", .column = ""
};

static Ask *ask_new(void *arg);
static void ask(Db *db, DbStatement statement, PgParams *take_params,
				PgDoneFn done, Ask *take_ask);
static void account(Db *db, PgParams *take_params, DbAccountFn done, void *arg);
static void on_revocations(void *arg, const PgReply *reply);
static void on_account(void *arg, const PgReply *reply);
static void on_bot_token(void *arg, const PgReply *reply);
static void on_done(void *arg, const PgReply *reply);
static int64_t time_or(const PgResult *result, int row, int column,
					   int64_t when_null);
static uint8_t scopes_from(const char *text);

void
db_revocations(Db *db, int64_t since_us, DbRevocationsFn done, void *arg)
{
	Ask *asked = ask_new(arg);
	PgParams params;

	asked->revocations = done;
	pg_params_init(&params);
	if (since_us > 0)
		pg_params_i64(&params, since_us);
	else
		pg_params_null(&params);
	ask(db, DB_REVOCATIONS, &params, on_revocations, asked);
}

void
db_account_by_handle(Db *db, const char *handle, size_t len, DbAccountFn done,
					 void *arg)
{
	PgParams params;

	pg_params_init(&params);
	pg_params_text(&params, handle, len);
	pg_params_null(&params);
	account(db, &params, done, arg);
}

void
db_account_by_id(Db *db, const Uuid *user_id, DbAccountFn done, void *arg)
{
	PgParams params;

	pg_params_init(&params);
	pg_params_null(&params);
	pg_params_uuid(&params, user_id);
	account(db, &params, done, arg);
}

void
db_set_password(Db *db, const Uuid *user_id, const char *password_hash,
				DbDoneFn done, void *arg)
{
	Ask *asked = ask_new(arg);
	PgParams params;

	asked->done = done;
	pg_params_init(&params);
	pg_params_uuid(&params, user_id);
	pg_params_text(&params, password_hash, strlen(password_hash));
	ask(db, DB_SET_PASSWORD, &params, on_done, asked);
}

void
db_revoke_session(Db *db, const Uuid *token_id, const Uuid *user_id,
				  int64_t expires_s, DbDoneFn done, void *arg)
{
	Ask *asked = ask_new(arg);
	PgParams params;

	asked->done = done;
	pg_params_init(&params);
	pg_params_uuid(&params, token_id);
	pg_params_uuid(&params, user_id);
	pg_params_i64(&params, expires_s);
	ask(db, DB_REVOKE_SESSION, &params, on_done, asked);
}

void
db_bot_token(Db *db, const uint8_t hash[DB_TOKEN_HASH_SIZE], DbBotTokenFn done,
			 void *arg)
{
	static const char digits[] = "0123456789abcdef";
	char hex[2 * DB_TOKEN_HASH_SIZE];
	Ask *asked = ask_new(arg);
	PgParams params;

	for (size_t i = 0; i < DB_TOKEN_HASH_SIZE; i++)
	{
		hex[2 * i] = digits[hash[i] >> 4];
		hex[2 * i + 1] = digits[hash[i] & 15];
	}
	asked->bot_token = done;
	pg_params_init(&params);
	pg_params_text(&params, hex, sizeof(hex));
	ask(db, DB_BOT_TOKEN, &params, on_bot_token, asked);
}

static Ask *
ask_new(void *arg)
{
	Ask *asked = xcalloc(1, sizeof(*asked));

	asked->arg = arg;
	return asked;
}

static void
ask(Db *db, DbStatement statement, PgParams *take_params, PgDoneFn done,
	Ask *take_ask)
{
	if (!db_read(db, statement, take_params, done, take_ask))
		done(take_ask, &not_sent);
}

static void
account(Db *db, PgParams *take_params, DbAccountFn done, void *arg)
{
	Ask *asked = ask_new(arg);

	asked->account = done;
	ask(db, DB_ACCOUNT, take_params, on_account, asked);
}

static void
on_revocations(void *arg, const PgReply *reply)
{
	Ask *asked = arg;
	DbRevocation *rows = NULL;
	int count = 0;
	DbError error;

	db_error_set(&error, NULL);
	if (reply->outcome != PG_COMMITTED)
		db_error_from(reply, &error);
	else
		count = pg_result_rows(reply->result);
	if (count > 0)
		rows = xcalloc((size_t) count, sizeof(*rows));
	for (int i = 0; i < count; i++)
	{
		DbRevocation *row = &rows[i];

		row->is_token = !pg_result_is_null(reply->result, i, 0);
		if (row->is_token)
			row->token_id = pg_result_uuid(reply->result, i, 0);
		row->user_id = pg_result_uuid(reply->result, i, 1);
		row->tokens_from_us = time_or(reply->result, i, 2, 0);
		row->is_deactivated = pg_result_bool(reply->result, i, 3);
		row->changed_us = time_or(reply->result, i, 4, 0);
		row->expires_us = time_or(reply->result, i, 5, INT64_MAX);
	}
	asked->revocations(asked->arg, &error, rows, count);
	free(rows);
	free(asked);
}

static void
on_account(void *arg, const PgReply *reply)
{
	Ask *asked = arg;
	const DbAccount *found = NULL;
	DbAccount row;
	DbError error;
	size_t len;

	db_error_set(&error, NULL);
	if (reply->outcome != PG_COMMITTED)
		db_error_from(reply, &error);
	else if (pg_result_rows(reply->result) > 0)
	{
		row.user_id = pg_result_uuid(reply->result, 0, 0);
		row.password_hash = pg_result_is_null(reply->result, 0, 1)
								? NULL
								: pg_result_text(reply->result, 0, 1, &len);
		row.is_admin = !pg_result_is_null(reply->result, 0, 2) &&
					   pg_result_bool(reply->result, 0, 2);
		row.is_deactivated = !pg_result_is_null(reply->result, 0, 3);
		row.tokens_from_us = time_or(reply->result, 0, 4, 0);
		found = &row;
	}
	asked->account(asked->arg, &error, found);
	free(asked);
}

static void
on_bot_token(void *arg, const PgReply *reply)
{
	Ask *asked = arg;
	const DbBotToken *found = NULL;
	DbBotToken row;
	DbError error;
	size_t len;

	db_error_set(&error, NULL);
	if (reply->outcome != PG_COMMITTED)
		db_error_from(reply, &error);
	else if (pg_result_rows(reply->result) > 0)
	{
		row.id = pg_result_uuid(reply->result, 0, 0);
		row.user_id = pg_result_uuid(reply->result, 0, 1);
		row.scopes = scopes_from(pg_result_text(reply->result, 0, 2, &len));
		row.expires_us = time_or(reply->result, 0, 3, INT64_MAX);
		found = &row;
	}
	asked->bot_token(asked->arg, &error, found);
	free(asked);
}

static void
on_done(void *arg, const PgReply *reply)
{
	Ask *asked = arg;
	DbError error;

	db_error_set(&error, NULL);
	if (reply->outcome != PG_COMMITTED)
		db_error_from(reply, &error);
	asked->done(asked->arg, &error);
	free(asked);
}

static int64_t
time_or(const PgResult *result, int row, int column, int64_t when_null)
{
	return pg_result_is_null(result, row, column)
			   ? when_null
			   : pg_result_time_us(result, row, column);
}

/* "read,send"; a word we do not know gives no right. */
static uint8_t
scopes_from(const char *text)
{
	static const struct
	{
		const char *word;
		AuthScope scope;
	} words[] = { { "read", AUTH_READ },
				  { "send", AUTH_SEND },
				  { "manage", AUTH_MANAGE } };
	uint8_t scopes = 0;

	while (*text != '\0')
	{
		size_t len = strcspn(text, ",");

		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		{
			if (strlen(words[i].word) == len &&
				strncmp(words[i].word, text, len) == 0)
				scopes |= (uint8_t) words[i].scope;
		}
		text += len + (text[len] == ',');
	}
	return scopes;
}
