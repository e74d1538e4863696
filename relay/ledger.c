#include "ledger.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "lsn.h"
#include "pg_keepalive.h"
#include "xalloc.h"

#define CALL_TIMEOUT_MS      10000
/* it may wait for a conversation that an application holds locked */
#define REPUBLISH_TIMEOUT_MS 60000
#define FIRST_PAUSE_US       100000
#define LONGEST_PAUSE_US     2000000

struct Ledger
{
	const PgTarget *target;
	bool is_live;
	int shard;
	int shards;

	PgSession *session;
	bool is_bounded; /* server_limits was sent */
	bool is_connected;
	LedgerCall call; /* under way */
	LedgerCall last_call;
	bool send_failed;
	Error send_error;
	bool server_stops;
	int64_t connect_after_us;
	int64_t pause_us;

	LedgerLook look;
	LedgerRepublish republish;
	char blockers[256];
	int64_t pending;
};

/*
 * A call given up leaves its backend behind for as long as that waits for a
 * lock: it must give up first, or each attempt leaves one more.
 */
static const char server_limits[] =
	"SELECT pg_catalog.set_config('lock_timeout', '8s', "
	"false)," PG_KEEPALIVE_COLUMNS;

/*
 * Slot and row at one moment.  The functions of pg_catalog behind
 * pg_replication_slots are everybody's to call.
 */
#define LOOK_COLUMNS                                                           \
	" n.name, r.slot_name IS NOT NULL,"                                        \
	" coalesce(r.plugin = 'chemchat' AND r.datoid = d.oid, false),"            \
	" coalesce(r.wal_status = 'lost', false), r.confirmed_flush_lsn,"          \
	" p.system_id, p.lsn"
#define LOOK_SLOT                                                              \
	" CROSS JOIN (SELECT oid FROM pg_catalog.pg_database"                      \
	"  WHERE datname = pg_catalog.current_database()) d"                       \
	" CROSS JOIN chemchat.position() p"                                        \
	" LEFT JOIN pg_catalog.pg_get_replication_slots() r"                       \
	"  ON r.slot_name = n.name"

static const char look_kafka[] =
	"SELECT" LOOK_COLUMNS
	", s.system_id, s.timeline, s.shards, s.partitions, s.confirmed_lsn,"
	" s.events, s.repair_cursor, s.is_repaired"
	" FROM chemchat.slot_name($1::int, $2::int) AS n(name)" LOOK_SLOT
	" LEFT JOIN LATERAL chemchat.stream_state(n.name) s ON true";

static const char look_live[] =
	"SELECT" LOOK_COLUMNS
	" FROM chemchat.live_slot_name() AS n(name)" LOOK_SLOT;

Ledger *
ledger_new(const PgTarget *target, bool is_live, int shard, int shards)
{
	Ledger *ledger = xcalloc(1, sizeof(*ledger));

	ledger->target = target;
	ledger->is_live = is_live;
	ledger->shard = shard;
	ledger->shards = shards;
	ledger->pause_us = FIRST_PAUSE_US;
	return ledger;
}

void
ledger_free(Ledger **ledger_ref)
{
	Ledger *ledger = *ledger_ref;

	if (ledger == NULL)
		return;
	*ledger_ref = NULL;
	pg_session_close(&ledger->session);
	free(ledger);
}

/* ---- the connection ---- */

static void
note_stop(Ledger *ledger)
{
	const char *code = pg_session_sqlstate(ledger->session);

	if (strcmp(code, "57P01") == 0 || strcmp(code, "57P03") == 0)
		ledger->server_stops = true;
}

/* Closes what is broken; the next attempt after a pause that grows. */
static void
lose_connection(Ledger *ledger, int64_t now_us)
{
	if (ledger->session != NULL)
		note_stop(ledger);
	pg_session_close(&ledger->session);
	ledger->is_connected = false;
	ledger->is_bounded = false;

	/* half of it fixed, half of it dice: many relays should not march */
	ledger->connect_after_us =
		now_us + ledger->pause_us / 2 + random() % (ledger->pause_us / 2 + 1);
	ledger->pause_us *= 2;
	if (ledger->pause_us > LONGEST_PAUSE_US)
		ledger->pause_us = LONGEST_PAUSE_US;
}

