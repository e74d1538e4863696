#include "pg_session.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

#include "clock.h"
#include "xalloc.h"

typedef enum PgState
{
	STATE_CONNECTING,
	STATE_IDLE,
	STATE_QUERY,
	STATE_COPY,
	STATE_DEAD
} PgState;

struct PgSession
{
	PGconn *conn;
	PgState state;
	short events;        /* what connecting or sending waits for */
	int64_t deadline_us; /* of the step under way; INT64_MAX without one */
	PGresult *result;    /* of the last query */
	char *copy_bytes;    /* libpq's, of the last copy_next */
	char sqlstate[6];
};

static void on_notice(void *arg, const PGresult *notice);

#define MAX_SETTINGS 16
#define MAX_PASSWORD 1024

typedef struct Settings
{
	const char *name[MAX_SETTINGS + 1];
	const char *value[MAX_SETTINGS + 1];
	int count;
} Settings;

static void
add_setting(Settings *settings, const char *name, const char *value)
{
	settings->name[settings->count] = name;
	settings->value[settings->count++] = value;
}

static bool
read_password(const char *path, char *out, size_t size, Error *err)
{
	FILE *file = fopen(path, "re");
	bool ok;

	if (file == NULL)
		return error_set(err, "could not open %s: %s", path, strerror(errno));
	ok = fgets(out, (int) size, file) != NULL;
	fclose(file);
	if (!ok)
		return error_set(err, "%s holds no password", path);
	out[strcspn(out, "\r\n")] = '\0';
	return true;
}

/*
 * libpq's texts end with a line feed and may have several lines; the first
 * says what happened.
 */
static bool
set_libpq_error(Error *err, const char *what, const char *text)
{
	size_t len = strcspn(text, "\n");

	if (strncmp(text, "ERROR:  ", 8) == 0 || strncmp(text, "FATAL:  ", 8) == 0)
	{
		text += 8;
		len -= 8;
	}
	return error_set(err, "%s: %.*s", what, (int) len, text);
}

PgSession *
pg_session_open(const PgTarget *target, Error *err)
{
	PgSession *session = xcalloc(1, sizeof(*session));
	Settings settings = { .count = 0 };
	char password[MAX_PASSWORD] = "";

	if (target->password_file != NULL &&
		!read_password(target->password_file, password, sizeof(password), err))
		goto fail;

	/* what stands before dbname is a default, what stands behind it rules */
	add_setting(&settings, "keepalives", "1");
	add_setting(&settings, "keepalives_idle", "3");
	add_setting(&settings, "keepalives_interval", "1");
	add_setting(&settings, "keepalives_count", "3");
	add_setting(&settings, "tcp_user_timeout", "7000");
	add_setting(&settings, "fallback_application_name",
				target->application_name);
	if (password[0] != '\0')
		add_setting(&settings, "password", password);
	add_setting(&settings, "dbname", target->conninfo);
	add_setting(&settings, "client_encoding", "UTF8");
	if (target->is_replication)
		add_setting(&settings, "replication", "database");

	session->conn = PQconnectStartParams(settings.name, settings.value, 1);
	explicit_bzero(password, sizeof(password));
	if (session->conn == NULL)
		abort(); /* out of memory */
	PQsetNoticeReceiver(session->conn, on_notice, session);
	if (PQstatus(session->conn) == CONNECTION_BAD)
	{
		set_libpq_error(err, "could not connect to PostgreSQL",
						PQerrorMessage(session->conn));
		goto fail;
	}
	session->state = STATE_CONNECTING;
	session->events = POLLOUT;
	session->deadline_us = clock_now_us() + target->connect_timeout_ms * 1000;
	return session;

fail:
	pg_session_close(&session);
	return NULL;
}

static void
clear_result(PgSession *session)
{
	PQclear(session->result);
	session->result = NULL;
	if (session->copy_bytes != NULL)
		PQfreemem(session->copy_bytes);
	session->copy_bytes = NULL;
}

void
pg_session_close(PgSession **session_ref)
{
	PgSession *session = *session_ref;

	if (session == NULL)
		return;
	*session_ref = NULL;
	clear_result(session);
	PQfinish(session->conn);
	free(session);
}

static PgStep
die(PgSession *session, const char *what, Error *err)
{
	session->state = STATE_DEAD;
	session->deadline_us = INT64_MAX;
	set_libpq_error(err, what, PQerrorMessage(session->conn));
	return PG_FAILED;
}

/*
 * libpq keeps no SQLSTATE of a refused connection; these two texts are the
 * server's own for "it is going down or coming up".
 */
