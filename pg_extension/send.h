/*
 * send - messages of many senders into many conversations, at once
 *
 * The order is what makes it right: lock the conversations, in id order and in
 * a statement of its own; only then, under a snapshot that sees what the
 * holders before us committed, look the keys up and read the heads; judge each
 * item; number; insert; emit, each conversation's events in ev order.
 *
 * A reply's parent is looked up under the same lock, so nobody answers what has
 * just been deleted.  What few messages have costs the others nothing: parents
 * are looked up when there is a reply, members when a body names a handle.
 *
 * A key that is found answers before anything else is judged: the retry of a
 * message that is there is never refused, whatever its sender may do by now.
 *
 * Uses SPI as the current user, who must be the owner of the tables.  Items
 * and all they point to belong to the caller.
 */
#ifndef CHEMCHAT_SEND_H
#define CHEMCHAT_SEND_H

#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "errors.h"

#define SEND_BODY_MAX_BYTES (16 * 1024)
#define SEND_ITEMS_MAX      1000

typedef struct SendConversation SendConversation;

typedef enum SendParent
{
	SEND_PARENT_UNKNOWN,
	SEND_PARENT_DELETED,
	SEND_PARENT_FOUND
} SendParent;

typedef struct SendItem
{
	/* asked; a pointer may be NULL, which is an answer and not a crash */
	const pg_uuid_t *actor;
	const pg_uuid_t *conversation_id;
	const pg_uuid_t *client_msg_id;
	const struct varlena *body; /* a text, not toasted */
	Size body_bytes;            /* may be known to be too large, body NULL */
	int64 reply_to;             /* seq of the message answered, or 0 */
	const char *trace;          /* EVENT_TRACE_SIZE bytes, or NULL */

	/* answered: an error and its field, or the rest; the caller may set the
	 * first two beforehand, then the item is left alone */
	ChatError error;
	const char *field;
	pg_uuid_t id;
	int64 seq;
	int64 ev;
	int64 rev;
	TimestampTz created_at;
	bool is_duplicate;

	/* send.c's own */
	SendConversation *conversation;
	struct SendItem *same_key; /* first item of the batch with this key */
	int64 body_hash;
	bool is_answered;
	bool is_new;
	bool is_member;
	bool is_allowed;
	bool is_active;  /* not deactivated */
	bool is_blocked; /* by the other of a direct conversation, or blocks her */
	int64 thread;    /* of a reply; its parent is looked up */
	SendParent parent;
	Datum mentions; /* uuid[], 0 without any; see mention.h */
} SendItem;

/*
 * Answers every item.  With is_waiting it waits for locked conversations,
 * else it answers busy for them.  Raises only for what concerns the whole
 * transaction: guard.h, and what the server itself raises.
 */
extern void send_batch(SendItem *items, int count, bool is_waiting);

#endif