static LedgerTurn
connect_turn(Ledger *ledger, int64_t now_us, Error *err)
{
	if (ledger->session == NULL)
	{
		if (now_us < ledger->connect_after_us)
			return LEDGER_BUSY;
		ledger->session = pg_session_open(ledger->target, err);
		if (ledger->session == NULL)
		{
			lose_connection(ledger, now_us);
			return LEDGER_FAILED;
		}
	}
	switch (pg_session_step(ledger->session, err))
	{
		case PG_PENDING:
			return LEDGER_BUSY;
		case PG_FAILED:
			lose_connection(ledger, now_us);
			return LEDGER_FAILED;
		case PG_READY:
			break;
	}
	if (!ledger->is_bounded)
	{
		ledger->is_bounded = true;
		if (pg_session_query(ledger->session, server_limits, 0, NULL,
							 CALL_TIMEOUT_MS, err))
			return LEDGER_BUSY;
		lose_connection(ledger, now_us);
		return LEDGER_FAILED;
	}
	ledger->is_connected = true;
	ledger->pause_us = FIRST_PAUSE_US;
	ledger->server_stops = false;
	return LEDGER_IDLE;
}

/* ---- results ---- */

static const char *
cell(const Ledger *ledger, int column)
{
	const char *text = pg_session_cell(ledger->session, 0, column);

	return text != NULL ? text : "";
}

static uint64_t
cell_lsn(const Ledger *ledger, int column)
{
	const char *text = cell(ledger, column);
	uint64_t lsn;

	return lsn_parse(text, strlen(text), &lsn) ? lsn : 0;
}

/* False when it does not fit: a cursor or layout cut short is a wrong one. */
static bool
copy_cell(const Ledger *ledger, int column, char *out, size_t size, Error *err)
{
	const char *text = cell(ledger, column);

	if (strlen(text) >= size)
		return error_set(err, "column %d of an answer is too long", column);
	memcpy(out, text, strlen(text) + 1);
	return true;
}

