/*
 * ctl_db - the database, asked one thing at a time
 *
 * Where it is: --pg, or the variable CHEMCHAT_PG; the password is in a file
 * (--pg-password-file, CHEMCHAT_PG_PASSWORD_FILE) or where libpq finds one,
 * never in an argument.  The role is one of chemchat_admin's.
 *
 * Waits: up to CTL_DB_TIMEOUT_MS for a connection, and for each answer.
 */
#ifndef CHEMCHAT_CTL_DB_H
#define CHEMCHAT_CTL_DB_H

#include "ctl.h"
#include "pg_session.h"

#define CTL_DB_TIMEOUT_MS 15000
#define CTL_DB_PARAMS_MAX 2

typedef struct CtlTarget
{
	const char *pg;
	const char *password_file;
} CtlTarget;

/* Two rows for a table of flags. */
#define CTL_DB_FLAGS(target)                                                   \
	{ "--pg", &(target).pg, "CONNINFO", "the database (CHEMCHAT_PG)", false }, \
	{                                                                          \
		"--pg-password-file", &(target).password_file, "FILE",                 \
			"its first line is the password", false                            \
	}

/* NULL with a reason. */
PgSession *ctl_db_open(const CtlTarget *target, Error *err) MUST_CHECK;

/* Text parameters, NULL for SQL NULL; the rows are the session's. */
bool ctl_db_ask(PgSession *session, const char *sql, int count,
				const char *const *params, Error *err) MUST_CHECK;

/* "" for SQL NULL. */
const char *ctl_db_cell(const PgSession *session, int row, int column);

/* The id of a handle's user; false, with a reason, when there is none. */
bool ctl_db_user(PgSession *session, const char *handle, char id[37],
				 Error *err) MUST_CHECK;

/* One statement, asked and told: what most commands are. */
typedef struct CtlQuestion
{
	const char *handle; /* whose id is $1; NULL: nobody's */
	const char *sql;
	int count; /* of params: $2 and on, without a handle $1 and on */
	const char *params[CTL_DB_PARAMS_MAX];
	void (*tell)(const PgSession *answer); /* NULL: done is all there is */
} CtlQuestion;

/* Returns the command's exit code; what went wrong was said. */
int ctl_db_run(const char *command, const CtlTarget *target,
			   const CtlQuestion *question);

#endif
