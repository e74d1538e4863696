#include "ctl.h"

#include <stdio.h>
#include <string.h>

#include "bot_token.h"
#include "ctl_db.h"
#include "ctl_file.h"

static int bot_add(int argc, char **argv);
static void print_id(const PgSession *answer);
static int bot_token(int argc, char **argv);
static int bot_tokens(int argc, char **argv);
static void print_tokens(const PgSession *answer);
static int bot_revoke(int argc, char **argv);
static bool keep_token(PgSession *session, const char *id, const char *token,
					   const char *scopes, const char *expires_s, Error *err);

int
ctl_bot(int argc, char **argv)
{
	static const CtlCommand commands[] = {
		{ "add", "make a bot", bot_add },
		{ "token", "make a token for it", bot_token },
		{ "tokens", "those it has, without what is secret", bot_tokens },
		{ "revoke", "take one of them back", bot_revoke },
		{ NULL, NULL, NULL },
	};

	return ctl_dispatch(commands, argc, argv);
}

static int
bot_add(int argc, char **argv)
{
	CtlTarget target = { 0 };
	const char *handle = NULL;
	const char *name = NULL;
	const char *by = NULL;
	const CtlFlag flags[] = {
		{ "HANDLE", &handle, NULL, "1 to 64 of a-z 0-9 . _ -", true },
		{ "--by", &by, "HANDLE", "the administrator who makes it", true },
		{ "--name", &name, "TEXT", "the name that is shown (the handle)",
		  false },
		CTL_DB_FLAGS(target),
		{ NULL, NULL, NULL, NULL, false },
	};
	int exit_code = CTL_OK;

	if (!ctl_parse(flags, argc, argv, &exit_code))
		return exit_code;
	return ctl_db_run(
		argv[0], &target,
		&(CtlQuestion){ .handle = by,
						.sql =
							"SELECT b.id"
							" FROM chemchat.create_bot($1::uuid, $2, $3) AS b",
						.count = 2,
						.params = { handle, name },
						.tell = print_id });
}

static void
print_id(const PgSession *answer)
{
	(void) puts(ctl_db_cell(answer, 0, 0));
}

/* Shown once: only its SHA-256 is kept. */
static int
bot_token(int argc, char **argv)
{
	CtlTarget target = { 0 };
	const char *handle = NULL;
	const char *scopes = NULL;
	const char *ttl = NULL;
	const char *out = NULL;
	const CtlFlag flags[] = {
		{ "HANDLE", &handle, NULL, "whose", true },
		{ "--scopes", &scopes, "LIST", "of read,send,manage (read,send)",
		  false },
		{ "--ttl", &ttl, "TIME", "how long it is good (for ever)", false },
		{ "--out", &out, "FILE", "a file that is not there yet (stdout)",
		  false },
		CTL_DB_FLAGS(target),
		{ NULL, NULL, NULL, NULL, false },
	};
	char id[37];
	char expires[32];
	int64_t ttl_s = 0;
	int exit_code = CTL_FAILED;
	PgSession *session = NULL;
	Error err = { "" };
	Buf token;

	if (!ctl_parse(flags, argc, argv, &exit_code))
		return exit_code;
	buf_init(&token);
	if (ttl != NULL && !ctl_parse_duration(ttl, &ttl_s, &err))
	{
		error_wrap(&err, "--ttl");
		goto failed;
	}
	(void) snprintf(expires, sizeof expires, "%lld", (long long) ttl_s);
	if (!bot_token_new(&token, &err) ||
		(session = ctl_db_open(&target, &err)) == NULL ||
		!ctl_db_user(session, handle, id, &err) ||
		!keep_token(session, id, token.data,
					scopes != NULL ? scopes : "read,send",
					ttl != NULL ? expires : NULL, &err))
		goto failed;
	buf_append_char(&token, '\n');
	if (out != NULL)
	{
		if (!ctl_file_write_secret(out, token.data, token.len, &err))
			goto failed;
		(void) puts(ctl_db_cell(session, 0, 0));
	}
	else
		(void) fputs(token.data, stdout);
	exit_code = CTL_OK;
	goto cleanup;

failed:
	exit_code = ctl_failed(argv[0], &err);
cleanup:
	if (token.data != NULL)
		explicit_bzero(token.data, token.len);
	buf_fini(&token);
	pg_session_close(&session);
	return exit_code;
}

static bool
keep_token(PgSession *session, const char *id, const char *token,
		   const char *scopes, const char *expires_s, Error *err)
{
	uint8_t digest[SHA256_SIZE];
	char hex[2 * SHA256_SIZE + 1];

	sha256_of(token, strlen(token), digest);
	for (size_t i = 0; i < sizeof digest; i++)
		(void) snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	return ctl_db_ask(session,
					  "SELECT t.id FROM chemchat.create_bot_token($1::uuid,"
					  " decode($2, 'hex'), string_to_array($3, ','),"
					  " now() + $4::bigint * interval '1 s') AS t",
					  4, (const char *const[]){ id, hex, scopes, expires_s },
					  err);
}

static int
bot_tokens(int argc, char **argv)
{
	CtlTarget target = { 0 };
	const char *handle = NULL;
	const CtlFlag flags[] = {
		{ "HANDLE", &handle, NULL, "whose", true },
		CTL_DB_FLAGS(target),
		{ NULL, NULL, NULL, NULL, false },
	};
	int exit_code = CTL_OK;

	if (!ctl_parse(flags, argc, argv, &exit_code))
		return exit_code;
	return ctl_db_run(
		argv[0], &target,
		&(CtlQuestion){
			.handle = handle,
			.sql = "SELECT t.id, array_to_string(t.scopes, ','),"
				   " date_trunc('s', t.created_at),"
				   " coalesce('ends ' || date_trunc('s', t.expires_at),"
				   "          'for ever'),"
				   " coalesce('revoked ' || date_trunc('s', t.revoked_at), '')"
				   " FROM chemchat.bot_tokens($1::uuid) AS t",
			.tell = print_tokens });
}

static void
print_tokens(const PgSession *answer)
{
	for (int i = 0; i < pg_session_rows(answer); i++)
		(void) printf("%s  %-16s  %s  %s  %s\n", ctl_db_cell(answer, i, 0),
					  ctl_db_cell(answer, i, 1), ctl_db_cell(answer, i, 2),
					  ctl_db_cell(answer, i, 3), ctl_db_cell(answer, i, 4));
}

static int
bot_revoke(int argc, char **argv)
{
	CtlTarget target = { 0 };
	const char *id = NULL;
	const CtlFlag flags[] = {
		{ "TOKEN-ID", &id, NULL, "as bot tokens lists it", true },
		CTL_DB_FLAGS(target),
		{ NULL, NULL, NULL, NULL, false },
	};
	int exit_code = CTL_OK;

	if (!ctl_parse(flags, argc, argv, &exit_code))
		return exit_code;
	return ctl_db_run(argv[0], &target,
					  &(CtlQuestion){
						  .sql = "SELECT chemchat.revoke_bot_token($1::uuid)",
						  .count = 1,
						  .params = { id } });
}
