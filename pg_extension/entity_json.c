/*
 * entity_json - a row of ours as the event it is
 *
 * _message_json(message), _conversation_json(conversation) ...: each takes a
 * row of its table and returns the JSON of docs/protocol.md, "Events".  NULL
 * columns and those that are false say nothing, unless said otherwise there.
 * A row that is not there at all has no JSON.
 */
#include "postgres.h"
#include "pgcompat.h"

#include "access/htup_details.h"
#include "access/tupdesc.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/typcache.h"

#include "json.h"
#include "outbox.h"

#define FIELDS_MAX 16

/* Appends a value, its name and colon included, or nothing. */
typedef void (*Put)(StringInfo out, const char *name, Datum value);

/* A column, and how the event tells it; without a put it does not. */
typedef struct Field
{
	const char *column;
	const char *name;
	Put put;
} Field;

/* Which attributes of the row the fields are: looked up once a call site. */
typedef struct RowMap
{
	TupleDesc desc;
	int attributes[FIELDS_MAX];
} RowMap;

/* One row, taken apart: values in the order of the fields. */
typedef struct Row
{
	Datum values[FIELDS_MAX];
	bool nulls[FIELDS_MAX];
} Row;

static Datum entity(FunctionCallInfo fcinfo, const char *kind,
					const Field *fields, int count);
static void open_row(FunctionCallInfo fcinfo, const Field *fields, int count,
					 Row *row);
static RowMap *make_map(HeapTupleHeader tuple, const Field *fields, int count,
						MemoryContext memory);
static int64 number_or_0(const Row *row, int c);
static void put_uuid(StringInfo out, const char *name, Datum value);
static void put_text(StringInfo out, const char *name, Datum value);
static void put_number(StringInfo out, const char *name, Datum value);
static void put_time(StringInfo out, const char *name, Datum value);
static void put_bool(StringInfo out, const char *name, Datum value);
static void put_if_true(StringInfo out, const char *name, Datum value);
static void put_on_off(StringInfo out, const char *name, Datum value);
static void put_if_bot(StringInfo out, const char *name, Datum value);

PG_FUNCTION_INFO_V1(chemchat_message_json);
PG_FUNCTION_INFO_V1(chemchat_conversation_json);
PG_FUNCTION_INFO_V1(chemchat_member_json);
PG_FUNCTION_INFO_V1(chemchat_reaction_json);
PG_FUNCTION_INFO_V1(chemchat_user_json);
PG_FUNCTION_INFO_V1(chemchat_cursor_json);
PG_FUNCTION_INFO_V1(chemchat_preference_json);
PG_FUNCTION_INFO_V1(chemchat_block_json);

/* Of a message C code writes the JSON too, so there is one that does. */
Datum
chemchat_message_json(PG_FUNCTION_ARGS)
{
	enum
	{
		CONVERSATION,
		EV,
		REV,
		ID,
		SEQ,
		SENDER,
		KEY,
		CREATED_AT,
		ALWAYS_THERE,
		BODY = ALWAYS_THERE,
		REPLY_TO,
		THREAD,
		MENTIONS,
		EDITED_AT,
		DELETED_AT
	};
	static const Field fields[] = {
		[CONVERSATION] = { .column = "conversation_id" },
		[EV] = { .column = "ev" },
		[REV] = { .column = "rev" },
		[ID] = { .column = "id" },
		[SEQ] = { .column = "seq" },
		[SENDER] = { .column = "sender" },
		[KEY] = { .column = "client_msg_id" },
		[CREATED_AT] = { .column = "created_at" },
		[BODY] = { .column = "body" },
		[REPLY_TO] = { .column = "reply_to" },
		[THREAD] = { .column = "thread" },
		[MENTIONS] = { .column = "mentions" },
		[EDITED_AT] = { .column = "edited_at" },
		[DELETED_AT] = { .column = "deleted_at" },
	};
	Row row;
	StringInfoData out;
	OutboxMessage message;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	open_row(fcinfo, fields, lengthof(fields), &row);
	for (int c = 0; c < ALWAYS_THERE; c++)
	{
		if (row.nulls[c])
			elog(ERROR, "a message without %s", fields[c].column);
	}
	message = (OutboxMessage){
		.conversation_id = DatumGetUUIDP(row.values[CONVERSATION]),
		.ev = DatumGetInt64(row.values[EV]),
		.rev = DatumGetInt64(row.values[REV]),
		.id = DatumGetUUIDP(row.values[ID]),
		.seq = DatumGetInt64(row.values[SEQ]),
		.sender = DatumGetUUIDP(row.values[SENDER]),
		.client_msg_id = DatumGetUUIDP(row.values[KEY]),
		.created_at = DatumGetTimestampTz(row.values[CREATED_AT]),
		.reply_to = number_or_0(&row, REPLY_TO),
		.thread = number_or_0(&row, THREAD),
		.edited_at = number_or_0(&row, EDITED_AT),
		.deleted_at = number_or_0(&row, DELETED_AT),
	};
	if (!row.nulls[BODY])
	{
		text *body = DatumGetTextPP(row.values[BODY]);

		message.body = VARDATA_ANY(body);
		message.body_len = VARSIZE_ANY_EXHDR(body);
	}
	if (!row.nulls[MENTIONS])
	{
		ArrayType *mentions = DatumGetArrayTypeP(row.values[MENTIONS]);

		/* Without NULLs the ids lie one behind the other. */
		if (ARR_HASNULL(mentions))
			elog(ERROR, "a mention is null");
		message.mentions = (const pg_uuid_t *) ARR_DATA_PTR(mentions);
		message.mention_count =
			ArrayGetNItems(ARR_NDIM(mentions), ARR_DIMS(mentions));
	}
	initStringInfo(&out);
	outbox_message_json(&out, &message);
	PG_RETURN_DATUM(
		PointerGetDatum(cstring_to_text_with_len(out.data, out.len)));
}

