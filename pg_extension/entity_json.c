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

#define COLUMNS_MAX 24

/* Which attributes of the row the columns are: looked up once a call site. */
typedef struct RowMap
{
	TupleDesc desc;
	int attributes[COLUMNS_MAX];
} RowMap;

/* One row, taken apart: values in the order of the names asked for. */
typedef struct Row
{
	Datum values[COLUMNS_MAX];
	bool nulls[COLUMNS_MAX];
} Row;

static void open_row(FunctionCallInfo fcinfo, const char *const *names,
					 int count, Row *row);
static RowMap *make_map(HeapTupleHeader tuple, const char *const *names,
						int count, MemoryContext memory);
static void put_uuid(StringInfo out, const char *name, const Row *row, int c);
static void put_text(StringInfo out, const char *name, const Row *row, int c);
static void put_number(StringInfo out, const char *name, const Row *row, int c);
static void put_time(StringInfo out, const char *name, const Row *row, int c);
static void put_flag(StringInfo out, const char *name, const Row *row, int c);
static Datum finish(StringInfo json);

PG_FUNCTION_INFO_V1(chemchat_message_json);
PG_FUNCTION_INFO_V1(chemchat_conversation_json);
PG_FUNCTION_INFO_V1(chemchat_member_json);
PG_FUNCTION_INFO_V1(chemchat_reaction_json);
PG_FUNCTION_INFO_V1(chemchat_user_json);
PG_FUNCTION_INFO_V1(chemchat_cursor_json);
PG_FUNCTION_INFO_V1(chemchat_preference_json);
PG_FUNCTION_INFO_V1(chemchat_block_json);

/*
 * Takes the row apart by its columns' names, or returns: no row, no JSON.  In
 * SQL they are not STRICT, so that a call with a NULL asks for the privilege.
 */
#define OPEN(row, ...)                                                         \
	do                                                                         \
	{                                                                          \
		static const char *const names[] = { __VA_ARGS__ };                    \
                                                                               \
		StaticAssertDecl(lengthof(names) <= COLUMNS_MAX, "too many columns");  \
		if (PG_ARGISNULL(0))                                                   \
			PG_RETURN_NULL();                                                  \
		open_row(fcinfo, names, lengthof(names), row);                         \
	} while (0)

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
		BODY,
		CREATED_AT,
		REPLY_TO,
		THREAD,
		MENTIONS,
		EDITED_AT,
		DELETED_AT
	};
	Row row;
	StringInfoData out;
	OutboxMessage message;

	OPEN(&row, "conversation_id", "ev", "rev", "id", "seq", "sender",
		 "client_msg_id", "body", "created_at", "reply_to", "thread",
		 "mentions", "edited_at", "deleted_at");
	message = (OutboxMessage){
		.conversation_id = DatumGetUUIDP(row.values[CONVERSATION]),
		.ev = DatumGetInt64(row.values[EV]),
		.rev = DatumGetInt64(row.values[REV]),
		.id = DatumGetUUIDP(row.values[ID]),
		.seq = DatumGetInt64(row.values[SEQ]),
		.sender = DatumGetUUIDP(row.values[SENDER]),
		.client_msg_id = DatumGetUUIDP(row.values[KEY]),
		.created_at = DatumGetTimestampTz(row.values[CREATED_AT]),
		.reply_to =
			row.nulls[REPLY_TO] ? 0 : DatumGetInt64(row.values[REPLY_TO]),
		.thread = row.nulls[THREAD] ? 0 : DatumGetInt64(row.values[THREAD]),
		.edited_at = row.nulls[EDITED_AT]
						 ? 0
						 : DatumGetTimestampTz(row.values[EDITED_AT]),
		.deleted_at = row.nulls[DELETED_AT]
						  ? 0
						  : DatumGetTimestampTz(row.values[DELETED_AT]),
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
	enum
	{
		ID,
		EV,
		REV,
		KIND,
		TITLE,
		TOPIC,
		IS_PUBLIC,
		ARCHIVED_AT,
		CREATED_BY,
		CREATED_AT
	};
	Row row;
	StringInfoData out;

	OPEN(&row, "id", "ev", "rev", "kind", "title", "topic", "is_public",
		 "archived_at", "created_by", "created_at");
	initStringInfo(&out);
	json_literal(&out, "{\"kind\":\"conversation\"");
	put_uuid(&out, "conversationId", &row, ID);
	put_number(&out, "ev", &row, EV);
	put_number(&out, "rev", &row, REV);
	put_uuid(&out, "id", &row, ID);
	put_text(&out, "type", &row, KIND);
	put_text(&out, "title", &row, TITLE);
	put_text(&out, "topic", &row, TOPIC);
	put_flag(&out, "isPublic", &row, IS_PUBLIC);
	put_time(&out, "archivedAt", &row, ARCHIVED_AT);
	put_uuid(&out, "createdBy", &row, CREATED_BY);
	put_time(&out, "createdAt", &row, CREATED_AT);
	PG_RETURN_DATUM(finish(&out));
}

