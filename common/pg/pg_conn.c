#include "pg_conn.h"

#include <assert.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "pg_prepared.h"
#include "pg_slot.h"
#include "xalloc.h"

#define TICK_MS 50

typedef enum ConnState
{
	CONN_WAITING,    /* until retry_at_us */
	CONN_CONNECTING, /* PQconnectPoll */
	CONN_PREPARING,  /* statements under way */
	CONN_UP,
	CONN_BROKEN /* found while sending; the next tick mourns */
} ConnState;

struct PgConn
{
	PgLoop loop;
	PgConnConfig config;
	ConnState state;
	PGconn *pg;
	void *watch;
	void *timer;
	PgSlotList queued;
	PgSlotList in_flight;
	PgPrepared *prepared;
	int64_t retry_at_us;
	int64_t state_since_us;
	int64_t backoff_ms;
	bool is_prepare_failed;
	bool is_stale; /* prepared statements no longer fit */
	Error why;
};

static void ignore_notice(void *arg, const char *message);
static void on_ready(void *arg, bool is_readable, bool is_writable);
static void on_tick(void *arg);
static void connect_start(PgConn *conn);
static void connect_poll(PgConn *conn);
static void connected(PgConn *conn);
static void prepare_read(PgConn *conn);
static void lost(PgConn *conn, const char *context);
static void disconnect(PgConn *conn);
static void send_queued(PgConn *conn);
static void broken(PgConn *conn);
static bool flush(PgConn *conn);
static void read_results(PgConn *conn);
static void take_result(PgConn *conn, PgSlot *slot, PGresult *result);
static void finish(PgConn *conn, PgSlot *slot);
static void expire(PgConn *conn, int64_t now_us);
static void watch(PgConn *conn, bool readable, bool writable);
static void unwatch(PgConn *conn);

PgConn *
pg_conn_new(const PgLoop *loop, const PgConnConfig *config)
{
	PgConn *conn = xcalloc(1, sizeof(*conn));

	conn->loop = *loop;
	conn->config = *config;
	conn->prepared = pg_prepared_new(config->statements);
	conn->state = CONN_WAITING;
	conn->retry_at_us = clock_now_us();
	conn->timer = loop->timer_new(loop->arg, TICK_MS, on_tick, conn);
	return conn;
}

void
pg_conn_free(PgConn **conn_ref)
{
	PgConn *conn = *conn_ref;
	PgSlot *slot;

	if (conn == NULL)
		return;
	*conn_ref = NULL;
	conn->loop.timer_free(conn->timer);
	disconnect(conn);
	while ((slot = pg_slots_shift(&conn->in_flight)) != NULL)
	{
		pg_slot_answer(slot, PG_UNKNOWN, "closing");
		pg_slot_free(slot);
	}
	while ((slot = pg_slots_shift(&conn->queued)) != NULL)
	{
		pg_slot_answer(slot, PG_NOT_SENT, "closing");
		pg_slot_free(slot);
	}
	pg_prepared_free(&conn->prepared);
	free(conn);
}

bool
pg_conn_submit(PgConn *conn, PgRequest *request)
{
	PgSlot *slot;

	if (conn->queued.count >= conn->config.max_queued)
		return false;
	slot = xcalloc(1, sizeof(*slot));
	slot->request = *request;
	request->params = (PgParams){ 0 }; /* taken */
	pg_slots_append(&conn->queued, slot);
	if (conn->state == CONN_UP)
		send_queued(conn);
	return true;
}

bool
pg_conn_is_up(const PgConn *conn)
{
	return conn->state == CONN_UP;
}

int
pg_conn_load(const PgConn *conn)
{
	return conn->queued.count + conn->in_flight.count;
}

static void
on_ready(void *arg, bool is_readable, bool is_writable)
{
	PgConn *conn = arg;

	(void) is_readable;
	switch (conn->state)
	{
		case CONN_WAITING:
		case CONN_BROKEN:
			break;
		case CONN_CONNECTING:
			connect_poll(conn);
			break;
		case CONN_PREPARING:
			if (is_writable && !flush(conn))
				return;
			prepare_read(conn);
			break;
		case CONN_UP:
			if (is_writable && !flush(conn))
				return;
			read_results(conn);
			break;
	}
}

