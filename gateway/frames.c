#include "frames.h"

#include <string.h>

#include "clock.h"

typedef struct CodeText
{
	const char *code;
	const char *text;
	int64_t retry_ms;
} CodeText;

static const CodeText code_texts[] = {
	{ "not_found", "no such conversation, or you are not in it", 0 },
	{ "forbidden", "your role does not allow this", 0 },
	{ "invalid_argument", "a field is missing or malformed", 0 },
	{ "idempotency_mismatch", "this clientMsgId was used for another message",
	  0 },
	{ "unknown_user", "no such user", 0 },
	{ "too_large", "larger than the limit", 0 },
	{ "conflict", "it is taken, or was changed meanwhile", 0 },
	{ "archived", "the conversation is archived", 0 },
	{ "deleted", "the message was deleted", 0 },
	{ "last_owner", "name another owner first", 0 },
	{ "invalid_credentials", "no such handle and password", 0 },
	{ "unsafe_durability", "the server is not set to keep what it confirms",
	  0 },
	{ "unsafe_isolation", "the server is set to an isolation we cannot use",
	  0 },
	{ "library_mismatch", "the server is being upgraded", 0 },
	{ "invalid_token", "no token, or one that is not valid", 0 },
	{ "bad_frame", "not a frame of this protocol", 0 },
	{ "unknown_type", "no such type of request", 0 },
	{ "not_ready", "wait for welcome", 0 },
	{ "rate_limited", "too much at once", 0 },
	{ "busy", "the conversation is locked by somebody else", 500 },
	{ "unavailable", "the database is away; nothing was written", 1000 },
	{ "unknown_outcome",
	  "it may or may not have been written; retry with the same clientMsgId",
	  0 },
	{ "storage_full", "the database cannot write", 5000 },
	{ "internal", "a mistake of ours", 0 },
};

static void begin(Buf *out, const char *type, const char *ref);
static Payload *finish(Buf *out);
static void uuid_field(Buf *out, const char *name, const Uuid *id);
static void number_field(Buf *out, const char *name, uint64_t value);

Payload *
frame_welcome(const char *ref, const FrameWelcome *welcome)
{
	Buf out;

	begin(&out, "welcome", ref);
	uuid_field(&out, "userId", welcome->user_id);
	uuid_field(&out, "sessionId", welcome->session_id);
	frame_text_field(&out, "position", welcome->position);
	buf_printf(&out,
			   ",\"isReset\":%s,\"pingMs\":%d,\"limits\":{\"bodyBytes\":%d,"
			   "\"frameBytes\":%d}",
			   welcome->is_reset ? "true" : "false", FRAME_PING_MS,
			   FRAME_BODY_MAX, FRAME_TEXT_MAX);
	return finish(&out);
}

Payload *
frame_ok(const char *ref, const FrameOk *ok)
{
	Buf out;

	begin(&out, "ok", ref);
	buf_append_char(&out, ',');
	frame_ok_fields(&out, ok);
	return finish(&out);
}

void
frame_ok_fields(Buf *out, const FrameOk *ok)
{
	char time_text[CLOCK_TEXT_SIZE];
	char id[UUID_TEXT_LEN + 1];

	buf_printf(out, "\"id\":\"%s\"", uuid_format(ok->id, id));
	number_field(out, "seq", ok->seq);
	number_field(out, "ev", ok->ev);
	number_field(out, "rev", ok->rev);
	frame_text_field(out, "createdAt", clock_format(ok->created_us, time_text));
	buf_append_str(out, ok->is_duplicate ? ",\"isDuplicate\":true"
										 : ",\"isDuplicate\":false");
	frame_text_field(out, "position", ok->position);
}

Payload *
frame_error(const char *ref, const char *code, const char *field,
			int64_t retry_after_ms)
{
	Buf out;

	begin(&out, "error", ref);
	frame_text_field(&out, "code", code);
	frame_text_field(&out, "field", field);
	frame_text_field(&out, "message", frame_error_message(code));
	if (retry_after_ms > 0)
		number_field(&out, "retryAfterMs", (uint64_t) retry_after_ms);
	return finish(&out);
}

Payload *
frame_answer(const char *ref, const char *type, const Buf *fields)
{
	Buf out;

	begin(&out, type, ref);
	if (fields->len > 0)
	{
		buf_append_char(&out, ',');
		buf_append(&out, fields->data, fields->len);
	}
	return finish(&out);
}

