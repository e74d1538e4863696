/*
 * outbox - an event, from the rows to the WAL (contract 3)
 *
 * The outbox is the WAL: an event is a transactional logical message, so it is
 * there if and only if the transaction that changed the rows is.  Here its
 * JSON is built (docs/protocol.md, "Events") and written.  Events of one
 * transaction leave in the order in which they were emitted.
 *
 * Used by the functions of the API in C and, as _emit(), by those in SQL; what
 * else than a message can be an event has its JSON from entity_json.c.
 */
#ifndef CHEMCHAT_OUTBOX_H
#define CHEMCHAT_OUTBOX_H

#include "lib/stringinfo.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "event.h"

typedef struct OutboxMessage
{
	const pg_uuid_t *conversation_id;
	const pg_uuid_t *id;
	const pg_uuid_t *sender;
	const pg_uuid_t *client_msg_id;
	int64 ev;
	int64 rev;
	int64 seq;
	const char *body; /* NULL: none */
	size_t body_len;
	TimestampTz created_at;
	/* from here on 0 or NULL where there is none */
	int64 reply_to;
	int64 thread;
	const pg_uuid_t *mentions; /* the nil id first: everybody */
	int mention_count;
	TimestampTz edited_at;
	TimestampTz deleted_at;
} OutboxMessage;

/* Appends the message's JSON object. */
extern void outbox_message_json(StringInfo out, const OutboxMessage *message);

/*
 * Writes the event.  With event->trace NULL the session's
 * chemchat.traceparent, if any, goes with it.  scratch is overwritten, and
 * must not be what event->json points into.
 */
extern void outbox_emit(const Event *event, StringInfo scratch);

/* Microseconds since 1970. */
extern int64 outbox_unix_time_us(TimestampTz time);

/* "00-" 32 hex "-" 16 hex "-" 2 hex, lower case, neither id all zeroes. */
extern bool outbox_is_traceparent(const char *text, size_t len);

/* The setting chemchat.traceparent; "" when there is none. */
extern char *outbox_session_trace;

#endif
