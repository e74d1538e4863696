#include <stdlib.h>
#include <string.h>

#include "db.h"
#include "db_private.h"
#include "frames.h"
#include "xalloc.h"

/* One read whose answer goes to a client. */
typedef struct Read
{
	DbAnswerFn done;
	void *arg;
	Uuid conversation_id;
	void (*write)(const struct Read *read, const PgResult *result, Buf *out);
} Read;

static Read *read_new(DbAnswerFn done, void *arg,
					  void (*write)(const Read *read, const PgResult *result,
									Buf *out));
static void submit(Db *db, Read *read, DbStatement statement,
				   PgParams *take_params);
static void on_reply(void *arg, const PgReply *reply);
static void write_heads(const Read *read, const PgResult *result, Buf *out);
static void write_changes(const Read *read, const PgResult *result, Buf *out);
static void write_history(const Read *read, const PgResult *result, Buf *out);
static void write_users(const Read *read, const PgResult *result, Buf *out);
static void write_position(const PgResult *result, Buf *out);
static void append_text(const PgResult *result, int row, int column, Buf *out);
static void append_conversation(const Uuid *id, Buf *out);

void
db_heads(Db *db, const Uuid *actor, DbAnswerFn done, void *arg)
{
	PgParams params;

	pg_params_init(&params);
	pg_params_uuid(&params, actor);
	submit(db, read_new(done, arg, write_heads), DB_HEADS, &params);
}

void
db_changes(Db *db, const Uuid *actor, const Uuid *conversation_id,
		   int64_t after_ev, int max_rows, DbAnswerFn done, void *arg)
{
	Read *read = read_new(done, arg, write_changes);
	PgParams params;

	read->conversation_id = *conversation_id;
	pg_params_init(&params);
	pg_params_uuid(&params, actor);
	pg_params_uuid(&params, conversation_id);
	pg_params_i64(&params, after_ev);
	pg_params_i32(&params, max_rows);
	submit(db, read, DB_CHANGES, &params);
}

void
db_history(Db *db, const Uuid *actor, const Uuid *conversation_id,
		   int64_t before_seq, int max_rows, DbAnswerFn done, void *arg)
{
	Read *read = read_new(done, arg, write_history);
	PgParams params;

	read->conversation_id = *conversation_id;
	pg_params_init(&params);
	pg_params_uuid(&params, actor);
	pg_params_uuid(&params, conversation_id);
	if (before_seq > 0)
		pg_params_i64(&params, before_seq);
	else
		pg_params_null(&params);
	pg_params_i32(&params, max_rows);
	submit(db, read, DB_HISTORY, &params);
}

void
db_users(Db *db, const Uuid *actor, const Uuid *ids, int count, DbAnswerFn done,
		 void *arg)
{
	PgParams params;

	pg_params_init(&params);
	pg_params_uuid(&params, actor);
	pg_params_array(&params, PG_ELEMENT_UUID, count);
	for (int i = 0; i < count; i++)
		pg_params_array_uuid(&params, &ids[i]);
	submit(db, read_new(done, arg, write_users), DB_USERS, &params);
}

static Read *
read_new(DbAnswerFn done, void *arg,
		 void (*write)(const Read *read, const PgResult *result, Buf *out))
{
	Read *read = xcalloc(1, sizeof(*read));

	read->done = done;
	read->arg = arg;
	read->write = write;
	return read;
}

static void
submit(Db *db, Read *read, DbStatement statement, PgParams *take_params)
{
	DbError error;

	if (db_read(db, statement, take_params, on_reply, read))
		return;
	db_error_set(&error, "unavailable");
	read->done(read->arg, &error, NULL);
	free(read);
}

static void
on_reply(void *arg, const PgReply *reply)
{
	Read *read = arg;
	DbError error;
	Buf out;

	if (reply->outcome != PG_COMMITTED)
	{
		db_error_from(reply, &error);
		read->done(read->arg, &error, NULL);
	}
	else
	{
		db_error_set(&error, NULL);
		buf_init(&out);
		read->write(read, reply->result, &out);
		read->done(read->arg, &error, &out);
		buf_fini(&out);
	}
	free(read);
}

