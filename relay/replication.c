#include "replication.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "clock.h"
#include "frame.h"
#include "lsn.h"
#include "pg_keepalive.h"
#include "xalloc.h"

#define STEP_TIMEOUT_MS 10000

/* PostgreSQL counts microseconds from 2000-01-01. */
#define PG_EPOCH_US INT64_C(946684800000000)

/*
 * Advisory locks are numbers; ours have this in the upper half, so that they
 * are told from an application's, and the slot's name hashed in the lower.
 */
#define LOCK_CLASS 0x43484154 /* "CHAT" */

typedef enum Activity
{
	ACTIVITY_CONNECT,
	ACTIVITY_KEEPALIVE,
	ACTIVITY_IDENTIFY,
	ACTIVITY_TIMEOUT_SETTING,
	ACTIVITY_NONE,
	ACTIVITY_LOCK,
	ACTIVITY_LOCK_TIMEOUT,
	ACTIVITY_CREATE,
	ACTIVITY_DROP,
	ACTIVITY_STREAM
} Activity;

struct Replication
{
	PgSession *session;
	Activity activity;
	ReplicationServer server;
	bool has_lock;
	uint64_t slot_lsn;
	char slot[REPLICATION_NAME_SIZE]; /* to be created */
	int64_t lock_timeout_ms;
};

Replication *
replication_open(const PgTarget *target, Error *err)
{
	Replication *replication = xcalloc(1, sizeof(*replication));

	replication->session = pg_session_open(target, err);
	if (replication->session == NULL)
	{
		free(replication);
		return NULL;
	}
	replication->activity = ACTIVITY_CONNECT;
	return replication;
}

void
replication_close(Replication **replication_ref)
{
	Replication *replication = *replication_ref;

	if (replication == NULL)
		return;
	*replication_ref = NULL;
	pg_session_close(&replication->session);
	free(replication);
}

static bool
begin(Replication *replication, Activity activity, const char *command,
	  int64_t timeout_ms, Error *err)
{
	replication->activity = activity;
	return pg_session_query(replication->session, command, 0, NULL, timeout_ms,
							err);
}

/* "1min", "60s", "500ms", "0", as SHOW prints a time. */
static int64_t
parse_duration_ms(const char *text)
{
	char *unit;
	int64_t n = strtoll(text, &unit, 10);

	if (strcmp(unit, "ms") == 0)
		return n;
	if (strcmp(unit, "s") == 0)
		return n * 1000;
	if (strcmp(unit, "min") == 0)
		return n * 60 * 1000;
	if (strcmp(unit, "h") == 0)
		return n * 3600 * 1000;
	if (strcmp(unit, "d") == 0)
		return n * 86400 * 1000;
	return n;
}

/* IDENTIFY_SYSTEM: systemid, timeline, xlogpos, dbname. */
static bool
take_identity(Replication *replication, Error *err)
{
	const PgSession *session = replication->session;
	const char *system_id = pg_session_cell(session, 0, 0);
	const char *timeline = pg_session_cell(session, 0, 1);
	const char *lsn = pg_session_cell(session, 0, 2);
	ReplicationServer *server = &replication->server;

	if (system_id == NULL || timeline == NULL || lsn == NULL ||
		!lsn_parse(lsn, strlen(lsn), &server->flush_lsn))
		return error_set(err, "the server did not identify itself");
	if (pg_session_cell(session, 0, 3) == NULL)
		return error_set(err, "the connection string names no database");
	server->system_id = strtoull(system_id, NULL, 10);
	server->timeline = (uint32_t) strtoul(timeline, NULL, 10);
	server->version = pg_session_server_version(session);
	server->backend_pid = pg_session_backend_pid(session);
	return true;
}

/* CREATE_REPLICATION_SLOT: slot_name, consistent_point, ... */
static bool
take_slot(Replication *replication, Error *err)
{
	const char *lsn = pg_session_cell(replication->session, 0, 1);

	if (lsn == NULL || !lsn_parse(lsn, strlen(lsn), &replication->slot_lsn))
		return error_set(err, "the server did not say where the slot begins");
	return true;
}

