#include "ctl.h"

#include <stdio.h>
#include <string.h>

#include "ctl_db.h"
#include "ctl_password.h"

#define LIST_ROWS "200"

static int user_add(int argc, char **argv);
static bool let_in(PgSession *session, const char *handle, const char *hash,
				   bool is_admin, Error *err);
static int user_passwd(int argc, char **argv);
static int user_admin(int argc, char **argv);
static int user_list(int argc, char **argv);
static int user_deactivate(int argc, char **argv);
static int user_reactivate(int argc, char **argv);
static int change(int argc, char **argv, const char *sql);
static bool print_page(PgSession *session, const char *after, char last[65],
					   int *rows, Error *err);

int
ctl_user(int argc, char **argv)
{
	static const CtlCommand commands[] = {
		{ "add", "make a user who signs in with a password", user_add },
		{ "passwd", "set a user's password; her tokens are void", user_passwd },
		{ "admin", "make a user an administrator, or none", user_admin },
		{ "list", "everybody", user_list },
		{ "deactivate", "let a user in no more", user_deactivate },
		{ "reactivate", "let a user in again", user_reactivate },
		{ NULL, NULL, NULL },
	};

	return ctl_dispatch(commands, argc, argv);
}

/* The password first: nobody is made whom it then turns out nobody wants. */
static int
user_add(int argc, char **argv)
{
	CtlTarget target = { 0 };
	const char *handle = NULL;
	const char *name = NULL;
	const char *id = NULL;
	const char *admin = NULL;
	const char *file = NULL;
	const char *none = NULL;
	const CtlFlag flags[] = {
		{ "HANDLE", &handle, NULL, "1 to 64 of a-z 0-9 . _ -", true },
		{ "--name", &name, "TEXT", "the name that is shown (the handle)",
		  false },
		{ "--id", &id, "UUID", "the id she shall have (a new one)", false },
		{ "--admin", &admin, NULL, "she may make bots", false },
		{ "--password-file", &file, "FILE", "its first line; else it is asked",
		  false },
		{ "--no-password", &none, NULL, "she comes with others' tokens only",
		  false },
		CTL_DB_FLAGS(target),
		{ NULL, NULL, NULL, NULL, false },
	};
	char hash[PASSWORD_HASH_SIZE] = "";
	int exit_code = CTL_OK;
	PgSession *session = NULL;
	Error err = { "" };

	if (!ctl_parse(flags, argc, argv, &exit_code))
		return exit_code;
	exit_code = CTL_OK;
	if ((none == NULL && !ctl_password_hash(file, hash, &err)) ||
		(session = ctl_db_open(&target, &err)) == NULL ||
		!ctl_db_ask(session,
					"SELECT u.id, u.is_duplicate"
					" FROM chemchat.create_user($1, $2, $3::uuid) AS u",
					3, (const char *const[]){ handle, name, id }, &err) ||
		!let_in(session, handle, none == NULL ? hash : NULL, admin != NULL,
				&err))
		exit_code = ctl_failed(argv[0], &err);
	pg_session_close(&session);
	return exit_code;
}

/* Whom the session's answer made; without a hash nothing is asked of her. */
static bool
let_in(PgSession *session, const char *handle, const char *hash, bool is_admin,
	   Error *err)
{
	bool is_old = strcmp(ctl_db_cell(session, 0, 1), "t") == 0;
	char id[37] = "";

	(void) snprintf(id, sizeof id, "%s", ctl_db_cell(session, 0, 0));
	if (is_old && hash != NULL)
		return error_set(err, "there is a user \"%s\" already; see user passwd",
						 handle);
	if ((hash != NULL || is_admin) &&
		!ctl_db_ask(
			session, "SELECT chemchat.set_password($1::uuid, $2, $3::boolean)",
			3, (const char *const[]){ id, hash, is_admin ? "true" : "false" },
			err))
		return false;
	(void) puts(id);
	return true;
}