static void
guess_connect_sqlstate(PgSession *session)
{
	const char *text = PQerrorMessage(session->conn);

	session->sqlstate[0] = '\0';
	if (strstr(text, "is shutting down") != NULL ||
		strstr(text, "is starting up") != NULL)
		memcpy(session->sqlstate, "57P03", 6);
}

static void
take_sqlstate(PgSession *session, const PGresult *result)
{
	const char *code = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	snprintf(session->sqlstate, sizeof(session->sqlstate), "%s",
			 code != NULL ? code : "");
}

/*
 * Also where a FATAL ends up that the server sends to an idle session: its
 * SQLSTATE tells an administrator's shutdown from a crash.
 */
static void
on_notice(void *arg, const PGresult *notice)
{
	PgSession *session = arg;
	const char *severity =
		PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);

	if (severity != NULL && strcmp(severity, "FATAL") == 0)
		take_sqlstate(session, notice);
}

static PgStep
step_idle(PgSession *session, Error *err)
{
	if (PQconsumeInput(session->conn) != 0)
	{
		(void) PQisBusy(session->conn); /* reads what came, on_notice */
		return PG_READY;
	}
	return die(session, "connection lost", err);
}

/*
 * Asked before its socket is ready, PQconnectPoll waits for that by itself,
 * and a server that does not answer then holds its caller up.
 */
static bool
is_ready_to_connect(const PgSession *session)
{
	struct pollfd fd = { .fd = pg_session_fd(session),
						 .events = session->events };

	return poll(&fd, 1, 0) != 0;
}

static PgStep
step_connect(PgSession *session, Error *err)
{
	PostgresPollingStatusType polled;

	if (!is_ready_to_connect(session))
		return PG_PENDING;
	polled = PQconnectPoll(session->conn);
	if (polled == PGRES_POLLING_READING || polled == PGRES_POLLING_WRITING)
	{
		session->events = polled == PGRES_POLLING_READING ? POLLIN : POLLOUT;
		return PG_PENDING;
	}
	if (polled != PGRES_POLLING_OK || PQsetnonblocking(session->conn, 1) != 0)
	{
		guess_connect_sqlstate(session);
		return die(session, "could not connect to PostgreSQL", err);
	}
	session->state = STATE_IDLE;
	session->events = POLLIN;
	session->deadline_us = INT64_MAX;
	return PG_READY;
}

/* All results of the query have arrived: keep the last, judge it. */
static PgStep
finish_query(PgSession *session, Error *err)
{
	ExecStatusType status;

	session->state =
		PQstatus(session->conn) == CONNECTION_OK ? STATE_IDLE : STATE_DEAD;
	session->deadline_us = INT64_MAX;
	session->events = POLLIN;
	if (session->result == NULL)
	{
		set_libpq_error(err, "query failed", PQerrorMessage(session->conn));
		return PG_FAILED;
	}
	status = PQresultStatus(session->result);
	if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
	{
		take_sqlstate(session, session->result);
		set_libpq_error(err, "query failed",
						PQresultErrorMessage(session->result));
		return PG_FAILED;
	}
	if (session->state == STATE_IDLE)
		return PG_READY;
	error_set(err, "connection lost");
	return PG_FAILED;
}

static PgStep
step_query(PgSession *session, Error *err)
{
	int flushed = PQflush(session->conn);

	if (flushed < 0 || PQconsumeInput(session->conn) == 0)
	{
		/* the server's last words may have arrived with the end */
		PGresult *last =
			PQisBusy(session->conn) ? NULL : PQgetResult(session->conn);

		if (last != NULL)
			take_sqlstate(session, last);
		PQclear(last);
		return die(session, "connection lost", err);
	}
	session->events = flushed > 0 ? POLLIN | POLLOUT : POLLIN;

	while (!PQisBusy(session->conn))
	{
		PGresult *result = PQgetResult(session->conn);

		if (result == NULL)
			return finish_query(session, err);
		clear_result(session);
		session->result = result;
		if (PQresultStatus(result) == PGRES_COPY_BOTH)
		{
			session->state = STATE_COPY;
			session->deadline_us = INT64_MAX;
			return PG_READY;
		}
	}
	return PG_PENDING;
}

PgStep
pg_session_step(PgSession *session, Error *err)
{
	PgStep step;

	switch (session->state)
	{
		case STATE_CONNECTING:
			step = step_connect(session, err);
			break;
		case STATE_QUERY:
			step = step_query(session, err);
			break;
		case STATE_DEAD:
			error_set(err, "the connection to PostgreSQL is gone");
			return PG_FAILED;
		case STATE_IDLE:
			return step_idle(session, err);
		case STATE_COPY:
		default:
			return PG_READY;
	}
	if (step == PG_PENDING && clock_now_us() >= session->deadline_us)
	{
		error_set(err, session->state == STATE_CONNECTING
						   ? "could not connect to PostgreSQL: timed out"
						   : "query timed out");
		session->state = STATE_DEAD;
		session->sqlstate[0] = '\0';
		return PG_FAILED;
	}
	return step;
}