static void
on_tick(void *arg)
{
	PgConn *conn = arg;
	int64_t now_us = clock_now_us();

	expire(conn, now_us);
	switch (conn->state)
	{
		case CONN_WAITING:
			if (now_us >= conn->retry_at_us)
				connect_start(conn);
			break;
		case CONN_CONNECTING:
		case CONN_PREPARING:
			if (now_us - conn->state_since_us > PG_CONNECT_MS * 1000)
			{
				error_set(&conn->why, "no answer within %d ms", PG_CONNECT_MS);
				lost(conn, "could not connect");
			}
			break;
		case CONN_UP:
			if (conn->in_flight.head != NULL &&
				now_us - conn->in_flight.head->sent_us > PG_DEAD_MS * 1000)
			{
				error_set(&conn->why, "no answer within %d ms", PG_DEAD_MS);
				lost(conn, "connection given up");
			}
			break;
		case CONN_BROKEN:
			lost(conn, "connection lost");
			break;
	}
}

static void
connect_start(PgConn *conn)
{
	const char *keywords[] = { "fallback_application_name",
							   "keepalives_idle",
							   "keepalives_interval",
							   "keepalives_count",
							   "tcp_user_timeout",
							   "password",
							   "dbname",
							   NULL };
	const char *values[] = { conn->config.application_name,
							 "10",
							 "5",
							 "3",
							 "10000",
							 conn->config.password,
							 conn->config.conninfo,
							 NULL };

	conn->state = CONN_CONNECTING;
	conn->state_since_us = clock_now_us();
	conn->is_prepare_failed = false;
	conn->is_stale = false;
	pg_prepared_reset(conn->prepared);

	/* The conninfo comes last: what it says itself wins. */
	conn->pg = PQconnectStartParams(keywords, values, 1);
	if (conn->pg == NULL || PQstatus(conn->pg) == CONNECTION_BAD)
	{
		pg_first_line(&conn->why,
					  conn->pg ? PQerrorMessage(conn->pg) : "out of memory");
		lost(conn, "could not connect");
		return;
	}
	PQsetNoticeProcessor(conn->pg, ignore_notice, NULL);
	watch(conn, false, true);
}

/* What matters comes as an error; the rest is in the server's own log. */
static void
ignore_notice(void *arg, const char *message)
{
	(void) arg;
	(void) message;
}

static void
connect_poll(PgConn *conn)
{
	PostgresPollingStatusType status;

	/*
	 * libpq may close the socket and open another, which may get the same
	 * number: a loop that still watched the old one would never hear of it.
	 */
	unwatch(conn);
	status = PQconnectPoll(conn->pg);
	switch (status)
	{
		case PGRES_POLLING_READING:
			watch(conn, true, false);
			break;
		case PGRES_POLLING_WRITING:
			watch(conn, false, true);
			break;
		case PGRES_POLLING_OK:
			connected(conn);
			break;
		case PGRES_POLLING_FAILED:
		case PGRES_POLLING_ACTIVE:
			pg_first_line(&conn->why, PQerrorMessage(conn->pg));
			lost(conn, "could not connect");
			break;
	}
}

static void
connected(PgConn *conn)
{
	conn->state = CONN_PREPARING;
	if (PQsetnonblocking(conn->pg, 1) != 0 ||
		PQenterPipelineMode(conn->pg) == 0 ||
		!pg_prepared_begin(conn->prepared, conn->pg,
						   conn->config.statement_timeout_ms,
						   conn->config.lock_timeout_ms))
	{
		pg_first_line(&conn->why, PQerrorMessage(conn->pg));
		lost(conn, "could not prepare");
		return;
	}
	if (flush(conn))
		prepare_read(conn);
}

