#include "db.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "db_private.h"
#include "log.h"
#include "xalloc.h"

#define MAX_IN_FLIGHT 32
#define MAX_QUEUED    8192

/*
 * The position is read by the same statement, so after its snapshot was
 * taken: what the rows show is durable up to it.
 */
static const PgStatement db_statements[] = {
	[DB_HEADS] = { "heads",
				   "SELECT p.system_id, p.timeline, p.lsn, h.conversation_id,"
				   " h.ev, h.seq, h.read_seq, h.mentions, h.is_muted, h.kind,"
				   " h.title, h.role, h.member_rev"
				   " FROM chemchat.position() AS p"
				   " LEFT JOIN chemchat.heads($1::uuid) AS h ON true" },
	[DB_CHANGES] = { "changes",
					 "SELECT p.system_id, p.timeline, p.lsn, c.status, c.upto,"
					 " c.head, c.events FROM chemchat.position() AS p,"
					 " chemchat.changes_since($1::uuid, $2::uuid, $3::bigint,"
					 " 0, $4::int) AS c" },
	[DB_HISTORY] = { "history",
					 "SELECT h.event FROM chemchat.history($1::uuid, $2::uuid,"
					 " $3::bigint, $4::int) AS h" },
	[DB_USERS] = { "users", "SELECT u.event FROM chemchat.users($1::uuid,"
							" $2::uuid[]) AS u" },
	[DB_LIVE_HEADS] = { "live_heads",
						"SELECT p.system_id, p.timeline, p.lsn, h.user_id,"
						" h.conversation_id, h.ev, h.seq"
						" FROM chemchat.position() AS p"
						" LEFT JOIN chemchat.live_heads($1::uuid[], $2::int)"
						" AS h ON true" },
	[DB_LIVE_CHANGES] = { "live_changes",
						  "SELECT p.system_id, p.timeline, p.lsn, c.status,"
						  " c.upto, c.head, c.events"
						  " FROM chemchat.position() AS p,"
						  " chemchat.live_changes($1::uuid, $2::bigint, "
						  "$3::int)"
						  " AS c" },
	[DB_POSITION_STATUS] = { "position_status",
							 "SELECT s FROM chemchat.position_status($1::text,"
							 " $2::int, $3::pg_lsn) AS s" },
	[DB_SEND] = { "send_messages",
				  "SELECT s.item, s.code, s.field, s.id, s.seq, s.ev, s.rev,"
				  " s.created_at, s.is_duplicate FROM chemchat.send_messages("
				  "$1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[])"
				  " AS s" },
	[DB_POSITION] = { "position", "SELECT p.system_id, p.timeline, p.lsn"
								  " FROM chemchat.position() AS p" },
	{ NULL, NULL }
};

/* Whose codes are the client's business; the others are ours. */
static const struct
{
	const char *sqlstate;
	const char *code;
} db_codes[] = {
	{ "QC001", "not_found" },
	{ "QC002", "forbidden" },
	{ "QC003", "invalid_argument" },
	{ "QC004", "idempotency_mismatch" },
	{ "QC005", "busy" },
	{ "QC006", "unknown_user" },
	{ "QC007", "unsafe_durability" },
	{ "QC008", "unsafe_isolation" },
	{ "QC009", "too_large" },
	{ "QC010", "conflict" },
	{ "QC011", "library_mismatch" },
	{ "QC012", "archived" },
	{ "QC013", "deleted" },
	{ "QC014", "last_owner" },
	{ "QC016", "invalid_credentials" },
	{ "53100", "storage_full" },
	{ "57014", "unavailable" },
	{ "25006", "unavailable" },
	{ "40001", "unavailable" },
	{ "40P01", "unavailable" },
	{ "55P03", "unavailable" },
	{ "0A000", "unavailable" },
	{ "26000", "unavailable" },
};

Db *
db_open(const PgLoop *loop, const DbConfig *config)
{
	Db *db = xcalloc(1, sizeof(*db));
	PgConnConfig conn = {
		.conninfo = config->conninfo,
		.password = config->password,
		.application_name = "chemchat-gateway",
		.statements = db_statements,
		.statement_timeout_ms = 2 * DB_DEADLINE_MS,
		.max_queued = MAX_QUEUED,
		.max_in_flight = MAX_IN_FLIGHT,
		.on_state = config->on_state,
		.arg = config->arg,
	};

	db->config = *config;
	db->lane_count = config->send_connections;
	db->pool = pg_pool_new(loop, &conn, config->send_connections,
						   config->read_connections);
	db_lanes_open(db);
	return db;
}

void
db_close(Db **db_ref)
{
	Db *db = *db_ref;

	if (db == NULL)
		return;
	*db_ref = NULL;
	db->is_closing = true; /* callbacks may ask again */
	pg_pool_free(&db->pool);
	db_lanes_close(db);
	free(db);
}

bool
db_is_up(const Db *db)
{
	return pg_pool_is_up(db->pool);
}

int
db_load(const Db *db)
{
	return pg_pool_load(db->pool) + db_lanes_load(db);
}

bool
db_read(Db *db, DbStatement statement, PgParams *take_params, PgDoneFn done,
		void *arg)
{
	PgRequest request = {
		.statement = (int) statement,
		.params = *take_params,
		.deadline_us = clock_now_us() + DB_DEADLINE_MS * 1000,
		.is_repeatable = true,
		.done = done,
		.arg = arg,
	};

	if (!db->is_closing && pg_pool_submit(db->pool, &request))
		return true;
	pg_params_fini(&request.params);
	return false;
}

void
db_error_from(const PgReply *reply, DbError *error)
{
	if (reply->outcome != PG_REFUSED)
	{
		db_error_set(error, "unavailable");
		return;
	}
	db_error_set(error, NULL);
	for (size_t i = 0; i < sizeof(db_codes) / sizeof(db_codes[0]); i++)
	{
		if (strcmp(reply->sqlstate, db_codes[i].sqlstate) == 0)
			error->code = db_codes[i].code;
	}
	/* Out of resources, connections cut by an operator, a crash beside us. */
	if (error->code == NULL && (strncmp(reply->sqlstate, "53", 2) == 0 ||
								strncmp(reply->sqlstate, "57P", 3) == 0 ||
								strncmp(reply->sqlstate, "58", 2) == 0))
		error->code = "unavailable";
	if (error->code == NULL)
	{
		log_error("the database refused what we asked", "sqlstate=%s reason=%s",
				  reply->sqlstate, log_quote(reply->message));
		error->code = "internal";
	}
	else if (strncmp(reply->sqlstate, "QC", 2) == 0)
		strncat(error->field, db_field_name(reply->column),
				sizeof(error->field) - 1);
}

void
db_error_set(DbError *error, const char *code)
{
	error->code = code;
	error->field[0] = '\0';
}

void
db_position_from(const PgResult *result, int row, int column,
				 Position *position)
{
	size_t len;

	position->system_id =
		strtoull(pg_result_text(result, row, column, &len), NULL, 10);
	position->timeline = (uint32_t) pg_result_i32(result, row, column + 1);
	position->lsn = (uint64_t) pg_result_i64(result, row, column + 2);
}

const char *
db_field_name(const char *column)
{
	static const char *const names[][2] = {
		{ "conversation_id", "conversationId" },
		{ "client_msg_id", "clientMsgId" },
		{ "after_ev", "afterEv" },
		{ "before_seq", "beforeSeq" },
		{ "max_rows", "maxRows" },
		{ "actor", "" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		if (strcmp(names[i][0], column) == 0)
			return names[i][1];
	}
	return column;
}
