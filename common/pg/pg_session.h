/*
 * pg_session - one connection to PostgreSQL, one thing at a time, no waiting
 *
 * For a loop that must go on turning: connecting, a query, and the COPY BOTH
 * stream of the replication protocol all advance by pg_session_step and the
 * copy calls, none of which blocks (name resolution does, once per open).  A
 * step that is not over in time fails, and the session with it: what the
 * server did meanwhile is unknown, so close it and open another.
 *
 * Dead networks are found by the kernel: keepalives and tcp_user_timeout are
 * set unless the connection string sets them.
 *
 * One thread.  A result and its cells are borrowed until the next query.
 */
#ifndef CHEMCHAT_PG_SESSION_H
#define CHEMCHAT_PG_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

typedef struct PgSession PgSession;

typedef struct PgTarget
{
	const char *conninfo;      /* key=value or URI */
	const char *password_file; /* first line is the password; NULL: none */
	const char *application_name;
	bool is_replication;        /* logical walsender of that database */
	int64_t connect_timeout_ms; /* until it can be queried */
} PgTarget;

typedef enum PgStep
{
	PG_READY,   /* connected and idle, or the query's result is there */
	PG_PENDING, /* wait for pg_session_fd, then step again */
	PG_FAILED   /* err; the session lives on when pg_session_is_alive */
} PgStep;

/* Begins to connect.  NULL with err set when that is impossible at once. */
PgSession *pg_session_open(const PgTarget *target, Error *err);
void pg_session_close(PgSession **session);

/*
 * Goes on with connecting or with the query under way.  On an idle session it
 * only looks whether the server has ended it.
 */
PgStep pg_session_step(PgSession *session, Error *err) MUST_CHECK;

/* poll(): the descriptor (-1 when there is none), its events, by when to step. */
int pg_session_fd(const PgSession *session);
short pg_session_events(const PgSession *session);
int64_t pg_session_deadline_us(const PgSession *session);

/* False once the connection is gone. */
bool pg_session_is_alive(const PgSession *session);

/*
 * True when the server has closed its end, also while bytes that came before
 * that are unread: for who does not read for a while.
 */
bool pg_session_is_hung_up(const PgSession *session);

/* SQLSTATE of the last failure; "" when the server gave none. */
const char *pg_session_sqlstate(const PgSession *session);

int pg_session_backend_pid(const PgSession *session);
int pg_session_server_version(const PgSession *session); /* 150020 */

/*
 * Sends a query; text parameters, NULL for SQL NULL.  A replication session
 * takes no parameters.  Then step until READY or FAILED.
 */
bool pg_session_query(PgSession *session, const char *sql, int param_count,
					  const char *const *params, int64_t timeout_ms,
					  Error *err) MUST_CHECK;

int pg_session_rows(const PgSession *session);
/* NULL for SQL NULL and for what is not there. */
const char *pg_session_cell(const PgSession *session, int row, int column);

/* --- COPY BOTH: after a query that began it (READY, pg_session_is_copying) */

typedef enum PgCopy
{
	PG_COPY_DATA,  /* *bytes, *len; borrowed until the next call */
	PG_COPY_NONE,  /* nothing complete has arrived: read, then again */
	PG_COPY_ENDED, /* the server ended the stream; err says why */
} PgCopy;

bool pg_session_is_copying(const PgSession *session);
PgCopy pg_session_copy_next(PgSession *session, const char **bytes, size_t *len,
							Error *err) MUST_CHECK;

/* Takes what the socket has.  False: the connection is gone. */
bool pg_session_copy_read(PgSession *session, Error *err) MUST_CHECK;

/* Queues bytes to the server and sends what goes, the rest later. */
bool pg_session_copy_send(PgSession *session, const char *bytes, size_t len,
						  Error *err) MUST_CHECK;

#endif