static void
prepare_read(PgConn *conn)
{
	int nulls = 0;

	if (PQconsumeInput(conn->pg) == 0)
	{
		pg_first_line(&conn->why, PQerrorMessage(conn->pg));
		lost(conn, "could not prepare");
		return;
	}
	while (nulls < 2 && !PQisBusy(conn->pg))
	{
		PGresult *result = PQgetResult(conn->pg);
		ExecStatusType status;

		if (result == NULL)
		{
			nulls++;
			continue;
		}
		nulls = 0;
		status = PQresultStatus(result);
		if (status == PGRES_FATAL_ERROR && !conn->is_prepare_failed)
		{
			conn->is_prepare_failed = true;
			pg_first_line(&conn->why, PQresultErrorMessage(result));
		}
		PQclear(result);
		if (PQstatus(conn->pg) == CONNECTION_BAD ||
			(status == PGRES_PIPELINE_SYNC && conn->is_prepare_failed))
		{
			lost(conn, "could not prepare");
			return;
		}
		if (status == PGRES_PIPELINE_SYNC)
		{
			conn->state = CONN_UP;
			conn->state_since_us = clock_now_us();
			conn->backoff_ms = 0;
			if (conn->config.on_state != NULL)
				conn->config.on_state(conn->config.arg, true, NULL);
			send_queued(conn);
			return;
		}
	}
}

/*
 * The connection is gone: what can be repeated goes back to the front of the
 * queue in its order, the rest of what was on the server is unknown.
 */
static void
lost(PgConn *conn, const char *context)
{
	PgSlotList again = { NULL, NULL, 0 };
	PgSlotList unknown = { NULL, NULL, 0 };
	int64_t now_us = clock_now_us();
	PgSlot *slot;

	disconnect(conn);
	conn->state = CONN_WAITING;
	conn->backoff_ms =
		conn->backoff_ms == 0 ? PG_BACKOFF_MIN_MS : conn->backoff_ms * 2;
	if (conn->backoff_ms > PG_BACKOFF_MAX_MS)
		conn->backoff_ms = PG_BACKOFF_MAX_MS;
	conn->retry_at_us = now_us + (random() % conn->backoff_ms) * 1000;

	while ((slot = pg_slots_shift(&conn->in_flight)) != NULL)
	{
		if (slot->request.is_repeatable && !slot->is_answered)
		{
			pg_slot_reset(slot);
			pg_slots_append(&again, slot);
		}
		else
			pg_slots_append(&unknown, slot);
	}
	if (again.head != NULL)
	{
		again.tail->next = conn->queued.head;
		if (conn->queued.tail == NULL)
			conn->queued.tail = again.tail;
		conn->queued.head = again.head;
		conn->queued.count += again.count;
	}
	error_wrap(&conn->why, "%s", context);
	if (conn->config.on_state != NULL)
		conn->config.on_state(conn->config.arg, false, &conn->why);

	/* Last: a callback may submit. */
	while ((slot = pg_slots_shift(&unknown)) != NULL)
	{
		pg_slot_answer(slot, PG_UNKNOWN, conn->why.text);
		pg_slot_free(slot);
	}
}

static void
disconnect(PgConn *conn)
{
	unwatch(conn);
	if (conn->pg != NULL)
		PQfinish(conn->pg);
	conn->pg = NULL;
}

static void
send_queued(PgConn *conn)
{
	while (conn->queued.head != NULL &&
		   conn->in_flight.count < conn->config.max_in_flight &&
		   !conn->is_stale)
	{
		PgSlot *slot = pg_slots_shift(&conn->queued);

		slot->sent_us = clock_now_us();
		pg_slots_append(&conn->in_flight, slot);
		if (!pg_prepared_send(conn->prepared, conn->pg, &slot->request,
							  &slot->is_preparing))
		{
			broken(conn);
			return;
		}
	}
	(void) flush(conn);
}

/* Sending failed, perhaps inside pg_conn_submit: nobody is called back here. */
static void
broken(PgConn *conn)
{
	pg_first_line(&conn->why, PQerrorMessage(conn->pg));
	conn->state = CONN_BROKEN;
	unwatch(conn);
}

/* Writes what the socket takes; false when the connection is broken. */
static bool
flush(PgConn *conn)
{
	int left = PQflush(conn->pg);

	if (left < 0)
	{
		broken(conn);
		return false;
	}
	watch(conn, true, left > 0);
	return true;
}