Datum
chemchat_conversation_json(PG_FUNCTION_ARGS)
{
	static const Field fields[] = {
		{ "id", "conversationId", put_uuid },
		{ "ev", "ev", put_number },
		{ "rev", "rev", put_number },
		{ "id", "id", put_uuid },
		{ "kind", "type", put_text },
		{ "title", "title", put_text },
		{ "topic", "topic", put_text },
		{ "is_public", "isPublic", put_if_true },
		{ "archived_at", "archivedAt", put_time },
		{ "created_by", "createdBy", put_uuid },
		{ "created_at", "createdAt", put_time },
	};

	return entity(fcinfo, "conversation", fields, lengthof(fields));
}

Datum
chemchat_member_json(PG_FUNCTION_ARGS)
{
	static const Field fields[] = {
		{ "conversation_id", "conversationId", put_uuid },
		{ "ev", "ev", put_number },
		{ "rev", "rev", put_number },
		{ "user_id", "userId", put_uuid },
		{ "role", "role", put_text },
		{ "state", "state", put_text },
		{ "changed_by", "changedBy", put_uuid },
		{ "changed_at", "changedAt", put_time },
	};

	return entity(fcinfo, "member", fields, lengthof(fields));
}

Datum
chemchat_reaction_json(PG_FUNCTION_ARGS)
{
	static const Field fields[] = {
		{ "conversation_id", "conversationId", put_uuid },
		{ "ev", "ev", put_number },
		{ "rev", "rev", put_number },
		{ "id", "id", put_uuid },
		{ "seq", "seq", put_number },
		{ "user_id", "userId", put_uuid },
		{ "emoji", "emoji", put_text },
		{ "is_on", "state", put_on_off },
		{ "changed_at", "changedAt", put_time },
	};

	return entity(fcinfo, "reaction", fields, lengthof(fields));
}

Datum
chemchat_user_json(PG_FUNCTION_ARGS)
{
	static const Field fields[] = {
		{ "id", "userId", put_uuid },
		{ "rev", "rev", put_number },
		{ "handle", "handle", put_text },
		{ "display_name", "displayName", put_text },
		{ "kind", "isBot", put_if_bot },
		{ "deactivated_at", "deactivatedAt", put_time },
		{ "created_at", "createdAt", put_time },
	};

	return entity(fcinfo, "user", fields, lengthof(fields));
}

/* Of a member_state: its cursor. */
Datum
chemchat_cursor_json(PG_FUNCTION_ARGS)
{
	static const Field fields[] = {
		{ "user_id", "userId", put_uuid },
		{ "conversation_id", "conversationId", put_uuid },
		{ "cursor_rev", "rev", put_number },
		{ "read_seq", "readSeq", put_number },
		{ "delivered_seq", "deliveredSeq", put_number },
		{ "cursor_at", "changedAt", put_time },
	};

	return entity(fcinfo, "cursor", fields, lengthof(fields));
}

/* Of a member_state: what the member wants to be told. */
Datum
chemchat_preference_json(PG_FUNCTION_ARGS)
{
	static const Field fields[] = {
		{ "user_id", "userId", put_uuid },
		{ "conversation_id", "conversationId", put_uuid },
		{ "preference_rev", "rev", put_number },
		{ "is_muted", "isMuted", put_bool },
		{ "muted_until", "mutedUntil", put_time },
		{ "notify", "notify", put_text },
		{ "preference_at", "changedAt", put_time },
	};

	return entity(fcinfo, "preference", fields, lengthof(fields));
}

