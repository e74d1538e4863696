/*
 * event - one change of the chat, as it stands in the WAL (contract 3)
 *
 * A function of the extension writes it with LogLogicalMessage(prefix
 * "chemchat", transactional) in the transaction that changes the rows; it
 * travels unchanged through frame, relay and Redis.  Big-endian.
 *
 *   offset size
 *        0    1  version, EVENT_VERSION; never above EVENT_VERSION_MAX;
 *                a new kind or flag is a new version
 *        1    1  kind, EventKind
 *        2    1  flags, EVENT_REPLAY
 *        3    1  trace length: 0, or 55 (W3C traceparent)
 *        4   16  key: conversation id; for a user-scoped kind the user id
 *       20   16  id: of the entity within its kind (see EventKind)
 *       36    8  ev: 1..n per conversation, 0 for user-scoped kinds
 *       44    8  seq of a message, else 0
 *       52    8  rev of the entity, > 0
 *       60    8  time: microseconds since 1970 UTC of the change
 *       68    4  json length
 *       72    -  trace, then json (UTF-8, one object)
 *
 * The JSON is the entity as it now is; docs/protocol.md describes it.
 *
 * Compiles in the backend and in a daemon: no allocation, no libpq.  A parsed
 * Event borrows the bytes it was parsed from.
 */
#ifndef CHEMCHAT_EVENT_H
#define CHEMCHAT_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "bytes.h"

#define EVENT_PREFIX      "chemchat"
#define EVENT_VERSION     1
#define EVENT_VERSION_MAX 31 /* what is above is foreign, not newer */
#define EVENT_HEADER_SIZE 72
#define EVENT_TRACE_SIZE  55
#define EVENT_REPLAY      0x01 /* written again by republish() */

/* Letters, since they are also `change.kind` in SQL. */
typedef enum EventKind
{
	EVENT_MESSAGE = 'm',      /* id: message */
	EVENT_CONVERSATION = 'c', /* id: conversation */
	EVENT_MEMBER = 'p',   /* id: user; participant of the key's conversation */
	EVENT_REACTION = 'r', /* id: reaction; its message's seq is in the json */
	/* user-scoped: the key is the user, there is no ev */
	EVENT_USER = 'u',       /* id: the same user */
	EVENT_CURSOR = 's',     /* id: conversation; how far she read */
	EVENT_PREFERENCE = 'n', /* id: conversation; what she is notified of */
	EVENT_BLOCK = 'b'       /* id: user; whom she blocked */
} EventKind;

typedef struct Event
{
	EventKind kind;
	uint8_t flags;
	const uint8_t *key; /* 16 bytes */
	const uint8_t *id;  /* 16 bytes */
	uint64_t ev;
	uint64_t seq;
	uint64_t rev;
	int64_t time_us;
	const char *trace; /* EVENT_TRACE_SIZE bytes, or NULL */
	const char *json;
	uint32_t json_len;
} Event;

/* "message", "conversation", ...; NULL for an unknown kind. */
static inline const char *
event_kind_name(uint8_t kind)
{
	switch (kind)
	{
		case EVENT_MESSAGE:
			return "message";
		case EVENT_CONVERSATION:
			return "conversation";
		case EVENT_MEMBER:
			return "member";
		case EVENT_REACTION:
			return "reaction";
		case EVENT_USER:
			return "user";
		case EVENT_CURSOR:
			return "cursor";
		case EVENT_PREFERENCE:
			return "preference";
		case EVENT_BLOCK:
			return "block";
		default:
			return NULL;
	}
}

/* The key is a user, not a conversation; there is no ev. */
static inline bool
event_is_user_scoped(EventKind kind)
{
	return kind == EVENT_USER || kind == EVENT_CURSOR ||
		   kind == EVENT_PREFERENCE || kind == EVENT_BLOCK;
}

/* The id alone names no entity: key and id do, written key/id. */
static inline bool
event_is_named_by_pair(EventKind kind)
{
	return kind == EVENT_MEMBER || kind == EVENT_CURSOR ||
		   kind == EVENT_PREFERENCE || kind == EVENT_BLOCK;
}

static inline size_t
event_size(const Event *event)
{
	return EVENT_HEADER_SIZE + (event->trace ? EVENT_TRACE_SIZE : 0) +
		   event->json_len;
}

/* Writes event_size() bytes. */
static inline void
event_write(uint8_t *out, const Event *event)
{
	size_t trace_len = event->trace ? EVENT_TRACE_SIZE : 0;

	out[0] = EVENT_VERSION;
	out[1] = (uint8_t) event->kind;
	out[2] = event->flags;
	out[3] = (uint8_t) trace_len;
	memcpy(out + 4, event->key, 16);
	memcpy(out + 20, event->id, 16);
	bytes_put_u64(out + 36, event->ev);
	bytes_put_u64(out + 44, event->seq);
	bytes_put_u64(out + 52, event->rev);
	bytes_put_u64(out + 60, (uint64_t) event->time_us);
	bytes_put_u32(out + 68, event->json_len);
	if (trace_len > 0)
		memcpy(out + EVENT_HEADER_SIZE, event->trace, trace_len);
	memcpy(out + EVENT_HEADER_SIZE + trace_len, event->json, event->json_len);
}

/*
 * Reads exactly len bytes.  False when they are not one whole, known event:
 * what a foreign hand wrote under our prefix is passed over by the plugin,
 * and is a protocol error further down.
 */
static inline bool
event_parse(const uint8_t *in, size_t len, Event *event)
{
	size_t trace_len;

	if (len < EVENT_HEADER_SIZE || in[0] != EVENT_VERSION ||
		event_kind_name(in[1]) == NULL || (in[2] & ~EVENT_REPLAY) != 0)
		return false;
	trace_len = in[3];
	if (trace_len != 0 && trace_len != EVENT_TRACE_SIZE)
		return false;
	event->json_len = bytes_get_u32(in + 68);
	if (len - EVENT_HEADER_SIZE != trace_len + (size_t) event->json_len ||
		event->json_len < 2)
		return false;
	event->kind = (EventKind) in[1];
	event->flags = in[2];
	event->key = in + 4;
	event->id = in + 20;
	event->ev = bytes_get_u64(in + 36);
	event->seq = bytes_get_u64(in + 44);
	event->rev = bytes_get_u64(in + 52);
	event->time_us = (int64_t) bytes_get_u64(in + 60);
	event->trace = trace_len > 0 ? (const char *) in + EVENT_HEADER_SIZE : NULL;
	event->json = (const char *) in + EVENT_HEADER_SIZE + trace_len;
	return event->rev > 0;
}

#endif
