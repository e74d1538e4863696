#include "postgres.h"
#include "pgcompat.h"

#include "send.h"

#include "utils/array.h"
#include "utils/memutils.h"

#include "epoch.h"
#include "guard.h"
#include "outbox.h"
#include "send_rich.h"
#include "send_store.h"
#include "uuid7.h"

static void check_item(SendItem *item);
static bool has_come_in(const SendItem *items, int count);
static int64 hash_body(const struct varlena *body);
static SendConversation *gather_conversations(SendItem *items, int count,
											  int *conversation_count);
static void link_same_keys(SendItem *items, int count);
static void answer_item(SendItem *item, int64 rev, TimestampTz now);
static void answer_as(SendItem *item, const SendItem *original);
static void number_item(SendItem *item, int64 rev, TimestampTz now);
static void emit_item(const SendItem *item, StringInfo json,
					  StringInfo scratch);
static int compare_conversations(const void *a, const void *b);
static int compare_keys(const void *a, const void *b);

void
send_batch(SendItem *items, int count, bool is_waiting)
{
	int conversation_count;
	SendConversation *conversations;
	SendItem **fresh = palloc(sizeof(SendItem *) * (size_t) Max(count, 1));
	pg_uuid_t *ids;
	int fresh_count = 0;
	TimestampTz now;
	int64 rev;
	StringInfoData json;
	StringInfoData scratch;

	guard_begin_write();
	rev = epoch_first_rev();
	for (int i = 0; i < count; i++)
		check_item(&items[i]);
	conversations = gather_conversations(items, count, &conversation_count);
	if (conversation_count == 0)
		return;
	link_same_keys(items, count);

	send_store_begin();
	do
	{
		send_store_lock(conversations, conversation_count,
						count == 1 ? items[0].actor : NULL, is_waiting);
		send_store_read_heads(conversations, conversation_count);
		send_store_look_up(items, count);
	} while (is_waiting && has_come_in(items, count));
	send_rich_find_parents(items, count);
	send_rich_find_blocks(items, count);

	/* Read behind the lock, so that it grows with seq. */
	now = GetCurrentTimestamp();
	for (int i = 0; i < count; i++)
	{
		answer_item(&items[i], rev, now);
		if (items[i].is_new)
			fresh[fresh_count++] = &items[i];
	}
	if (fresh_count > 0)
	{
		ids = palloc(sizeof(pg_uuid_t) * (size_t) fresh_count);
		uuid7_make(ids, fresh_count, now);
		for (int i = 0; i < fresh_count; i++)
			fresh[i]->id = ids[i];
		send_rich_read_mentions(fresh, fresh_count);
		send_store_insert(fresh, fresh_count);
	}
	send_store_end();

	initStringInfo(&json);
	initStringInfo(&scratch);
	for (int i = 0; i < fresh_count; i++)
		emit_item(fresh[i], &json, &scratch);

	/* The ids came after the repetitions inside the batch were answered. */
	for (int i = 0; i < count; i++)
	{
		if (items[i].error == CHAT_OK && items[i].is_duplicate &&
			items[i].same_key->is_new)
			items[i].id = items[i].same_key->id;
	}
}

/*
 * Is somebody a member who was none when the lock was asked for, and so did
 * not wait for it?  She was added in between: it is asked for again.
 */
static bool
has_come_in(const SendItem *items, int count)
{
	for (int i = 0; i < count; i++)
	{
		if (items[i].error == CHAT_OK && !items[i].is_answered &&
			items[i].is_member && !items[i].conversation->is_locked)
			return true;
	}
	return false;
}

/* What can be said without looking at the database. */
static void
check_item(SendItem *item)
{
	if (item->error != CHAT_OK)
		return;
	item->error = CHAT_INVALID_ARGUMENT;
	if (item->actor == NULL)
		item->field = "actor";
	else if (item->conversation_id == NULL)
		item->field = "conversation_id";
	else if (item->client_msg_id == NULL)
		item->field = "client_msg_id";
	else if (item->body_bytes == 0)
		item->field = "body";
	else if (item->reply_to < 0)
		item->field = "reply_to";
	else if (item->body_bytes > SEND_BODY_MAX_BYTES)
	{
		item->error = CHAT_TOO_LARGE;
		item->field = "body";
	}
	else
	{
		item->error = CHAT_OK;
		item->body_hash = hash_body(item->body);
	}
}

/*
 * FNV-1a: the same on every machine, since it is stored and restored.  Whoever
 * makes two bodies collide deceives only herself.
 */
static int64
hash_body(const struct varlena *body)
{
	const unsigned char *bytes = (const unsigned char *) VARDATA_ANY(body);
	Size len = VARSIZE_ANY_EXHDR(body);
	uint64 hash = UINT64CONST(0xcbf29ce484222325);

	for (Size i = 0; i < len; i++)
		hash = (hash ^ bytes[i]) * UINT64CONST(0x100000001b3);
	return (int64) hash;
}

/* The conversations of all good items, each once, in id order. */
static SendConversation *
gather_conversations(SendItem *items, int count, int *conversation_count)
{
	SendConversation *found =
		palloc0(sizeof(SendConversation) * (size_t) Max(count, 1));
	int good = 0;
	int kept = 0;

	for (int i = 0; i < count; i++)
	{
		if (items[i].error == CHAT_OK)
			found[good++].id = *items[i].conversation_id;
	}
	qsort(found, (size_t) good, sizeof(SendConversation),
		  compare_conversations);
	for (int i = 0; i < good; i++)
	{
		if (kept == 0 ||
			compare_conversations(&found[kept - 1], &found[i]) != 0)
			found[kept++] = found[i];
	}
	for (int i = 0; i < count; i++)
	{
		SendConversation wanted;

		if (items[i].error != CHAT_OK)
			continue;
		wanted.id = *items[i].conversation_id;
		items[i].conversation =
			bsearch(&wanted, found, (size_t) kept, sizeof(SendConversation),
					compare_conversations);
	}
	*conversation_count = kept;
	return found;
}