int
pg_session_fd(const PgSession *session)
{
	return session->state == STATE_DEAD ? -1 : PQsocket(session->conn);
}

short
pg_session_events(const PgSession *session)
{
	return session->events;
}

int64_t
pg_session_deadline_us(const PgSession *session)
{
	return session->deadline_us;
}

bool
pg_session_is_alive(const PgSession *session)
{
	return session->state != STATE_DEAD;
}

bool
pg_session_is_hung_up(const PgSession *session)
{
	struct pollfd fd = { .fd = pg_session_fd(session), .events = POLLRDHUP };

	return fd.fd < 0 || (poll(&fd, 1, 0) > 0 &&
						 (fd.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0);
}

const char *
pg_session_sqlstate(const PgSession *session)
{
	return session->sqlstate;
}

int
pg_session_backend_pid(const PgSession *session)
{
	return PQbackendPID(session->conn);
}

int
pg_session_server_version(const PgSession *session)
{
	return PQserverVersion(session->conn);
}

bool
pg_session_query(PgSession *session, const char *sql, int param_count,
				 const char *const *params, int64_t timeout_ms, Error *err)
{
	int sent;

	if (session->state != STATE_IDLE)
		return error_set(err, "the connection to PostgreSQL is not idle");
	clear_result(session);
	session->sqlstate[0] = '\0';
	if (param_count == 0)
		sent = PQsendQuery(session->conn, sql); /* all a walsender takes */
	else
		sent = PQsendQueryParams(session->conn, sql, param_count, NULL, params,
								 NULL, NULL, 0);
	if (sent == 0)
	{
		die(session, "could not send a query", err);
		return false;
	}
	session->state = STATE_QUERY;
	session->events = POLLIN | POLLOUT;
	session->deadline_us = clock_now_us() + timeout_ms * 1000;
	return true;
}

int
pg_session_rows(const PgSession *session)
{
	return session->result != NULL ? PQntuples(session->result) : 0;
}

const char *
pg_session_cell(const PgSession *session, int row, int column)
{
	if (session->result == NULL || row >= PQntuples(session->result) ||
		column >= PQnfields(session->result) ||
		PQgetisnull(session->result, row, column))
		return NULL;
	return PQgetvalue(session->result, row, column);
}

bool
pg_session_is_copying(const PgSession *session)
{
	return session->state == STATE_COPY;
}

static PgCopy
end_copy(PgSession *session, Error *err)
{
	PGresult *result = PQgetResult(session->conn);

	session->state = STATE_DEAD;
	session->sqlstate[0] = '\0';
	if (result != NULL && PQresultStatus(result) == PGRES_FATAL_ERROR)
	{
		take_sqlstate(session, result);
		set_libpq_error(err, "replication ended", PQresultErrorMessage(result));
	}
	else
		error_set(err, "replication ended: the server closed the stream");
	PQclear(result);
	return PG_COPY_ENDED;
}

PgCopy
pg_session_copy_next(PgSession *session, const char **bytes, size_t *len,
					 Error *err)
{
	int got;

	if (session->copy_bytes != NULL)
	{
		PQfreemem(session->copy_bytes);
		session->copy_bytes = NULL;
	}
	if (session->state != STATE_COPY)
	{
		error_set(err, "the replication stream is gone");
		return PG_COPY_ENDED;
	}
	got = PQgetCopyData(session->conn, &session->copy_bytes, 1);
	if (got == 0)
		return PG_COPY_NONE;
	if (got < 0)
		return end_copy(session, err);
	*bytes = session->copy_bytes;
	*len = (size_t) got;
	return PG_COPY_DATA;
}

bool
pg_session_copy_read(PgSession *session, Error *err)
{
	if (PQconsumeInput(session->conn) != 0)
		return true;
	end_copy(session, err); /* finds the server's last words, if any */
	return false;
}

bool
pg_session_copy_send(PgSession *session, const char *bytes, size_t len,
					 Error *err)
{
	int left;

	if (PQputCopyData(session->conn, bytes, (int) len) <= 0)
	{
		die(session, "connection lost", err);
		return false;
	}
	left = PQflush(session->conn);
	if (left < 0)
	{
		die(session, "connection lost", err);
		return false;
	}
	session->events = left > 0 ? POLLIN | POLLOUT : POLLIN;
	return true;
}