static bool
is_safe_name(const char *name)
{
	return name[0] != '\0' &&
		   name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

static bool
take_look(Ledger *ledger, Error *err)
{
	LedgerLook *look = &ledger->look;
	StreamRow *row = &look->row;

	memset(look, 0, sizeof(*look));
	if (pg_session_rows(ledger->session) != 1)
		return error_set(err, "the database did not tell the slot's name");
	if (!copy_cell(ledger, 0, look->slot_name, sizeof(look->slot_name), err))
		return false;
	if (!is_safe_name(look->slot_name))
		return error_set(err, "\"%s\" is no name of a slot", look->slot_name);
	look->slot.exists = cell(ledger, 1)[0] == 't';
	look->slot.is_ours = cell(ledger, 2)[0] == 't';
	look->slot.is_lost = cell(ledger, 3)[0] == 't';
	look->slot.confirmed_lsn = cell_lsn(ledger, 4);
	look->system_id = strtoull(cell(ledger, 5), NULL, 10);
	look->flush_lsn = cell_lsn(ledger, 6);
	if (ledger->is_live || pg_session_cell(ledger->session, 0, 7) == NULL)
		return true;

	row->exists = true;
	row->system_id = strtoull(cell(ledger, 7), NULL, 10);
	row->timeline = (uint32_t) strtoul(cell(ledger, 8), NULL, 10);
	row->shards = (int) strtol(cell(ledger, 9), NULL, 10);
	row->confirmed_lsn = cell_lsn(ledger, 11);
	row->events = strtoull(cell(ledger, 12), NULL, 10);
	row->is_repaired = cell(ledger, 14)[0] == 't';
	return copy_cell(ledger, 10, row->layout, sizeof(row->layout), err) &&
		   copy_cell(ledger, 13, row->cursor, sizeof(row->cursor), err);
}

static bool
take_republish(Ledger *ledger, Error *err)
{
	LedgerRepublish *result = &ledger->republish;

	if (pg_session_rows(ledger->session) != 1)
		return error_set(err, "republish gave no answer");
	result->events = strtoll(cell(ledger, 0), NULL, 10);
	result->is_done = cell(ledger, 2)[0] == 't';
	result->done = strtoll(cell(ledger, 3), NULL, 10);
	result->total = strtoll(cell(ledger, 4), NULL, 10);
	return copy_cell(ledger, 1, result->cursor, sizeof(result->cursor), err);
}

static bool
take_result(Ledger *ledger, Error *err)
{
	switch (ledger->call)
	{
		case LEDGER_LOOK:
			return take_look(ledger, err);
		case LEDGER_REPUBLISH:
			return take_republish(ledger, err);
		case LEDGER_BLOCKERS:
			snprintf(ledger->blockers, sizeof(ledger->blockers), "%s",
					 cell(ledger, 0));
			return true;
		case LEDGER_PENDING:
			ledger->pending = cell(ledger, 0)[0] != '\0'
								  ? strtoll(cell(ledger, 0), NULL, 10)
								  : -1;
			return true;
		case LEDGER_REPORT:
		case LEDGER_NOTHING:
			break;
	}
	return true;
}

static LedgerTurn
end_call(Ledger *ledger, bool ok)
{
	ledger->last_call = ledger->call;
	ledger->call = LEDGER_NOTHING;
	return ok ? LEDGER_DONE : LEDGER_FAILED;
}

/* Nothing is asked: has the server ended the connection meanwhile? */
static LedgerTurn
idle_turn(Ledger *ledger, int64_t now_us, Error *err)
{
	if (pg_session_step(ledger->session, err) == PG_READY)
		return LEDGER_IDLE;
	lose_connection(ledger, now_us);
	return LEDGER_FAILED;
}

LedgerTurn
ledger_turn(Ledger *ledger, int64_t now_us, Error *err)
{
	PgStep step;

	ledger->last_call = LEDGER_NOTHING;
	if (!ledger->is_connected)
		return connect_turn(ledger, now_us, err);
	if (ledger->call == LEDGER_NOTHING)
		return idle_turn(ledger, now_us, err);
	if (ledger->send_failed)
	{
		ledger->send_failed = false;
		*err = ledger->send_error;
		step = PG_FAILED;
	}
	else
		step = pg_session_step(ledger->session, err);
	switch (step)
	{
		case PG_PENDING:
			return LEDGER_BUSY;
		case PG_READY:
			return end_call(ledger, take_result(ledger, err));
		case PG_FAILED:
			break;
	}
	note_stop(ledger);
	if (!pg_session_is_alive(ledger->session))
		lose_connection(ledger, now_us);
	return end_call(ledger, false);
}

LedgerCall
ledger_last_call(const Ledger *ledger)
{
	return ledger->last_call;
}

bool
ledger_is_idle(const Ledger *ledger)
{
	return ledger->is_connected && ledger->call == LEDGER_NOTHING;
}

bool
ledger_server_stops(const Ledger *ledger)
{
	return ledger->server_stops;
}

int
ledger_wait(const Ledger *ledger, struct pollfd *fd, int64_t *deadline_us)
{
	int64_t due_us;

	if (ledger->session == NULL)
		due_us = ledger->connect_after_us;
	else
		due_us = pg_session_deadline_us(ledger->session);
	if (due_us < *deadline_us)
		*deadline_us = due_us;
	if (ledger->session == NULL)
		return 0;
	fd->fd = pg_session_fd(ledger->session);
	fd->events = pg_session_events(ledger->session);
	fd->revents = 0;
	return fd->fd >= 0 ? 1 : 0;
}

/* ---- calls ---- */

static void
begin(Ledger *ledger, LedgerCall call, const char *sql, int param_count,
	  const char *const *params, int64_t timeout_ms)
{
	ledger->call = call;
	ledger->send_failed =
		!pg_session_query(ledger->session, sql, param_count, params, timeout_ms,
						  &ledger->send_error);
}

void
ledger_begin_look(Ledger *ledger)
{
	char shard[16];
	char shards[16];
	const char *params[] = { shard, shards };

	snprintf(shard, sizeof(shard), "%d", ledger->shard);
	snprintf(shards, sizeof(shards), "%d", ledger->shards);
	if (ledger->is_live)
		begin(ledger, LEDGER_LOOK, look_live, 0, NULL, CALL_TIMEOUT_MS);
	else
		begin(ledger, LEDGER_LOOK, look_kafka, 2, params, CALL_TIMEOUT_MS);
}

void
ledger_begin_report(Ledger *ledger, const char *slot, const StreamRow *row)
{
	char system_id[24];
	char timeline[16];
	char shards[16];
	char lsn[LSN_TEXT_SIZE];
	char events[24];
	const char *params[] = { slot,
							 system_id,
							 timeline,
							 shards,
							 row->layout,
							 lsn,
							 events,
							 row->cursor[0] != '\0' ? row->cursor : NULL,
							 row->is_repaired ? "true" : "false" };

	snprintf(system_id, sizeof(system_id), "%" PRIu64, row->system_id);
	snprintf(timeline, sizeof(timeline), "%" PRIu32, row->timeline);
	snprintf(shards, sizeof(shards), "%d", row->shards);
	/*
	 * For the promise it only must be on this server's disk: after a failover
	 * there is another history.  It must not wait for a standby that is away.
	 */
	lsn_format(row->confirmed_lsn, lsn);
	snprintf(events, sizeof(events), "%" PRIu64, row->events);
	begin(ledger, LEDGER_REPORT,
		  "SELECT chemchat.report_stream($1::name, $2::text, $3::int, $4::int,"
		  " $5::json, $6::pg_lsn, $7::bigint, $8::text, $9::boolean),"
		  " pg_catalog.set_config('synchronous_commit', 'local', true)",
		  9, params, CALL_TIMEOUT_MS);
}

void
ledger_begin_republish(Ledger *ledger, const char *cursor, int max_events)
{
	char count[16];
	const char *params[] = { cursor[0] != '\0' ? cursor : NULL, count };

	snprintf(count, sizeof(count), "%d", max_events);
	begin(ledger, LEDGER_REPUBLISH,
		  "SELECT events, cursor, is_done, done, total"
		  " FROM chemchat.republish(NULL, $1::text, $2::int)",
		  2, params, REPUBLISH_TIMEOUT_MS);
}

void
ledger_begin_blockers(Ledger *ledger, int backend_pid)
{
	char pid[16];
	const char *params[] = { pid };

	snprintf(pid, sizeof(pid), "%d", backend_pid);
	begin(ledger, LEDGER_BLOCKERS,
		  "SELECT pg_catalog.array_to_string("
		  "pg_catalog.pg_blocking_pids($1::int), ' ')",
		  1, params, CALL_TIMEOUT_MS);
}

void
ledger_begin_pending(Ledger *ledger, const char *slot)
{
	const char *params[] = { slot };

	begin(ledger, LEDGER_PENDING,
		  "SELECT events FROM chemchat.outbox_status() WHERE slot = $1::name",
		  1, params, CALL_TIMEOUT_MS);
}

const LedgerLook *
ledger_look(const Ledger *ledger)
{
	return &ledger->look;
}

const LedgerRepublish *
ledger_republish(const Ledger *ledger)
{
	return &ledger->republish;
}

const char *
ledger_blockers(const Ledger *ledger)
{
	return ledger->blockers;
}

int64_t
ledger_pending(const Ledger *ledger)
{
	return ledger->pending;
}
