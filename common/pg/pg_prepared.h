/*
 * pg_prepared - which statements a connection has prepared
 *
 * For pg_conn.c alone.  Those that are not lazy are prepared when the
 * connection begins, in one round trip, and one that cannot be ends it.  A
 * lazy one is prepared with its first use; while the server's word on that is
 * under way it is sent unprepared, so that nothing waits and nothing fails
 * because another request's preparation did.
 *
 * The connection is in pipeline mode.  One thread.
 */
#ifndef CHEMCHAT_PG_PREPARED_H
#define CHEMCHAT_PG_PREPARED_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "pg_conn.h"

typedef struct PgPrepared PgPrepared;

/* statements is borrowed; it ends with a NULL name. */
PgPrepared *pg_prepared_new(const PgStatement *statements);
void pg_prepared_free(PgPrepared **prepared);

/* A new connection has none. */
void pg_prepared_reset(PgPrepared *prepared);

/* The time limits, all that are not lazy, a sync. */
bool pg_prepared_begin(PgPrepared *prepared, PGconn *pg,
					   int64_t statement_timeout_ms,
					   int64_t lock_timeout_ms) MUST_CHECK;

/* One request and its sync.  *is_preparing: its first result is of that. */
bool pg_prepared_send(PgPrepared *prepared, PGconn *pg,
					  const PgRequest *request, bool *is_preparing) MUST_CHECK;

/* How the preparation that came with a request of that statement went. */
void pg_prepared_heard(PgPrepared *prepared, int statement, bool is_prepared);

#endif