/* Points each good item to the first one with the same key, maybe itself. */
static void
link_same_keys(SendItem *items, int count)
{
	SendItem **sorted = palloc(sizeof(SendItem *) * (size_t) count);
	int good = 0;

	for (int i = 0; i < count; i++)
	{
		items[i].same_key = &items[i];
		if (items[i].error == CHAT_OK)
			sorted[good++] = &items[i];
	}
	qsort(sorted, (size_t) good, sizeof(SendItem *), compare_keys);
	for (int i = 1; i < good; i++)
	{
		const SendItem *before = sorted[i - 1];

		if (memcmp(before->client_msg_id, sorted[i]->client_msg_id, UUID_LEN) ==
				0 &&
			memcmp(before->actor, sorted[i]->actor, UUID_LEN) == 0 &&
			before->conversation == sorted[i]->conversation)
			sorted[i]->same_key = before->same_key;
	}
	pfree(sorted);
}

/* In batch order, so that numbers follow the order of the items. */
static void
answer_item(SendItem *item, int64 rev, TimestampTz now)
{
	if (item->error != CHAT_OK || item->is_answered)
		return;
	item->is_answered = true;
	if (item->same_key->is_new)
		answer_as(item, item->same_key);
	else if (!item->is_active)
	{
		item->error = CHAT_UNKNOWN_USER;
		item->field = "actor";
	}
	else if (!item->is_member)
	{
		item->error = CHAT_NOT_FOUND;
		item->field = "conversation_id";
	}
	else if (!item->is_allowed || item->is_blocked)
	{
		item->error = CHAT_FORBIDDEN;
		item->field = "actor";
	}
	else if (!item->conversation->is_locked)
	{
		item->error = CHAT_BUSY;
		item->field = "conversation_id";
	}
	else if (item->conversation->is_archived)
	{
		item->error = CHAT_ARCHIVED;
		item->field = "conversation_id";
	}
	else if (item->reply_to != 0 && item->parent != SEND_PARENT_FOUND)
	{
		item->error =
			item->parent == SEND_PARENT_DELETED ? CHAT_DELETED : CHAT_NOT_FOUND;
		item->field = "reply_to";
	}
	else
		number_item(item, rev, now);
}

/* A repetition inside the batch; its id is copied once it has one. */
static void
answer_as(SendItem *item, const SendItem *original)
{
	if (item->body_hash != original->body_hash ||
		item->reply_to != original->reply_to)
	{
		item->error = CHAT_IDEMPOTENCY_MISMATCH;
		item->field = "client_msg_id";
		return;
	}
	item->seq = original->seq;
	item->ev = original->ev;
	item->rev = original->rev;
	item->created_at = original->created_at;
	item->is_duplicate = true;
}

static void
number_item(SendItem *item, int64 rev, TimestampTz now)
{
	item->seq = ++item->conversation->seq;
	item->ev = ++item->conversation->ev;
	item->rev = rev;
	item->created_at = now;
	item->is_new = true;
}

static void
emit_item(const SendItem *item, StringInfo json, StringInfo scratch)
{
	OutboxMessage message = {
		.conversation_id = item->conversation_id,
		.id = &item->id,
		.sender = item->actor,
		.client_msg_id = item->client_msg_id,
		.ev = item->ev,
		.rev = item->rev,
		.seq = item->seq,
		.body = VARDATA_ANY(item->body),
		.body_len = VARSIZE_ANY_EXHDR(item->body),
		.created_at = item->created_at,
		.reply_to = item->reply_to,
		.thread = item->thread,
	};
	Event event = {
		.kind = EVENT_MESSAGE,
		.key = item->conversation_id->data,
		.id = item->id.data,
		.ev = (uint64) item->ev,
		.seq = (uint64) item->seq,
		.rev = (uint64) item->rev,
		.time_us = outbox_unix_time_us(item->created_at),
		.trace = item->trace,
	};

	if (item->mentions != 0)
	{
		ArrayType *mentions = DatumGetArrayTypeP(item->mentions);

		message.mentions = (const pg_uuid_t *) ARR_DATA_PTR(mentions);
		message.mention_count =
			ArrayGetNItems(ARR_NDIM(mentions), ARR_DIMS(mentions));
	}
	resetStringInfo(json);
	outbox_message_json(json, &message);
	event.json = json->data;
	event.json_len = (uint32_t) json->len;
	outbox_emit(&event, scratch);
}

static int
compare_conversations(const void *a, const void *b)
{
	return memcmp(&((const SendConversation *) a)->id,
				  &((const SendConversation *) b)->id, UUID_LEN);
}

/* By key, then by place in the batch. */
static int
compare_keys(const void *a, const void *b)
{
	const SendItem *left = *(SendItem *const *) a;
	const SendItem *right = *(SendItem *const *) b;
	int order = memcmp(left->client_msg_id, right->client_msg_id, UUID_LEN);

	if (order == 0)
		order = memcmp(left->actor, right->actor, UUID_LEN);
	if (order == 0)
		order = memcmp(left->conversation_id, right->conversation_id, UUID_LEN);
	if (order == 0)
		order = left < right ? -1 : left > right;
	return order;
}
