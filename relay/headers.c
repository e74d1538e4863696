#include "headers.h"

#include <assert.h>
#include <string.h>

#include "lsn.h"
#include "partition.h"
#include "topics.h"

#define DAY_US INT64_C(86400000000)

/* Decimal text of v at out; returns its length. */
static uint32_t
put_u64(char *out, uint64_t v)
{
	char digits[20];
	uint32_t len = 0;

	do
	{
		digits[len++] = (char) ('0' + v % 10);
		v /= 10;
	} while (v > 0);
	for (uint32_t i = 0; i < len; i++)
		out[i] = digits[len - 1 - i];
	return len;
}

static uint32_t
put_text(char *out, const char *text)
{
	size_t len = strlen(text);

	memcpy(out, text, len);
	return (uint32_t) len;
}

/* v with exactly `width` digits. */
static void
put_padded(char *out, uint32_t v, int width)
{
	while (width-- > 0)
	{
		out[width] = (char) ('0' + v % 10);
		v /= 10;
	}
}

/* Begins a value in the text buffer; end_value tells its length. */
static char *
begin_value(Headers *headers)
{
	assert(headers->text_len + 160 <= HEADERS_TEXT);
	return headers->text + headers->text_len;
}

static void
add(Headers *headers, const char *name, uint32_t name_len, const char *value,
	uint32_t value_len)
{
	KafkaHeader *header = &headers->list[headers->count++];

	assert(headers->count <= HEADERS_MAX);
	header->name = name;
	header->name_len = name_len;
	header->value = value;
	header->value_len = value_len;
}

/* name must be a literal: its length is known to the compiler */
#define ADD(headers, name, value, value_len)                                   \
	add(headers, name, sizeof(name) - 1, value, value_len)
#define ADD_LITERAL(headers, name, value)                                      \
	add(headers, name, sizeof(name) - 1, value, sizeof(value) - 1)

static void
add_value(Headers *headers, const char *name, uint32_t name_len,
		  const char *end)
{
	char *value = headers->text + headers->text_len;
	uint32_t len = (uint32_t) (end - value);

	add(headers, name, name_len, value, len);
	headers->text_len += len;
}

#define ADD_VALUE(headers, name, end)                                          \
	add_value(headers, name, sizeof(name) - 1, end)

/* "2026-11-22T" of a day number since 1970 (civil calendar, Howard Hinnant's
 * days_from_civil run backwards). */
static void
format_day(Headers *headers, int64_t day)
{
	int64_t z = day + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	uint32_t doe = (uint32_t) (z - era * 146097);
	uint32_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	uint32_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	uint32_t mp = (5 * doy + 2) / 153;
	uint32_t month = mp < 10 ? mp + 3 : mp - 9;
	int64_t year = (int64_t) yoe + era * 400 + (month <= 2 ? 1 : 0);
	char *at = headers->day_text;

	put_padded(at, (uint32_t) (year < 0 ? 0 : year > 9999 ? 9999 : year), 4);
	at[4] = '-';
	put_padded(at + 5, month, 2);
	at[7] = '-';
	put_padded(at + 8, doy - (153 * mp + 2) / 5 + 1, 2);
	at[10] = 'T';
	headers->day_len = 11;
	headers->day = day;
}

/* RFC 3339 with microseconds, UTC. */
static char *
put_time(Headers *headers, char *out, int64_t time_us)
{
	int64_t day = time_us / DAY_US;
	int64_t rest = time_us % DAY_US;
	uint32_t seconds;

	if (rest < 0)
	{
		rest += DAY_US;
		day--;
	}
	if (day != headers->day)
		format_day(headers, day);
	memcpy(out, headers->day_text, headers->day_len);
	out += headers->day_len;
	seconds = (uint32_t) (rest / 1000000);
	put_padded(out, seconds / 3600, 2);
	out[2] = ':';
	put_padded(out + 3, seconds / 60 % 60, 2);
	out[5] = ':';
	put_padded(out + 6, seconds % 60, 2);
	out[8] = '.';
	put_padded(out + 9, (uint32_t) (rest % 1000000), 6);
	out[15] = 'Z';
	return out + 16;
}

void
headers_init(Headers *headers, uint64_t system_id, uint32_t timeline)
{
	memset(headers, 0, sizeof(*headers));
	headers->source_len = put_text(headers->source, "/chemchat/");
	headers->source_len +=
		put_u64(headers->source + headers->source_len, system_id);
	headers->history_len = put_u64(headers->history, system_id);
	headers->history[headers->history_len++] = ':';
	headers->history_len +=
		put_u64(headers->history + headers->history_len, timeline);
	headers->history[headers->history_len++] = ':';
	headers->day = INT64_MIN;
}

