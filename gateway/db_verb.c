#include <string.h>
#include <stdlib.h>

#include "clock.h"
#include "db.h"
#include "db_private.h"
#include "frames.h"
#include "xalloc.h"

/* A read on its way. */
typedef struct Read
{
	const Verb *verb;
	DbAnswerFn done;
	void *arg;
	DbEcho echo;
} Read;

static void params_from(const Verb *verb, const Uuid *actor,
						const VerbValues *values, PgParams *params);
static void on_read(void *arg, const PgReply *reply);
static void write_row(const Verb *verb, const PgResult *result, int row,
					  int first, Buf *out);
static void write_rows(const Verb *verb, const PgResult *result, int first,
					   Buf *out);
static void write_events(const Verb *verb, const PgResult *result, Buf *out);
static void write_value(VerbKind kind, const PgResult *result, int row,
						int column, Buf *out);
static void write_next(const Verb *verb, const DbEcho *echo,
					   const PgResult *result, int first, Buf *out);
static void comma(Buf *out);

void
db_call(Db *db, const Verb *verb, const Uuid *actor, const VerbValues *values,
		const char *trace, DbAnswerFn done, void *arg)
{
	PgParams params;
	DbError error;
	Read *read;

	params_from(verb, actor, values, &params);
	if (verb->flags & VERB_WRITES)
	{
		db_write(db, verb, actor, values, &params, trace, done, arg);
		return;
	}
	read = xcalloc(1, sizeof(*read));
	read->verb = verb;
	read->done = done;
	read->arg = arg;
	db_echo_from(&read->echo, verb, values);
	if (db_read(db, (int) DB_VERBS + verb_index(verb), &params, on_read, read))
		return;
	db_error_set(&error, "unavailable");
	done(arg, &error, NULL);
	free(read);
}

void
db_echo_from(DbEcho *echo, const Verb *verb, const VerbValues *values)
{
	memset(echo, 0, sizeof(*echo));
	for (int i = 0; verb->args[i].kind != VERB_NONE; i++)
	{
		const VerbArg *arg = &verb->args[i];
		const VerbValue *value = &values->value[i];

		if (arg->place == VERB_PATH && strcmp(arg->name, "conversationId") == 0)
		{
			echo->has_conversation = true;
			echo->conversation_id = value->uuid;
		}
		else if (arg->place == VERB_PATH && strcmp(arg->name, "seq") == 0)
		{
			echo->has_seq = true;
			echo->seq = value->number;
		}
		else if (strcmp(arg->name, "maxRows") == 0)
			echo->max_rows = value->number;
	}
}

void
db_answer_write(const Verb *verb, const DbEcho *echo, const PgResult *result,
				Buf *out, DbAnswer *answer)
{
	char id[UUID_TEXT_LEN + 1];
	int rows = pg_result_rows(result);
	int first = verb->flags & VERB_POSITIONED ? 3 : 0;
	int column;

	memset(answer, 0, sizeof(*answer));
	if (echo->has_conversation)
		buf_printf(out, "\"conversationId\":\"%s\"",
				   uuid_format(&echo->conversation_id, id));
	if (echo->has_seq)
		buf_printf(out, "%s\"seq\":%lld", out->len > 0 ? "," : "",
				   (long long) echo->seq);
	switch (verb->shape)
	{
		case VERB_ROW:
			if (rows > 0)
				write_row(verb, result, 0, first, out);
			break;
		case VERB_ROWS:
			write_rows(verb, result, first, out);
			break;
		case VERB_EVENTS_LIST:
			write_events(verb, result, out);
			break;
	}
	write_next(verb, echo, result, first, out);
	answer->content_len = out->len;
	if (first > 0 && rows > 0)
	{
		char text[POSITION_TEXT_SIZE];
		Position position;

		db_position_from(result, 0, 0, &position);
		frame_text_field(out, "position", position_format(&position, text));
	}
	/* What never was has no rev: a reaction taken back that was not given. */
	if (verb->shape == VERB_ROW && rows > 0)
	{
		column = db_column(verb, "isDuplicate");
		if (column >= 0 && !pg_result_is_null(result, 0, first + column))
			answer->is_duplicate = pg_result_bool(result, 0, first + column);
		column = db_column(verb, "rev");
		if (column >= 0 && !pg_result_is_null(result, 0, first + column))
			answer->rev = (uint64_t) pg_result_int(result, 0, first + column);
	}
	answer->fields = out;
}

int
db_column(const Verb *verb, const char *name)
{
	for (int i = 0; verb->columns[i].kind != VERB_NONE; i++)
	{
		if (strcmp(verb->columns[i].name, name) == 0)
			return i;
	}
	return -1;
}

