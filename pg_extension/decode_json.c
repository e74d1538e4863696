#include "decode_json.h"

#include "partition.h"

static void append_uuid(StringInfo out, const char *name, const uint8 *id);
static void append_number(StringInfo out, const char *name, uint64 number);

void
decode_json_append(StringInfo out, XLogRecPtr commit_lsn, uint32 ordinal,
				   const Event *event)
{
	appendStringInfo(out,
					 "{\"commit_lsn\":\"%X/%X\",\"ordinal\":%u,\"kind\":\"%s\"",
					 LSN_FORMAT_ARGS(commit_lsn), ordinal,
					 event_kind_name((uint8) event->kind));
	append_uuid(out, "key", event->key);
	append_uuid(out, "id", event->id);
	append_number(out, "ev", event->ev);
	append_number(out, "seq", event->seq);
	append_number(out, "rev", event->rev);
	appendStringInfo(out, ",\"replay\":%s,\"event\":",
					 (event->flags & EVENT_REPLAY) ? "true" : "false");
	appendBinaryStringInfo(out, event->json, (int) event->json_len);
	appendStringInfoChar(out, '}');
}

static void
append_uuid(StringInfo out, const char *name, const uint8 *id)
{
	char text[36];

	partition_key_text(id, text);
	appendStringInfo(out, ",\"%s\":\"%.36s\"", name, text);
}

static void
append_number(StringInfo out, const char *name, uint64 number)
{
	if (number == 0)
		appendStringInfo(out, ",\"%s\":null", name);
	else
		appendStringInfo(out, ",\"%s\":" UINT64_FORMAT, name, number);
}
