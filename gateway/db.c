#include "db.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "db_private.h"
#include "log.h"
#include "xalloc.h"

#define MAX_IN_FLIGHT 32
#define MAX_QUEUED    8192
#define WRITE_LOCK_MS 100

static PgStatement *make_statements(Db *db);

/*
 * The position is read by the same statement, so after its snapshot was
 * taken: what the rows show is durable up to it.
 */
static const PgStatement own_statements[] = {
	[DB_LIVE_HEADS] = { "live_heads",
						"SELECT p.system_id, p.timeline, p.lsn, h.user_id,"
						" h.conversation_id, h.ev, h.seq"
						" FROM chemchat.position() AS p"
						" LEFT JOIN chemchat.live_heads($1::uuid[], $2::int)"
						" AS h ON true",
						false },
	[DB_LIVE_CHANGES] = { "live_changes",
						  "SELECT p.system_id, p.timeline, p.lsn,"
						  " c.conversation_id, c.after_ev, c.status, c.upto,"
						  " c.head, c.events FROM chemchat.position() AS p,"
						  " chemchat.live_changes($1::uuid[], $2::bigint[],"
						  " $3::int) AS c",
						  false },
	[DB_LIVE_STATES] = { "live_states",
						 "SELECT m.mark, m.lsn, s.target::text, s.target_id,"
						 " s.kind::text, s.key, s.id, s.rev, s.event"
						 " FROM chemchat.live_mark() AS m"
						 " LEFT JOIN chemchat.live_states($1::uuid[],"
						 " $2::uuid[], $3::text, $4::int, $5::int) AS s"
						 " ON true",
						 false },
	[DB_LIVE_AUDIENCE] = { "live_audience",
						   "SELECT a.user_id, a.conversation_id"
						   " FROM chemchat.live_audience($1::uuid[],"
						   " $2::uuid[], $3::int) AS a",
						   false },
	[DB_POSITION_STATUS] = { "position_status",
							 "SELECT s FROM chemchat.position_status($1::text,"
							 " $2::int, $3::pg_lsn) AS s",
							 false },
	[DB_SEND] = { "send_messages",
				  "SELECT s.item, s.code, s.field, s.id, s.seq, s.ev, s.rev,"
				  " s.created_at, s.is_duplicate FROM chemchat.send_messages("
				  "$1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[],"
				  " $6::bigint[]) AS s",
				  false },
	[DB_POSITION] = { "position",
					  "SELECT p.system_id, p.timeline, p.lsn"
					  " FROM chemchat.position() AS p",
					  false },
	[DB_MARKS] = { "marks",
				   "SELECT m.item, m.code, m.read_seq, m.delivered_seq, m.rev,"
				   " m.field"
				   " FROM chemchat.marks($1::uuid[], $2::uuid[], $3::bigint[],"
				   " $4::bigint[]) AS m",
				   true },
	[DB_REVOCATIONS] = { "revocations",
						 "SELECT r.jti, r.user_id, r.tokens_from,"
						 " r.is_deactivated, r.changed_at, r.expires_at"
						 " FROM chemchat.revocations('epoch'::timestamptz +"
						 " $1::bigint * interval '1 microsecond') AS r",
						 true },
	[DB_ACCOUNT] = { "account",
					 "SELECT a.user_id, a.password_hash, a.is_admin,"
					 " a.deactivated_at, a.tokens_from"
					 " FROM chemchat.account($1::text, $2::uuid) AS a",
					 true },
	[DB_SET_PASSWORD] = { "set_password",
						  "SELECT FROM chemchat.set_password($1::uuid,"
						  " $2::text)",
						  true },
	[DB_REVOKE_SESSION] = { "revoke_session",
							"SELECT FROM chemchat.revoke_session($1::uuid,"
							" $2::uuid, to_timestamp($3::bigint))",
							true },
	[DB_BOT_TOKEN] = { "bot_token",
					   "SELECT t.id, t.user_id,"
					   " array_to_string(t.scopes, ','), t.expires_at"
					   " FROM chemchat.bot_token(decode($1::text, 'hex'))"
					   " AS t",
					   true },
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
	{ "42883", "library_mismatch" }, /* it lacks the function */
	{ "53100", "storage_full" },
	{ "57014", "unavailable" },
	{ "25006", "unavailable" },
	{ "40001", "unavailable" },
	{ "40P01", "unavailable" },
	{ "55P03", "busy" },
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
		.statements = make_statements(db),
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

	/* One conversation that an application holds must not stop the others. */
	conn.lock_timeout_ms = WRITE_LOCK_MS;
	conn.on_state = NULL;
	db->write_pool = pg_pool_new(loop, &conn, 0, config->write_connections);
	db_lanes_open(db);
	db_marks_open(db);
	db_pulls_open(db);
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
	pg_pool_free(&db->write_pool);
	db_lanes_close(db);
	db_marks_close(db);
	free(db->statements);
	db_pulls_close(db);
	free(db);
}

bool
db_is_up(const Db *db)
{
	return pg_pool_is_up(db->pool) && pg_pool_is_up(db->write_pool);
}

int
db_load(const Db *db)
{
	return pg_pool_load(db->pool) + pg_pool_load(db->write_pool) +
		   db_lanes_load(db);
}

int
db_reads_waiting(const Db *db)
{
	return pg_pool_load(db->pool);
}

bool
db_read(Db *db, int statement, PgParams *take_params, PgDoneFn done, void *arg)
{
	PgRequest request = {
		.statement = statement,
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
		db_field_name(reply->column, error->field, sizeof(error->field));
	else if (strcmp(reply->sqlstate, "42883") == 0)
		log_error("the extension is older than this gateway", "reason=%s",
				  log_quote(reply->message));
}

const char *
db_code(const char *code)
{
	for (size_t i = 0; i < sizeof(db_codes) / sizeof(db_codes[0]); i++)
	{
		if (strcmp(code, db_codes[i].code) == 0)
			return db_codes[i].code;
	}
	log_error("the database said an unknown code", "code=%s", log_quote(code));
	return "internal";
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

/*
 * The argument's name in JSON: snake case to camel case.  The actor is no field
 * of anybody's request.
 */
const char *
db_field_name(const char *column, char *field, size_t size)
{
	size_t len = 0;
	bool is_upper = false;

	for (const char *at = column; *at != '\0' && len + 1 < size; at++)
	{
		if (*at == '_')
			is_upper = true;
		else
		{
			field[len++] =
				(char) (is_upper ? toupper((unsigned char) *at) : *at);
			is_upper = false;
		}
	}
	field[len] = '\0';
	if (strcmp(field, "actor") == 0)
		field[0] = '\0';
	return field;
}

/* Ours first, then a lazy one per verb that has a function. */
static PgStatement *
make_statements(Db *db)
{
	static char names[128][sizeof("verb_-2147483648")];
	PgStatement *all =
		xcalloc((size_t) DB_VERBS + (size_t) verb_count + 1, sizeof(*all));

	memcpy(all, own_statements, sizeof(own_statements));
	for (int i = 0; i < verb_count; i++)
	{
		PgStatement *statement = &all[(int) DB_VERBS + i];

		snprintf(names[i], sizeof(names[i]), "verb_%d", i);
		statement->name = names[i];
		statement->sql = verbs[i].sql != NULL ? verbs[i].sql : "";
		statement->is_lazy = true;
	}
	db->statements = all;
	return all;
}
