#include "ctl_db.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "pg_conninfo.h"

static bool wait_for(PgSession *session, Error *err);

PgSession *
ctl_db_open(const CtlTarget *target, Error *err)
{
	PgTarget pg = { .conninfo = target->pg,
					.password_file = target->password_file,
					.application_name = "chemchatctl",
					.connect_timeout_ms = CTL_DB_TIMEOUT_MS };
	PgSession *session;

	if (target->pg != NULL && pg_conninfo_has_password(target->pg))
	{
		error_set(err, "--pg: holds a password, which everybody on this "
					   "machine could see; use --pg-password-file");
		return NULL;
	}
	if (pg.conninfo == NULL)
		pg.conninfo = getenv("CHEMCHAT_PG");
	if (pg.password_file == NULL)
		pg.password_file = getenv("CHEMCHAT_PG_PASSWORD_FILE");
	if (pg.conninfo == NULL)
	{
		error_set(err, "which database? --pg or CHEMCHAT_PG tells");
		return NULL;
	}
	if (!pg_conninfo_check(pg.conninfo, err))
		return NULL;
	session = pg_session_open(&pg, err);
	if (session != NULL && !wait_for(session, err))
		pg_session_close(&session);
	return session;
}

bool
ctl_db_ask(PgSession *session, const char *sql, int count,
		   const char *const *params, Error *err)
{
	return pg_session_query(session, sql, count, params, CTL_DB_TIMEOUT_MS,
							err) &&
		   wait_for(session, err);
}

const char *
ctl_db_cell(const PgSession *session, int row, int column)
{
	const char *cell = pg_session_cell(session, row, column);

	return cell != NULL ? cell : "";
}

bool
ctl_db_user(PgSession *session, const char *handle, char id[37], Error *err)
{
	const char *params[] = { handle };

	if (!ctl_db_ask(session, "SELECT a.user_id FROM chemchat.account($1) AS a",
					1, params, err))
		return false;
	if (pg_session_rows(session) == 0)
		return error_set(err, "there is no user \"%s\"", handle);
	id[0] = '\0';
	strncat(id, ctl_db_cell(session, 0, 0), 36);
	return true;
}

int
ctl_db_run(const char *command, const CtlTarget *target,
		   const CtlQuestion *question)
{
	const char *params[1 + CTL_DB_PARAMS_MAX];
	char id[37];
	int count = 0;
	int exit_code = CTL_OK;
	PgSession *session;
	Error err = { "" };

	if (question->handle != NULL)
		params[count++] = id;
	for (int i = 0; i < question->count; i++)
		params[count++] = question->params[i];
	session = ctl_db_open(target, &err);
	if (session == NULL ||
		(question->handle != NULL &&
		 !ctl_db_user(session, question->handle, id, &err)) ||
		!ctl_db_ask(session, question->sql, count, params, &err))
		exit_code = ctl_failed(command, &err);
	else if (question->tell != NULL)
		question->tell(session);
	pg_session_close(&session);
	return exit_code;
}

static bool
wait_for(PgSession *session, Error *err)
{
	for (;;)
	{
		PgStep step = pg_session_step(session, err);
		struct pollfd fd;
		int64_t left_ms;

		if (step != PG_PENDING)
			return step == PG_READY;
		left_ms = (pg_session_deadline_us(session) - clock_now_us()) / 1000 + 1;
		fd.fd = pg_session_fd(session);
		fd.events = pg_session_events(session);
		if (poll(&fd, 1, left_ms < 0 ? 0 : (int) left_ms) < 0 && errno != EINTR)
			return error_set(err, "could not wait: %s", strerror(errno));
	}
}
