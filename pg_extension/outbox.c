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

static void mentions_json(StringInfo out, const pg_uuid_t *mentions, int count);
static bool is_hex(const char *text, size_t from, size_t to);

PG_FUNCTION_INFO_V1(chemchat_emit);

void
outbox_message_json(StringInfo out, const OutboxMessage *message)
{
	json_literal(out, "{\"kind\":\"message\",\"conversationId\":");
	json_uuid(out, message->conversation_id);
	json_literal(out, ",\"ev\":");
	json_number(out, message->ev);
	json_literal(out, ",\"rev\":");
	json_number(out, message->rev);
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
	if (message->reply_to != 0)
	{
		json_literal(out, ",\"replyTo\":");
		json_number(out, message->reply_to);
		json_literal(out, ",\"thread\":");
		json_number(out, message->thread);
	}
	if (message->mention_count > 0)
		mentions_json(out, message->mentions, message->mention_count);
	if (message->edited_at != 0)
	{
		json_literal(out, ",\"editedAt\":");
		json_time(out, message->edited_at);
	}
	if (message->deleted_at != 0)
	{
		json_literal(out, ",\"deletedAt\":");
		json_time(out, message->deleted_at);
	}
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

/* ,"mentions":["id"...]; ["*"] when the first is everybody. */
static void
mentions_json(StringInfo out, const pg_uuid_t *mentions, int count)
{
	static const pg_uuid_t everybody;

	json_literal(out, ",\"mentions\":[");
	if (memcmp(mentions, &everybody, UUID_LEN) == 0)
	{
		json_literal(out, "\"*\"]");
		return;
	}
	for (int i = 0; i < count; i++)
	{
		if (i > 0)
			appendStringInfoCharMacro(out, ',');
		json_uuid(out, &mentions[i]);
	}
	appendStringInfoCharMacro(out, ']');
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