static bool
begin_create_command(Replication *replication, Error *err)
{
	char command[160];

	snprintf(command, sizeof(command),
			 "CREATE_REPLICATION_SLOT \"%s\" LOGICAL chemchat "
			 "(SNAPSHOT 'nothing')",
			 replication->slot);
	return begin(replication, ACTIVITY_CREATE, command,
				 replication->lock_timeout_ms + STEP_TIMEOUT_MS, err);
}

/*
 * A query's result is there.  Some steps are several commands: PG_PENDING
 * after the next one was sent.
 */
static PgStep
advance(Replication *replication, Error *err)
{
	const char *cell = pg_session_cell(replication->session, 0, 0);

	switch (replication->activity)
	{
		case ACTIVITY_CONNECT:
			return begin(replication, ACTIVITY_KEEPALIVE,
						 "SELECT" PG_KEEPALIVE_COLUMNS, STEP_TIMEOUT_MS, err)
					   ? PG_PENDING
					   : PG_FAILED;
		case ACTIVITY_KEEPALIVE:
			return begin(replication, ACTIVITY_IDENTIFY, "IDENTIFY_SYSTEM",
						 STEP_TIMEOUT_MS, err)
					   ? PG_PENDING
					   : PG_FAILED;
		case ACTIVITY_IDENTIFY:
			return take_identity(replication, err) &&
						   begin(replication, ACTIVITY_TIMEOUT_SETTING,
								 "SHOW wal_sender_timeout", STEP_TIMEOUT_MS,
								 err)
					   ? PG_PENDING
					   : PG_FAILED;
		case ACTIVITY_TIMEOUT_SETTING:
			replication->server.wal_sender_timeout_ms =
				parse_duration_ms(cell != NULL ? cell : "0");
			break;
		case ACTIVITY_LOCK:
			replication->has_lock = cell != NULL && cell[0] == 't';
			break;
		case ACTIVITY_LOCK_TIMEOUT:
			return begin_create_command(replication, err) ? PG_PENDING
														  : PG_FAILED;
		case ACTIVITY_CREATE:
			if (!take_slot(replication, err))
				return PG_FAILED;
			break;
		case ACTIVITY_STREAM:
			if (pg_session_is_copying(replication->session))
				return PG_READY;
			error_set(err, "the server did not begin to stream");
			return PG_FAILED;
		case ACTIVITY_DROP:
		case ACTIVITY_NONE:
			break;
	}
	replication->activity = ACTIVITY_NONE;
	return PG_READY;
}

PgStep
replication_step(Replication *replication, Error *err)
{
	PgStep step = pg_session_step(replication->session, err);

	if (step == PG_READY)
		step = advance(replication, err);
	else if (step == PG_FAILED)
		replication->activity = ACTIVITY_NONE;
	return step;
}

const ReplicationServer *
replication_server(const Replication *replication)
{
	return &replication->server;
}

bool
replication_is_hung_up(const Replication *replication)
{
	return pg_session_is_hung_up(replication->session);
}

const PgSession *
replication_session(const Replication *replication)
{
	return replication->session;
}

/* FNV-1a. */
static uint32_t
hash_name(const char *name)
{
	uint32_t h = 2166136261u;

	for (; *name != '\0'; name++)
		h = (h ^ (uint8_t) *name) * 16777619u;
	return h;
}

bool
replication_begin_lock(Replication *replication, const char *slot, Error *err)
{
	char command[128];

	/* a walsender takes no parameters; both are numbers of our own */
	snprintf(command, sizeof(command),
			 "SELECT pg_catalog.pg_try_advisory_lock(%d, %" PRId32 ")",
			 LOCK_CLASS, (int32_t) hash_name(slot));
	return begin(replication, ACTIVITY_LOCK, command, STEP_TIMEOUT_MS, err);
}

bool
replication_has_lock(const Replication *replication)
{
	return replication->has_lock;
}

