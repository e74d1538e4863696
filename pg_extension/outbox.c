#include "postgres.h"
#include "pgcompat.h"

#include "outbox.h"

#include "access/xlogdefs.h"
#include "datatype/timestamp.h"
#include "fmgr.h"
#include "replication/message.h"
#include "utils/builtins.h"

#include "guard.h"
#include "json.h"

char *outbox_session_trace;

static void json_text_field(StringInfo out, const char *name,
							FunctionCallInfo fcinfo, int arg);
static void json_uuid_field(StringInfo out, const char *name,
							FunctionCallInfo fcinfo, int arg);
static void json_numbers(StringInfo out, int64 ev, int64 rev);
static Datum json_datum(StringInfo json);
static bool is_hex(const char *text, size_t from, size_t to);

PG_FUNCTION_INFO_V1(chemchat_message_json);
PG_FUNCTION_INFO_V1(chemchat_conversation_json);
PG_FUNCTION_INFO_V1(chemchat_member_json);
PG_FUNCTION_INFO_V1(chemchat_user_json);
PG_FUNCTION_INFO_V1(chemchat_emit);

void
outbox_message_json(StringInfo out, const OutboxMessage *message)
{
	json_literal(out, "{\"kind\":\"message\",\"conversationId\":");
	json_uuid(out, message->conversation_id);
	json_numbers(out, message->ev, message->rev);
	json_literal(out, ",\"id\":");
	json_uuid(out, message->id);
	json_literal(out, ",\"seq\":");
	json_number(out, message->seq);
	json_literal(out, ",\"sender\":");
	json_uuid(out, message->sender);
	json_literal(out, ",\"clientMsgId\":");
	json_uuid(out, message->client_msg_id);
	if (message->body != NULL)
	{
		json_literal(out, ",\"body\":");
		json_string(out, message->body, message->body_len);
	}
	json_literal(out, ",\"createdAt\":");
	json_time(out, message->created_at);
	appendStringInfoCharMacro(out, '}');
}

void
outbox_emit(const Event *event, StringInfo scratch)
{
	Event traced = *event;
	size_t size;

	if (traced.trace == NULL && outbox_session_trace != NULL &&
		outbox_session_trace[0] != '\0')
		traced.trace = outbox_session_trace;
	size = event_size(&traced);
	resetStringInfo(scratch);
	enlargeStringInfo(scratch, (int) size);
	event_write((uint8_t *) scratch->data, &traced);
	guard_note_event();
	(void) compat_log_logical_message(EVENT_PREFIX, scratch->data, size, true);
}