Datum
chemchat_member_json(PG_FUNCTION_ARGS)
{
	enum
	{
		CONVERSATION,
		EV,
		REV,
		USER,
		ROLE,
		STATE,
		CHANGED_BY,
		CHANGED_AT
	};
	Row row;
	StringInfoData out;

	OPEN(&row, "conversation_id", "ev", "rev", "user_id", "role", "state",
		 "changed_by", "changed_at");
	initStringInfo(&out);
	json_literal(&out, "{\"kind\":\"member\"");
	put_uuid(&out, "conversationId", &row, CONVERSATION);
	put_number(&out, "ev", &row, EV);
	put_number(&out, "rev", &row, REV);
	put_uuid(&out, "userId", &row, USER);
	put_text(&out, "role", &row, ROLE);
	put_text(&out, "state", &row, STATE);
	put_uuid(&out, "changedBy", &row, CHANGED_BY);
	put_time(&out, "changedAt", &row, CHANGED_AT);
	PG_RETURN_DATUM(finish(&out));
}

Datum
chemchat_reaction_json(PG_FUNCTION_ARGS)
{
	enum
	{
		CONVERSATION,
		EV,
		REV,
		ID,
		SEQ,
		USER,
		EMOJI,
		IS_ON,
		CHANGED_AT
	};
	Row row;
	StringInfoData out;

	OPEN(&row, "conversation_id", "ev", "rev", "id", "seq", "user_id", "emoji",
		 "is_on", "changed_at");
	initStringInfo(&out);
	json_literal(&out, "{\"kind\":\"reaction\"");
	put_uuid(&out, "conversationId", &row, CONVERSATION);
	put_number(&out, "ev", &row, EV);
	put_number(&out, "rev", &row, REV);
	put_uuid(&out, "id", &row, ID);
	put_number(&out, "seq", &row, SEQ);
	put_uuid(&out, "userId", &row, USER);
	put_text(&out, "emoji", &row, EMOJI);
	appendStringInfoString(&out, DatumGetBool(row.values[IS_ON])
									 ? ",\"state\":\"on\""
									 : ",\"state\":\"off\"");
	put_time(&out, "changedAt", &row, CHANGED_AT);
	PG_RETURN_DATUM(finish(&out));
}

Datum
chemchat_user_json(PG_FUNCTION_ARGS)
{
	enum
	{
		ID,
		REV,
		HANDLE,
		DISPLAY_NAME,
		KIND,
		DEACTIVATED_AT,
		CREATED_AT
	};
	Row row;
	StringInfoData out;

	OPEN(&row, "id", "rev", "handle", "display_name", "kind", "deactivated_at",
		 "created_at");
	initStringInfo(&out);
	json_literal(&out, "{\"kind\":\"user\"");
	put_uuid(&out, "userId", &row, ID);
	put_number(&out, "rev", &row, REV);
	put_text(&out, "handle", &row, HANDLE);
	put_text(&out, "displayName", &row, DISPLAY_NAME);
	if (strcmp(TextDatumGetCString(row.values[KIND]), "bot") == 0)
		json_literal(&out, ",\"isBot\":true");
	put_time(&out, "deactivatedAt", &row, DEACTIVATED_AT);
	put_time(&out, "createdAt", &row, CREATED_AT);
	PG_RETURN_DATUM(finish(&out));
}

/* Of a member_state: its cursor. */
Datum
chemchat_cursor_json(PG_FUNCTION_ARGS)
{
	enum
	{
		USER,
		CONVERSATION,
		REV,
		READ_SEQ,
		DELIVERED_SEQ,
		CHANGED_AT
	};
	Row row;
	StringInfoData out;

	OPEN(&row, "user_id", "conversation_id", "cursor_rev", "read_seq",
		 "delivered_seq", "cursor_at");
	initStringInfo(&out);
	json_literal(&out, "{\"kind\":\"cursor\"");
	put_uuid(&out, "userId", &row, USER);
	put_uuid(&out, "conversationId", &row, CONVERSATION);
	put_number(&out, "rev", &row, REV);
	put_number(&out, "readSeq", &row, READ_SEQ);
	put_number(&out, "deliveredSeq", &row, DELIVERED_SEQ);
	put_time(&out, "changedAt", &row, CHANGED_AT);
	PG_RETURN_DATUM(finish(&out));
}