Datum
chemchat_block_json(PG_FUNCTION_ARGS)
{
	static const Field fields[] = {
		{ "user_id", "userId", put_uuid },
		{ "blocked_id", "blockedId", put_uuid },
		{ "rev", "rev", put_number },
		{ "is_on", "state", put_on_off },
		{ "changed_at", "changedAt", put_time },
	};

	return entity(fcinfo, "block", fields, lengthof(fields));
}

/*
 * {"kind":...} and the row's fields behind it.  In SQL the functions are not
 * STRICT, so that a call with a NULL asks for the privilege.
 */
static Datum
entity(FunctionCallInfo fcinfo, const char *kind, const Field *fields,
	   int count)
{
	Row row;
	StringInfoData out;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	open_row(fcinfo, fields, count, &row);
	initStringInfo(&out);
	json_literal(&out, "{\"kind\":");
	json_string(&out, kind, strlen(kind));
	for (int c = 0; c < count; c++)
	{
		if (!row.nulls[c])
			fields[c].put(&out, fields[c].name, row.values[c]);
	}
	appendStringInfoCharMacro(&out, '}');

	/* The type json is its text. */
	return PointerGetDatum(cstring_to_text_with_len(out.data, out.len));
}

static void
open_row(FunctionCallInfo fcinfo, const Field *fields, int count, Row *row)
{
	HeapTupleHeader header = PG_GETARG_HEAPTUPLEHEADER(0);
	HeapTupleData tuple = { .t_len = HeapTupleHeaderGetDatumLength(header),
							.t_data = header };
	RowMap *map = fcinfo->flinfo->fn_extra;

	if (map == NULL)
	{
		map = make_map(header, fields, count, fcinfo->flinfo->fn_mcxt);
		fcinfo->flinfo->fn_extra = map;
	}
	ItemPointerSetInvalid(&tuple.t_self);
	for (int i = 0; i < count; i++)
		row->values[i] =
			heap_getattr(&tuple, map->attributes[i], map->desc, &row->nulls[i]);
}

static RowMap *
make_map(HeapTupleHeader tuple, const Field *fields, int count,
		 MemoryContext memory)
{
	MemoryContext before = MemoryContextSwitchTo(memory);
	RowMap *map = palloc(sizeof(RowMap));

	if (count > FIELDS_MAX)
		elog(ERROR, "too many fields");
	map->desc = lookup_rowtype_tupdesc_copy(HeapTupleHeaderGetTypeId(tuple),
											HeapTupleHeaderGetTypMod(tuple));
	for (int i = 0; i < count; i++)
	{
		int at = 0;

		while (at < map->desc->natts &&
			   strcmp(NameStr(TupleDescAttr(map->desc, at)->attname),
					  fields[i].column) != 0)
			at++;
		if (at == map->desc->natts)
			elog(ERROR, "the row has no column %s", fields[i].column);
		map->attributes[i] = at + 1;
	}
	MemoryContextSwitchTo(before);
	return map;
}

static int64
number_or_0(const Row *row, int c)
{
	return row->nulls[c] ? 0 : DatumGetInt64(row->values[c]);
}

static void
put_name(StringInfo out, const char *name)
{
	appendStringInfoString(out, ",\"");
	appendStringInfoString(out, name);
	appendStringInfoString(out, "\":");
}

static void
put_uuid(StringInfo out, const char *name, Datum value)
{
	put_name(out, name);
	json_uuid(out, DatumGetUUIDP(value));
}

static void
put_text(StringInfo out, const char *name, Datum value)
{
	text *words = DatumGetTextPP(value);

	put_name(out, name);
	json_string(out, VARDATA_ANY(words), VARSIZE_ANY_EXHDR(words));
}

static void
put_number(StringInfo out, const char *name, Datum value)
{
	put_name(out, name);
	json_number(out, DatumGetInt64(value));
}

static void
put_time(StringInfo out, const char *name, Datum value)
{
	put_name(out, name);
	json_time(out, DatumGetTimestampTz(value));
}

static void
put_bool(StringInfo out, const char *name, Datum value)
{
	put_name(out, name);
	appendStringInfoString(out, DatumGetBool(value) ? "true" : "false");
}

static void
put_if_true(StringInfo out, const char *name, Datum value)
{
	if (DatumGetBool(value))
		put_bool(out, name, value);
}

static void
put_on_off(StringInfo out, const char *name, Datum value)
{
	put_name(out, name);
	appendStringInfoString(out, DatumGetBool(value) ? "\"on\"" : "\"off\"");
}

static void
put_if_bot(StringInfo out, const char *name, Datum value)
{
	if (strcmp(TextDatumGetCString(value), "bot") == 0)
		put_bool(out, name, BoolGetDatum(true));
}