static int
user_passwd(int argc, char **argv)
{
	CtlTarget target = { 0 };
	const char *handle = NULL;
	const char *file = NULL;
	const CtlFlag flags[] = {
		{ "HANDLE", &handle, NULL, "whose", true },
		{ "--password-file", &file, "FILE", "its first line; else it is asked",
		  false },
		CTL_DB_FLAGS(target),
		{ NULL, NULL, NULL, NULL, false },
	};
	char hash[PASSWORD_HASH_SIZE];
	int exit_code = CTL_OK;
	Error err = { "" };

	if (!ctl_parse(flags, argc, argv, &exit_code))
		return exit_code;
	if (!ctl_password_hash(file, hash, &err))
		return ctl_failed(argv[0], &err);
	return ctl_db_run(argv[0], &target,
					  &(CtlQuestion){
						  .handle = handle,
						  .sql = "SELECT chemchat.set_password($1::uuid, $2)",
						  .count = 1,
						  .params = { hash } });
}

static int
user_admin(int argc, char **argv)
{
	CtlTarget target = { 0 };
	const char *handle = NULL;
	const char *state = NULL;
	const CtlFlag flags[] = {
		{ "HANDLE", &handle, NULL, "whom", true },
		{ "on|off", &state, NULL, "an administrator, or none", true },
		CTL_DB_FLAGS(target),
		{ NULL, NULL, NULL, NULL, false },
	};
	int exit_code = CTL_OK;
	Error err = { "" };

	if (!ctl_parse(flags, argc, argv, &exit_code))
		return exit_code;
	if (strcmp(state, "on") != 0 && strcmp(state, "off") != 0)
	{
		error_set(&err, "\"%s\" is neither on nor off", state);
		return ctl_failed(argv[0], &err);
	}
	return ctl_db_run(
		argv[0], &target,
		&(CtlQuestion){
			.handle = handle,
			.sql = "SELECT chemchat.set_password($1::uuid, NULL, $2::boolean)",
			.count = 1,
			.params = { state } });
}

static int
user_list(int argc, char **argv)
{
	CtlTarget target = { 0 };
	const CtlFlag flags[] = {
		CTL_DB_FLAGS(target),
		{ NULL, NULL, NULL, NULL, false },
	};
	char last[65] = "";
	int exit_code = CTL_OK;
	int rows = 0;
	PgSession *session = NULL;
	Error err = { "" };

	if (!ctl_parse(flags, argc, argv, &exit_code))
		return exit_code;
	session = ctl_db_open(&target, &err);
	exit_code = CTL_OK;
	do
	{
		if (session == NULL ||
			!print_page(session, last[0] != '\0' ? last : NULL, last, &rows,
						&err))
		{
			exit_code = ctl_failed(argv[0], &err);
			break;
		}
	} while (rows > 0);
	pg_session_close(&session);
	return exit_code;
}

static bool
print_page(PgSession *session, const char *after, char last[65], int *rows,
		   Error *err)
{
	if (!ctl_db_ask(session,
					"SELECT a.user_id, a.handle, a.display_name,"
					" concat_ws(' ', a.kind,"
					"  CASE WHEN a.is_admin THEN 'admin' END,"
					"  CASE WHEN a.has_password THEN 'password' END,"
					"  CASE WHEN a.deactivated_at IS NOT NULL"
					"       THEN 'deactivated' END)"
					" FROM chemchat.accounts($1, " LIST_ROWS ") AS a",
					1, (const char *const[]){ after }, err))
		return false;
	*rows = pg_session_rows(session);
	for (int i = 0; i < *rows; i++)
		(void) printf("%s  %-20s  %-28s  %s\n", ctl_db_cell(session, i, 0),
					  ctl_db_cell(session, i, 1), ctl_db_cell(session, i, 3),
					  ctl_db_cell(session, i, 2));
	if (*rows > 0)
	{
		last[0] = '\0';
		strncat(last, ctl_db_cell(session, *rows - 1, 1), 64);
	}
	return true;
}

static int
user_deactivate(int argc, char **argv)
{
	return change(argc, argv, "SELECT chemchat.deactivate_user($1::uuid)");
}

static int
user_reactivate(int argc, char **argv)
{
	return change(argc, argv, "SELECT chemchat.reactivate_user($1::uuid)");
}

static int
change(int argc, char **argv, const char *sql)
{
	CtlTarget target = { 0 };
	const char *handle = NULL;
	const CtlFlag flags[] = {
		{ "HANDLE", &handle, NULL, "whom", true },
		CTL_DB_FLAGS(target),
		{ NULL, NULL, NULL, NULL, false },
	};
	int exit_code = CTL_OK;

	if (!ctl_parse(flags, argc, argv, &exit_code))
		return exit_code;
	return ctl_db_run(argv[0], &target,
					  &(CtlQuestion){ .handle = handle, .sql = sql });
}
