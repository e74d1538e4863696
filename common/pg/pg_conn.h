/*
 * pg_conn - one connection that stays
 *
 * Keeps itself connected (exponential backoff with full jitter, 50 ms to
 * 1 s), prepares its statements (pg_prepared.h), and runs requests
 * in the order they were submitted, pipelined: one request is one prepared
 * statement in a transaction of its own, finished when the server said it is
 * ready again.  So PG_COMMITTED means committed, also for a failure at COMMIT.
 *
 * What waits in the queue survives a reconnect, until its deadline.  What was
 * handed to the server and not answered is PG_UNKNOWN, unless the request is
 * marked as safe to repeat: then it is queued again.  A request that passed
 * its deadline on the server is PG_UNKNOWN as well, its answer is thrown
 * away when it comes; no answer at all for PG_DEAD_MS breaks the connection.
 *
 * Every submitted request is called back exactly once, from the loop, never
 * from within pg_conn_submit; those left are called back by pg_conn_free.
 * Names of hosts are resolved by libpq, which blocks: use an address, a
 * socket directory, or a name that /etc/hosts or a local cache answers.
 */
#ifndef CHEMCHAT_PG_CONN_H
#define CHEMCHAT_PG_CONN_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "pg_loop.h"
#include "pg_value.h"

#define PG_CONNECT_MS     5000
#define PG_BACKOFF_MIN_MS 50
#define PG_BACKOFF_MAX_MS 1000
#define PG_DEAD_MS        15000

typedef enum PgOutcome
{
	PG_COMMITTED, /* committed; result is set */
	PG_REFUSED,   /* the server refused, nothing was changed */
	PG_NOT_SENT,  /* the server never saw it */
	PG_UNKNOWN    /* it may or may not have happened */
} PgOutcome;

/* Borrowed for the length of the callback. */
typedef struct PgReply
{
	PgOutcome outcome;
	const PgResult *result; /* PG_COMMITTED */
	const char *sqlstate;   /* PG_REFUSED: five characters; else "" */
	const char *message;    /* one line for the log */
	const char *column;     /* COLUMN of the error, or "" */
} PgReply;

typedef void (*PgDoneFn)(void *arg, const PgReply *reply);

typedef struct PgStatement
{
	const char *name;
	const char *sql; /* parameters cast in the text: $1::uuid[] */
	bool is_lazy;    /* prepared when first used; else with the connection */
} PgStatement;

typedef struct PgRequest
{
	int statement;           /* index into PgConnConfig.statements */
	PgParams params;         /* moved into the connection */
	const char *local_name;  /* a setting for its transaction; NULL: none */
	const char *local_value; /* both live until it is called back */
	int64_t deadline_us;     /* of clock_now_us */
	bool is_repeatable;      /* a read: repeated after a reconnect */
	PgDoneFn done;
	void *arg;
} PgRequest;

typedef struct PgConnConfig
{
	const char *conninfo; /* borrowed while the connection lives */
	const char *password; /* NULL: none, or as libpq finds one; borrowed */
	const char *application_name;
	const PgStatement *statements; /* ends with a NULL name */
	int64_t statement_timeout_ms;
	int64_t lock_timeout_ms; /* 0: none */
	int max_queued;          /* waiting; more are PG_NOT_SENT */
	int max_in_flight;       /* on the server at once */

	/* Came up or went away; err says why, NULL when up.  May be NULL. */
	void (*on_state)(void *arg, bool is_up, const Error *err);
	void *arg;
} PgConnConfig;

typedef struct PgConn PgConn;

PgConn *pg_conn_new(const PgLoop *loop, const PgConnConfig *config);

/* Calls back what is left (PG_NOT_SENT, PG_UNKNOWN), then closes. */
void pg_conn_free(PgConn **conn);

/* Takes request->params.  False, and nothing taken, when the queue is full. */
bool pg_conn_submit(PgConn *conn, PgRequest *request) MUST_CHECK;

bool pg_conn_is_up(const PgConn *conn);

/* Waiting and on the server. */
int pg_conn_load(const PgConn *conn);

#endif