static void
params_from(const Verb *verb, const Uuid *actor, const VerbValues *values,
			PgParams *params)
{
	pg_params_init(params);
	pg_params_uuid(params, actor);
	for (int i = 0; verb->args[i].kind != VERB_NONE; i++)
	{
		const VerbValue *value = &values->value[i];

		if (!value->is_set)
		{
			pg_params_null(params);
			continue;
		}
		switch (verb->args[i].kind)
		{
			case VERB_UUID:
				pg_params_uuid(params, &value->uuid);
				break;
			case VERB_TEXT:
				pg_params_text(params, value->text, value->len);
				break;
			case VERB_INT:
				if (strcmp(verb->args[i].name, "maxRows") == 0)
					pg_params_i32(params, (int32_t) value->number);
				else
					pg_params_i64(params, value->number);
				break;
			case VERB_BOOL:
				pg_params_bool(params, value->truth);
				break;
			case VERB_TIME:
				pg_params_time_us(params, value->number);
				break;
			case VERB_UUIDS:
				pg_params_array(params, PG_ELEMENT_UUID, value->count);
				for (int id = 0; id < value->count; id++)
					pg_params_array_uuid(params, &value->ids[id]);
				break;
			case VERB_NONE:
			case VERB_JSON:
				abort(); /* no argument is one */
		}
	}
}

static void
on_read(void *arg, const PgReply *reply)
{
	Read *read = arg;
	DbAnswer answer;
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
		db_answer_write(read->verb, &read->echo, reply->result, &out, &answer);
		read->done(read->arg, &error, &answer);
		buf_fini(&out);
	}
	free(read);
}

/* Fields of one row; those that are NULL are left out. */
static void
write_row(const Verb *verb, const PgResult *result, int row, int first,
		  Buf *out)
{
	for (int i = 0; verb->columns[i].kind != VERB_NONE; i++)
	{
		const VerbColumn *column = &verb->columns[i];

		if (pg_result_is_null(result, row, first + i) ||
			strcmp(column->name, VERB_NEXT) == 0)
			continue;
		comma(out);
		buf_printf(out, "\"%s\":", column->name);
		write_value(column->kind, result, row, first + i, out);
	}
}

/* A positioned verb without rows has one, all NULL behind the position. */
static void
write_rows(const Verb *verb, const PgResult *result, int first, Buf *out)
{
	bool is_first = true;

	comma(out);
	buf_printf(out, "\"%s\":[", verb->list);
	for (int i = 0; i < pg_result_rows(result); i++)
	{
		if (pg_result_is_null(result, i, first))
			continue;
		buf_append_str(out, is_first ? "{" : ",{");
		write_row(verb, result, i, first, out);
		buf_append_char(out, '}');
		is_first = false;
	}
	buf_append_char(out, ']');
}

static void
write_events(const Verb *verb, const PgResult *result, Buf *out)
{
	const char *lists[] = { verb->list, verb->list2 };

	for (int part = 0; part < 2 && lists[part] != NULL; part++)
	{
		bool is_first = true;

		comma(out);
		buf_printf(out, "\"%s\":[", lists[part]);
		for (int i = 0; i < pg_result_rows(result); i++)
		{
			if (pg_result_int(result, i, 0) != part)
				continue;
			if (!is_first)
				buf_append_char(out, ',');
			write_value(VERB_JSON, result, i, 1, out);
			is_first = false;
		}
		buf_append_char(out, ']');
	}
}

static void
write_value(VerbKind kind, const PgResult *result, int row, int column,
			Buf *out)
{
	char text[CLOCK_TEXT_SIZE > UUID_TEXT_LEN + 1 ? CLOCK_TEXT_SIZE
												  : UUID_TEXT_LEN + 1];
	const char *bytes;
	size_t len;
	Uuid id;

	switch (kind)
	{
		case VERB_UUID:
			id = pg_result_uuid(result, row, column);
			buf_printf(out, "\"%s\"", uuid_format(&id, text));
			break;
		case VERB_TEXT:
			bytes = pg_result_text(result, row, column, &len);
			buf_append_json(out, bytes, len);
			break;
		case VERB_INT:
			buf_printf(out, "%lld",
					   (long long) pg_result_int(result, row, column));
			break;
		case VERB_BOOL:
			buf_append_str(out, pg_result_bool(result, row, column) ? "true"
																	: "false");
			break;
		case VERB_TIME:
			clock_format(pg_result_time_us(result, row, column), text);
			buf_printf(out, "\"%s\"", text);
			break;
		case VERB_JSON:
			bytes = pg_result_text(result, row, column, &len);
			buf_append(out, bytes, len);
			break;
		case VERB_NONE:
		case VERB_UUIDS:
			abort(); /* no column is one */
	}
}

/* There may be more: the cursor of the last row, of its first part. */
static void
write_next(const Verb *verb, const DbEcho *echo, const PgResult *result,
		   int first, Buf *out)
{
	int column = db_column(verb, VERB_NEXT);
	int last = -1;
	int64_t count = 0;

	if (column < 0 || echo->max_rows == 0)
		return;
	for (int i = 0; i < pg_result_rows(result); i++)
	{
		if (pg_result_is_null(result, i, first + column))
			continue;
		count++;
		last = i;
	}
	if (count < echo->max_rows)
		return;
	comma(out);
	buf_append_str(out, "\"" VERB_NEXT "\":");
	write_value(verb->columns[column].kind, result, last, first + column, out);
}

static void
comma(Buf *out)
{
	if (out->len > 0 && out->data[out->len - 1] != '{' &&
		out->data[out->len - 1] != '[')
		buf_append_char(out, ',');
}