static void
add_type(Headers *headers, EventKind kind)
{
	switch (kind)
	{
		case EVENT_MESSAGE:
			ADD_LITERAL(headers, HEADER_TYPE, "chemchat.message");
			break;
		case EVENT_CONVERSATION:
			ADD_LITERAL(headers, HEADER_TYPE, "chemchat.conversation");
			break;
		case EVENT_MEMBER:
			ADD_LITERAL(headers, HEADER_TYPE, "chemchat.member");
			break;
		case EVENT_USER:
			ADD_LITERAL(headers, HEADER_TYPE, "chemchat.user");
			break;
		case EVENT_REACTION:
			ADD_LITERAL(headers, HEADER_TYPE, "chemchat.reaction");
			break;
		case EVENT_CURSOR:
			ADD_LITERAL(headers, HEADER_TYPE, "chemchat.cursor");
			break;
		case EVENT_PREFERENCE:
			ADD_LITERAL(headers, HEADER_TYPE, "chemchat.preference");
			break;
		case EVENT_BLOCK:
			ADD_LITERAL(headers, HEADER_TYPE, "chemchat.block");
			break;
	}
}

/* ce_id: kind:id:rev, or kind:key/id:rev where the id alone names nothing. */
static void
add_id(Headers *headers, const Event *event)
{
	char *at = begin_value(headers);

	at += put_text(at, event_kind_name((uint8_t) event->kind));
	*at++ = ':';
	if (event_is_named_by_pair(event->kind))
	{
		partition_key_text(event->key, at);
		at += 36;
		*at++ = '/';
	}
	partition_key_text(event->id, at);
	at += 36;
	*at++ = ':';
	at += put_u64(at, event->rev);
	ADD_VALUE(headers, HEADER_ID, at);
}

static void
add_number(Headers *headers, const char *name, uint32_t name_len, uint64_t v)
{
	char *at = begin_value(headers);

	at += put_u64(at, v);
	add_value(headers, name, name_len, at);
}

#define ADD_NUMBER(headers, name, v)                                           \
	add_number(headers, name, sizeof(name) - 1, v)

void
headers_build(Headers *headers, const Event *event, uint64_t commit_lsn,
			  uint32_t ordinal)
{
	char *at;

	headers->count = 0;
	headers->text_len = 0;
	ADD_LITERAL(headers, HEADER_CONTENT_TYPE, "application/json");
	ADD_LITERAL(headers, HEADER_SPECVERSION, "1.0");
	add_id(headers, event);
	ADD(headers, HEADER_SOURCE, headers->source, headers->source_len);
	add_type(headers, event->kind);

	at = begin_value(headers);
	partition_key_text(event->id, at);
	ADD_VALUE(headers, HEADER_SUBJECT, at + 36);

	at = begin_value(headers);
	ADD_VALUE(headers, HEADER_TIME, put_time(headers, at, event->time_us));

	if (event->ev > 0)
		ADD_NUMBER(headers, HEADER_EV, event->ev);
	ADD_NUMBER(headers, HEADER_REV, event->rev);
	if (event->kind == EVENT_MESSAGE)
		ADD_NUMBER(headers, HEADER_SEQ, event->seq);

	at = begin_value(headers);
	memcpy(at, headers->history, headers->history_len);
	at += headers->history_len;
	at += lsn_format(commit_lsn, at);
	*at++ = ':';
	at += put_u64(at, ordinal);
	ADD_VALUE(headers, HEADER_POSITION, at);

	if (event->flags & EVENT_REPLAY)
		ADD_LITERAL(headers, HEADER_REPLAY, "1");
	if (event->trace != NULL)
		ADD(headers, HEADER_TRACEPARENT, event->trace, EVENT_TRACE_SIZE);
}

void
headers_add_dead(Headers *headers, const char *topic, int32_t partition,
				 const char *reason, uint32_t attempts, uint32_t value_len)
{
	ADD(headers, HEADER_DLQ_TOPIC, topic, (uint32_t) strlen(topic));
	ADD_NUMBER(headers, HEADER_DLQ_PARTITION, (uint64_t) partition);
	ADD(headers, HEADER_DLQ_REASON, reason, (uint32_t) strlen(reason));
	ADD_NUMBER(headers, HEADER_DLQ_ATTEMPTS, attempts);
	ADD_NUMBER(headers, HEADER_DLQ_SIZE, value_len);
}