/*
 * Per request the server sends the statement's result and, after COMMIT, a
 * sync.  An error of the COMMIT itself comes between the two.
 */
static void
read_results(PgConn *conn)
{
	int nulls = 0;

	if (PQconsumeInput(conn->pg) == 0)
	{
		pg_first_line(&conn->why, PQerrorMessage(conn->pg));
		lost(conn, "connection lost");
		return;
	}
	while (conn->state == CONN_UP && conn->in_flight.head != NULL &&
		   nulls < 2 && !PQisBusy(conn->pg))
	{
		PGresult *result = PQgetResult(conn->pg);

		if (result == NULL)
		{
			nulls++;
			continue;
		}
		nulls = 0;
		if (PQstatus(conn->pg) == CONNECTION_BAD)
		{
			pg_first_line(&conn->why, PQerrorMessage(conn->pg));
			PQclear(result);
			lost(conn, "connection lost");
			return;
		}
		if (PQresultStatus(result) == PGRES_PIPELINE_SYNC)
		{
			PQclear(result);
			finish(conn, pg_slots_shift(&conn->in_flight));
		}
		else
			take_result(conn, conn->in_flight.head, result);
	}
	if (conn->state != CONN_UP)
		return;
	if (conn->is_stale && conn->in_flight.head == NULL)
	{
		error_set(&conn->why, "prepared statements are out of date");
		lost(conn, "connecting again");
		return;
	}
	send_queued(conn);
}

static void
take_result(PgConn *conn, PgSlot *slot, PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	if (slot->is_preparing)
	{
		bool is_prepared = PQresultStatus(result) == PGRES_COMMAND_OK;

		slot->is_preparing = false;
		pg_prepared_heard(conn->prepared, slot->request.statement, is_prepared);
		if (is_prepared)
		{
			PQclear(result);
			return;
		}
	}
	if (slot->is_failed && PQresultStatus(result) == PGRES_PIPELINE_ABORTED)
	{
		PQclear(result); /* what failed before it is the reason */
		return;
	}

	/* An upgrade of the extension under us: new plans, new statements. */
	if (state != NULL &&
		(strcmp(state, "0A000") == 0 || strcmp(state, "26000") == 0))
		conn->is_stale = true;
	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		slot->is_failed = true;
	PQclear(slot->result);
	slot->result = result;
}

static void
finish(PgConn *conn, PgSlot *slot)
{
	assert(slot != NULL);
	if (slot->is_failed && conn->is_stale && slot->request.is_repeatable)
	{
		pg_slot_reset(slot);
		pg_slots_append(&conn->queued, slot);
		return;
	}
	pg_slot_answer(slot, slot->is_failed ? PG_REFUSED : PG_COMMITTED, "");
	pg_slot_free(slot);
}

/* Deadlines: the queue first, whose requests nobody has seen. */
static void
expire(PgConn *conn, int64_t now_us)
{
	PgSlotList kept = { NULL, NULL, 0 };
	PgSlotList late = { NULL, NULL, 0 };
	PgSlot *slot;

	while ((slot = pg_slots_shift(&conn->queued)) != NULL)
		pg_slots_append(slot->request.deadline_us <= now_us ? &late : &kept,
						slot);
	conn->queued = kept;
	for (slot = conn->in_flight.head; slot != NULL; slot = slot->next)
	{
		if (slot->request.deadline_us <= now_us)
			pg_slot_answer(slot, PG_UNKNOWN, "no answer in time");
	}
	while ((slot = pg_slots_shift(&late)) != NULL)
	{
		pg_slot_answer(slot, PG_NOT_SENT, "the database is away");
		pg_slot_free(slot);
	}
}

static void
watch(PgConn *conn, bool readable, bool writable)
{
	if (conn->watch == NULL)
		conn->watch = conn->loop.watch_new(conn->loop.arg, PQsocket(conn->pg),
										   on_ready, conn);
	conn->loop.watch_want(conn->watch, readable, writable);
}

static void
unwatch(PgConn *conn)
{
	if (conn->watch != NULL)
		conn->loop.watch_free(conn->watch);
	conn->watch = NULL;
}