int64
outbox_unix_time_us(TimestampTz time)
{
	return time +
		   ((int64) POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
}

bool
outbox_is_traceparent(const char *text, size_t len)
{
	static const char zeroes[] = "00000000000000000000000000000000";

	return len == EVENT_TRACE_SIZE && memcmp(text, "00-", 3) == 0 &&
		   is_hex(text, 3, 35) && text[35] == '-' && is_hex(text, 36, 52) &&
		   text[52] == '-' && is_hex(text, 53, 55) &&
		   memcmp(text + 3, zeroes, 32) != 0 &&
		   memcmp(text + 36, zeroes, 16) != 0;
}

/*
 * _message_json(conversation_id, ev, rev, id, seq, sender, client_msg_id,
 * body, created_at) -> json
 */
Datum
chemchat_message_json(PG_FUNCTION_ARGS)
{
	StringInfoData out;
	OutboxMessage message = {
		.conversation_id = PG_GETARG_UUID_P(0),
		.ev = PG_GETARG_INT64(1),
		.rev = PG_GETARG_INT64(2),
		.id = PG_GETARG_UUID_P(3),
		.seq = PG_GETARG_INT64(4),
		.sender = PG_GETARG_UUID_P(5),
		.client_msg_id = PG_GETARG_UUID_P(6),
		.created_at = PG_GETARG_TIMESTAMPTZ(8),
	};

	for (int i = 0; i < 9; i++)
	{
		if (i != 7 && PG_ARGISNULL(i))
			PG_RETURN_NULL();
	}
	if (!PG_ARGISNULL(7))
	{
		text *body = PG_GETARG_TEXT_PP(7);

		message.body = VARDATA_ANY(body);
		message.body_len = VARSIZE_ANY_EXHDR(body);
	}
	initStringInfo(&out);
	outbox_message_json(&out, &message);
	PG_RETURN_DATUM(json_datum(&out));
}

/* _conversation_json(id, ev, rev, kind, title, created_by, created_at) */
Datum
chemchat_conversation_json(PG_FUNCTION_ARGS)
{
	StringInfoData out;

	initStringInfo(&out);
	json_literal(&out, "{\"kind\":\"conversation\"");
	json_uuid_field(&out, "conversationId", fcinfo, 0);
	json_numbers(&out, PG_GETARG_INT64(1), PG_GETARG_INT64(2));
	json_uuid_field(&out, "id", fcinfo, 0);
	json_text_field(&out, "type", fcinfo, 3);
	json_text_field(&out, "title", fcinfo, 4);
	json_uuid_field(&out, "createdBy", fcinfo, 5);
	json_literal(&out, ",\"createdAt\":");
	json_time(&out, PG_GETARG_TIMESTAMPTZ(6));
	appendStringInfoCharMacro(&out, '}');
	PG_RETURN_DATUM(json_datum(&out));
}

/*
 * _member_json(conversation_id, ev, rev, user_id, role, state, changed_by,
 * changed_at)
 */
Datum
chemchat_member_json(PG_FUNCTION_ARGS)
{
	StringInfoData out;

	initStringInfo(&out);
	json_literal(&out, "{\"kind\":\"member\"");
	json_uuid_field(&out, "conversationId", fcinfo, 0);
	json_numbers(&out, PG_GETARG_INT64(1), PG_GETARG_INT64(2));
	json_uuid_field(&out, "userId", fcinfo, 3);
	json_text_field(&out, "role", fcinfo, 4);
	json_text_field(&out, "state", fcinfo, 5);
	json_uuid_field(&out, "changedBy", fcinfo, 6);
	json_literal(&out, ",\"changedAt\":");
	json_time(&out, PG_GETARG_TIMESTAMPTZ(7));
	appendStringInfoCharMacro(&out, '}');
	PG_RETURN_DATUM(json_datum(&out));
}

/* _user_json(id, rev, handle, display_name, created_at) */
Datum
chemchat_user_json(PG_FUNCTION_ARGS)
{
	StringInfoData out;

	initStringInfo(&out);
	json_literal(&out, "{\"kind\":\"user\"");
	json_uuid_field(&out, "userId", fcinfo, 0);
	json_literal(&out, ",\"rev\":");
	json_number(&out, PG_GETARG_INT64(1));
	json_text_field(&out, "handle", fcinfo, 2);
	json_text_field(&out, "displayName", fcinfo, 3);
	json_literal(&out, ",\"createdAt\":");
	json_time(&out, PG_GETARG_TIMESTAMPTZ(4));
	appendStringInfoCharMacro(&out, '}');
	PG_RETURN_DATUM(json_datum(&out));
}

/*
 * _emit(kind "char", key uuid, id uuid, ev bigint, seq bigint, rev bigint,
 * at timestamptz, event json, is_replay boolean) -> void
 *
 * ev and seq are NULL where the kind has none.
 */
Datum
chemchat_emit(PG_FUNCTION_ARGS)
{
	StringInfoData scratch;
	Event event;
	text *json;

	for (int i = 0; i < 9; i++)
	{
		if (i != 3 && i != 4 && PG_ARGISNULL(i))
			elog(ERROR, "argument %d of an event is null", i + 1);
	}
	json = PG_GETARG_TEXT_PP(7);
	event = (Event){
		.kind = (EventKind) PG_GETARG_CHAR(0),
		.flags = PG_GETARG_BOOL(8) ? EVENT_REPLAY : 0,
		.key = PG_GETARG_UUID_P(1)->data,
		.id = PG_GETARG_UUID_P(2)->data,
		.ev = PG_ARGISNULL(3) ? 0 : (uint64) PG_GETARG_INT64(3),
		.seq = PG_ARGISNULL(4) ? 0 : (uint64) PG_GETARG_INT64(4),
		.rev = (uint64) PG_GETARG_INT64(5),
		.time_us = outbox_unix_time_us(PG_GETARG_TIMESTAMPTZ(6)),
		.json = VARDATA_ANY(json),
		.json_len = VARSIZE_ANY_EXHDR(json),
	};
	if (event_kind_name(event.kind) == NULL || event.rev == 0)
		elog(ERROR, "not an event");
	initStringInfo(&scratch);
	outbox_emit(&event, &scratch);
	PG_RETURN_VOID();
}

/* ,"name":"value", or nothing when the argument is null. */
static void
json_text_field(StringInfo out, const char *name, FunctionCallInfo fcinfo,
				int arg)
{
	text *value;

	if (PG_ARGISNULL(arg))
		return;
	value = PG_GETARG_TEXT_PP(arg);
	appendStringInfo(out, ",\"%s\":", name);
	json_string(out, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
}

static void
json_uuid_field(StringInfo out, const char *name, FunctionCallInfo fcinfo,
				int arg)
{
	if (PG_ARGISNULL(arg))
		return;
	appendStringInfo(out, ",\"%s\":", name);
	json_uuid(out, PG_GETARG_UUID_P(arg));
}

static void
json_numbers(StringInfo out, int64 ev, int64 rev)
{
	json_literal(out, ",\"ev\":");
	json_number(out, ev);
	json_literal(out, ",\"rev\":");
	json_number(out, rev);
}

/* The type json is its text. */
static Datum
json_datum(StringInfo json)
{
	return PointerGetDatum(cstring_to_text_with_len(json->data, json->len));
}

static bool
is_hex(const char *text, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
	{
		if (!((text[i] >= '0' && text[i] <= '9') ||
			  (text[i] >= 'a' && text[i] <= 'f')))
			return false;
	}
	return true;
}