bool
replication_begin_create(Replication *replication, const char *slot,
						 int64_t lock_timeout_ms, Error *err)
{
	char command[64];

	snprintf(replication->slot, sizeof(replication->slot), "%s", slot);
	replication->lock_timeout_ms = lock_timeout_ms;
	snprintf(command, sizeof(command), "SET lock_timeout = %" PRId64,
			 lock_timeout_ms);
	return begin(replication, ACTIVITY_LOCK_TIMEOUT, command, STEP_TIMEOUT_MS,
				 err);
}

uint64_t
replication_slot_lsn(const Replication *replication)
{
	return replication->slot_lsn;
}

bool
replication_begin_drop(Replication *replication, const char *slot, Error *err)
{
	char command[128];

	snprintf(command, sizeof(command), "DROP_REPLICATION_SLOT \"%s\"", slot);
	return begin(replication, ACTIVITY_DROP, command, STEP_TIMEOUT_MS, err);
}

bool
replication_begin_stream(Replication *replication,
						 const ReplicationStart *start, Error *err)
{
	char lsn[LSN_TEXT_SIZE];
	char command[256];

	lsn_format(start->lsn, lsn);
	snprintf(command, sizeof(command),
			 "START_REPLICATION SLOT \"%s\" LOGICAL %s (\"proto\" '%d', "
			 "\"shard\" '%d', \"shards\" '%d', \"replays\" '%s')",
			 start->slot, lsn, FRAME_PROTO, start->shard, start->shards,
			 start->with_replays ? "on" : "off");
	return begin(replication, ACTIVITY_STREAM, command, STEP_TIMEOUT_MS, err);
}

bool
replication_read(Replication *replication, Error *err)
{
	return pg_session_copy_read(replication->session, err);
}

/*
 * XLogData:   'w' start:8 end:8 time:8 payload
 * Keepalive:  'k' end:8 time:8 reply:1
 */
ReplicationMessage
replication_next(Replication *replication, ReplicationPacket *packet,
				 Error *err)
{
	const char *bytes = NULL;
	size_t len = 0;

	switch (pg_session_copy_next(replication->session, &bytes, &len, err))
	{
		case PG_COPY_DATA:
			break;
		case PG_COPY_NONE:
			return REPLICATION_NONE;
		case PG_COPY_ENDED:
			return REPLICATION_ENDED;
	}
	if (len >= 25 && bytes[0] == 'w')
	{
		packet->wal_end = bytes_get_u64((const uint8_t *) bytes + 9);
		packet->bytes = bytes + 25;
		packet->len = len - 25;
		packet->wants_reply = false;
		return REPLICATION_FRAME;
	}
	if (len == 18 && bytes[0] == 'k')
	{
		packet->wal_end = bytes_get_u64((const uint8_t *) bytes + 1);
		packet->wants_reply = bytes[17] != 0;
		packet->bytes = NULL;
		packet->len = 0;
		return REPLICATION_KEEPALIVE;
	}
	error_set(err, "unknown replication message 0x%02x of %zu bytes",
			  len > 0 ? (uint8_t) bytes[0] : 0, len);
	return REPLICATION_BAD;
}

/*
 * Standby status update: 'r' written:8 flushed:8 applied:8 time:8 reply:1.
 * The slot moves by `flushed`.
 */
bool
replication_feedback(Replication *replication, uint64_t written,
					 uint64_t confirmed, bool asks_reply, Error *err)
{
	char message[34];
	uint8_t *out = (uint8_t *) message;

	out[0] = 'r';
	bytes_put_u64(out + 1, written > confirmed ? written : confirmed);
	bytes_put_u64(out + 9, confirmed);
	bytes_put_u64(out + 17, confirmed);
	bytes_put_u64(out + 25, (uint64_t) (clock_wall_us() - PG_EPOCH_US));
	out[33] = asks_reply ? 1 : 0;
	return pg_session_copy_send(replication->session, message, sizeof(message),
								err);
}