Payload *
frame_pong(const char *ref)
{
	Buf out;

	begin(&out, "pong", ref);
	return finish(&out);
}

Payload *
frame_added(const Uuid *conversation_id, uint64_t ev, uint64_t seq)
{
	Buf out;

	begin(&out, "added", "");
	uuid_field(&out, "conversationId", conversation_id);
	number_field(&out, "ev", ev);
	number_field(&out, "seq", seq);
	return finish(&out);
}

Payload *
frame_removed(const Uuid *conversation_id)
{
	Buf out;

	begin(&out, "removed", "");
	uuid_field(&out, "conversationId", conversation_id);
	return finish(&out);
}

Payload *
frame_invited(const Uuid *conversation_id)
{
	Buf out;

	begin(&out, "invited", "");
	uuid_field(&out, "conversationId", conversation_id);
	return finish(&out);
}

Payload *
frame_lag(const Uuid *conversation_ids, int count, bool is_state_lost)
{
	char text[UUID_TEXT_LEN + 1];
	Buf out;

	begin(&out, "lag", "");
	buf_append_str(&out, ",\"conversationIds\":[");
	for (int i = 0; i < count; i++)
		buf_printf(&out, "%s\"%s\"", i > 0 ? "," : "",
				   uuid_format(&conversation_ids[i], text));
	buf_append_char(&out, ']');
	if (is_state_lost)
		buf_append_str(&out, ",\"isStateLost\":true");
	return finish(&out);
}

Payload *
frame_reset(const char *position)
{
	Buf out;

	begin(&out, "reset", "");
	frame_text_field(&out, "position", position);
	return finish(&out);
}

Payload *
frame_bye(const char *reason, int64_t retry_after_ms)
{
	Buf out;

	begin(&out, "bye", "");
	frame_text_field(&out, "reason", reason);
	number_field(&out, "retryAfterMs", (uint64_t) retry_after_ms);
	return finish(&out);
}

void
frame_events_begin(Buf *out, const Uuid *conversation_id)
{
	char text[UUID_TEXT_LEN + 1];

	buf_printf(out,
			   "{\"type\":\"events\",\"conversationId\":\"%s\",\"events\":[",
			   uuid_format(conversation_id, text));
}

void
frame_events_end(Buf *out, const char *position)
{
	buf_append_char(out, ']');
	frame_text_field(out, "position", position);
	buf_append_char(out, '}');
}

void
frame_state_begin(Buf *out)
{
	buf_append_str(out, "{\"type\":\"state\",\"events\":[");
}

void
frame_state_end(Buf *out)
{
	buf_append_str(out, "]}");
}

void
frame_text_field(Buf *out, const char *name, const char *text)
{
	if (text[0] == '\0')
		return;
	buf_printf(out, ",\"%s\":", name);
	buf_append_json(out, text, strlen(text));
}

int64_t
frame_error_retry_ms(const char *code)
{
	for (size_t i = 0; i < sizeof(code_texts) / sizeof(code_texts[0]); i++)
	{
		if (strcmp(code_texts[i].code, code) == 0)
			return code_texts[i].retry_ms;
	}
	return 0;
}

const char *
frame_error_message(const char *code)
{
	for (size_t i = 0; i < sizeof(code_texts) / sizeof(code_texts[0]); i++)
	{
		if (strcmp(code_texts[i].code, code) == 0)
			return code_texts[i].text;
	}
	return "refused";
}

static void
begin(Buf *out, const char *type, const char *ref)
{
	buf_init(out);
	buf_printf(out, "{\"type\":\"%s\"", type);
	frame_text_field(out, "ref", ref);
}

static Payload *
finish(Buf *out)
{
	Payload *payload;

	buf_append_char(out, '}');
	payload = payload_new(out->data, out->len);
	buf_fini(out);
	return payload;
}

static void
uuid_field(Buf *out, const char *name, const Uuid *id)
{
	char text[UUID_TEXT_LEN + 1];

	buf_printf(out, ",\"%s\":\"%s\"", name, uuid_format(id, text));
}

static void
number_field(Buf *out, const char *name, uint64_t value)
{
	buf_printf(out, ",\"%s\":%llu", name, (unsigned long long) value);
}