/* Of a member_state: what the member wants to be told. */
Datum
chemchat_preference_json(PG_FUNCTION_ARGS)
{
	enum
	{
		USER,
		CONVERSATION,
		REV,
		IS_MUTED,
		MUTED_UNTIL,
		NOTIFY,
		CHANGED_AT
	};
	Row row;
	StringInfoData out;

	OPEN(&row, "user_id", "conversation_id", "preference_rev", "is_muted",
		 "muted_until", "notify", "preference_at");
	initStringInfo(&out);
	json_literal(&out, "{\"kind\":\"preference\"");
	put_uuid(&out, "userId", &row, USER);
	put_uuid(&out, "conversationId", &row, CONVERSATION);
	put_number(&out, "rev", &row, REV);
	appendStringInfoString(&out, DatumGetBool(row.values[IS_MUTED])
									 ? ",\"isMuted\":true"
									 : ",\"isMuted\":false");
	put_time(&out, "mutedUntil", &row, MUTED_UNTIL);
	put_text(&out, "notify", &row, NOTIFY);
	put_time(&out, "changedAt", &row, CHANGED_AT);
	PG_RETURN_DATUM(finish(&out));
}

Datum
chemchat_block_json(PG_FUNCTION_ARGS)
{
	enum
	{
		USER,
		BLOCKED,
		REV,
		IS_ON,
		CHANGED_AT
	};
	Row row;
	StringInfoData out;

	OPEN(&row, "user_id", "blocked_id", "rev", "is_on", "changed_at");
	initStringInfo(&out);
	json_literal(&out, "{\"kind\":\"block\"");
	put_uuid(&out, "userId", &row, USER);
	put_uuid(&out, "blockedId", &row, BLOCKED);
	put_number(&out, "rev", &row, REV);
	appendStringInfoString(&out, DatumGetBool(row.values[IS_ON])
									 ? ",\"state\":\"on\""
									 : ",\"state\":\"off\"");
	put_time(&out, "changedAt", &row, CHANGED_AT);
	PG_RETURN_DATUM(finish(&out));
}

static void
open_row(FunctionCallInfo fcinfo, const char *const *names, int count, Row *row)
{
	HeapTupleHeader header = PG_GETARG_HEAPTUPLEHEADER(0);
	HeapTupleData tuple = { .t_len = HeapTupleHeaderGetDatumLength(header),
							.t_data = header };
	RowMap *map = fcinfo->flinfo->fn_extra;

	if (map == NULL)
	{
		map = make_map(header, names, count, fcinfo->flinfo->fn_mcxt);
		fcinfo->flinfo->fn_extra = map;
	}
	ItemPointerSetInvalid(&tuple.t_self);
	for (int i = 0; i < count; i++)
		row->values[i] =
			heap_getattr(&tuple, map->attributes[i], map->desc, &row->nulls[i]);
}

static RowMap *
make_map(HeapTupleHeader tuple, const char *const *names, int count,
		 MemoryContext memory)
{
	MemoryContext before = MemoryContextSwitchTo(memory);
	RowMap *map = palloc(sizeof(RowMap));

	map->desc = lookup_rowtype_tupdesc_copy(HeapTupleHeaderGetTypeId(tuple),
											HeapTupleHeaderGetTypMod(tuple));
	for (int i = 0; i < count; i++)
	{
		int at = 0;

		while (at < map->desc->natts &&
			   strcmp(NameStr(TupleDescAttr(map->desc, at)->attname),
					  names[i]) != 0)
			at++;
		if (at == map->desc->natts)
			elog(ERROR, "the row has no column %s", names[i]);
		map->attributes[i] = at + 1;
	}
	MemoryContextSwitchTo(before);
	return map;
}

/* ,"name": in front of a value; nothing at all when the column is null. */
static bool
put_name(StringInfo out, const char *name, const Row *row, int c)
{
	if (row->nulls[c])
		return false;
	appendStringInfoString(out, ",\"");
	appendStringInfoString(out, name);
	appendStringInfoString(out, "\":");
	return true;
}

static void
put_uuid(StringInfo out, const char *name, const Row *row, int c)
{
	if (put_name(out, name, row, c))
		json_uuid(out, DatumGetUUIDP(row->values[c]));
}

static void
put_text(StringInfo out, const char *name, const Row *row, int c)
{
	text *value;

	if (!put_name(out, name, row, c))
		return;
	value = DatumGetTextPP(row->values[c]);
	json_string(out, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
}

static void
put_number(StringInfo out, const char *name, const Row *row, int c)
{
	if (put_name(out, name, row, c))
		json_number(out, DatumGetInt64(row->values[c]));
}

static void
put_time(StringInfo out, const char *name, const Row *row, int c)
{
	if (put_name(out, name, row, c))
		json_time(out, DatumGetTimestampTz(row->values[c]));
}

/* False is not said. */
static void
put_flag(StringInfo out, const char *name, const Row *row, int c)
{
	if (!row->nulls[c] && DatumGetBool(row->values[c]) &&
		put_name(out, name, row, c))
		json_literal(out, "true");
}

/* The type json is its text. */
static Datum
finish(StringInfo json)
{
	appendStringInfoCharMacro(json, '}');
	return PointerGetDatum(cstring_to_text_with_len(json->data, json->len));
}