static void
write_heads(const Read *read, const PgResult *result, Buf *out)
{
	char id[UUID_TEXT_LEN + 1];
	bool is_first = true;

	buf_append_str(out, "\"heads\":[");
	for (int i = 0; i < pg_result_rows(result); i++)
	{
		Uuid conversation_id;

		if (pg_result_is_null(result, i, 3))
			continue; /* a user without conversations */
		conversation_id = pg_result_uuid(result, i, 3);
		buf_printf(out,
				   "%s{\"conversationId\":\"%s\",\"ev\":%lld,\"seq\":%lld,"
				   "\"readSeq\":%lld,\"mentions\":%d,\"isMuted\":%s,\"kind\":",
				   is_first ? "" : ",", uuid_format(&conversation_id, id),
				   (long long) pg_result_i64(result, i, 4),
				   (long long) pg_result_i64(result, i, 5),
				   (long long) pg_result_i64(result, i, 6),
				   pg_result_i32(result, i, 7),
				   pg_result_bool(result, i, 8) ? "true" : "false");
		append_text(result, i, 9, out);
		if (!pg_result_is_null(result, i, 10))
		{
			buf_append_str(out, ",\"title\":");
			append_text(result, i, 10, out);
		}
		buf_append_str(out, ",\"role\":");
		append_text(result, i, 11, out);
		buf_printf(out, ",\"memberRev\":%lld}",
				   (long long) pg_result_i64(result, i, 12));
		is_first = false;
	}
	buf_append_char(out, ']');
	write_position(result, out);
}

static void
write_changes(const Read *read, const PgResult *result, Buf *out)
{
	size_t len;
	const char *events;

	append_conversation(&read->conversation_id, out);
	if (pg_result_rows(result) != 1)
		return;
	buf_append_str(out, ",\"status\":");
	append_text(result, 0, 3, out);
	if (!pg_result_is_null(result, 0, 4))
		buf_printf(out, ",\"upto\":%lld",
				   (long long) pg_result_i64(result, 0, 4));
	if (!pg_result_is_null(result, 0, 5))
		buf_printf(out, ",\"head\":%lld",
				   (long long) pg_result_i64(result, 0, 5));
	events = pg_result_text(result, 0, 6, &len);
	buf_append_str(out, ",\"events\":");
	if (len > 0)
		buf_append(out, events, len);
	else
		buf_append_str(out, "[]");
	write_position(result, out);
}

static void
write_history(const Read *read, const PgResult *result, Buf *out)
{
	append_conversation(&read->conversation_id, out);
	buf_append_str(out, ",\"events\":[");
	for (int i = 0; i < pg_result_rows(result); i++)
	{
		size_t len;
		const char *event = pg_result_text(result, i, 0, &len);

		if (i > 0)
			buf_append_char(out, ',');
		buf_append(out, event, len);
	}
	buf_append_char(out, ']');
}

static void
write_users(const Read *read, const PgResult *result, Buf *out)
{
	buf_append_str(out, "\"users\":[");
	for (int i = 0; i < pg_result_rows(result); i++)
	{
		size_t len;
		const char *event = pg_result_text(result, i, 0, &len);

		if (i > 0)
			buf_append_char(out, ',');
		buf_append(out, event, len);
	}
	buf_append_char(out, ']');
}

static void
write_position(const PgResult *result, Buf *out)
{
	char text[POSITION_TEXT_SIZE];
	Position position;

	if (pg_result_rows(result) == 0)
		return;
	db_position_from(result, 0, 0, &position);
	frame_text_field(out, "position", position_format(&position, text));
}

static void
append_text(const PgResult *result, int row, int column, Buf *out)
{
	size_t len;
	const char *text = pg_result_text(result, row, column, &len);

	buf_append_json(out, text, len);
}

static void
append_conversation(const Uuid *id, Buf *out)
{
	char text[UUID_TEXT_LEN + 1];

	buf_printf(out, "\"conversationId\":\"%s\"", uuid_format(id, text));
}
