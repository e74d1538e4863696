#include "send_queue.h"

#include <assert.h>
#include <stdlib.h>

#include "uuid_map.h"
#include "xalloc.h"

/* A conversation that somebody else held. */
typedef struct Rest
{
	Uuid id;
	int64_t until_us;
	int tries;
} Rest;

struct SendQueue
{
	SendItem *head;
	SendItem *tail;
	int count;
	int call_count;   /* of them, calls */
	UuidMap *running; /* conversations with a call under way */
	UuidMap *rests;
};

static bool is_resting(const SendQueue *queue, const SendItem *item,
					   int64_t now_us);
static void unlink_after(SendQueue *queue, SendItem **link, SendItem *before);
static void prune(SendQueue *queue);

SendQueue *
send_queue_new(void)
{
	SendQueue *queue = xcalloc(1, sizeof(*queue));

	queue->rests = uuid_map_new();
	queue->running = uuid_map_new();
	return queue;
}

void
send_queue_free(SendQueue **queue_ref)
{
	SendQueue *queue = *queue_ref;

	if (queue == NULL)
		return;
	assert(queue->count == 0);
	prune(queue);
	uuid_map_free(&queue->rests);
	uuid_map_free(&queue->running);
	free(queue);
	*queue_ref = NULL;
}

int
send_queue_count(const SendQueue *queue)
{
	return queue->count;
}

void
send_queue_add(SendQueue *queue, SendItem *take_item)
{
	take_item->next = NULL;
	if (queue->tail != NULL)
		queue->tail->next = take_item;
	else
		queue->head = take_item;
	queue->tail = take_item;
	queue->count++;
	queue->call_count += take_item->is_call;
}

SendItem *
send_queue_take(SendQueue *queue, int64_t now_us, int *count)
{
	SendItem *batch = NULL;
	SendItem **batch_end = &batch;
	SendItem *last_kept = NULL;
	SendItem **link = &queue->head;
	UuidMap *held = queue->call_count > 0 ? uuid_map_new() : NULL;
	size_t bytes = 0;

	*count = 0;
	while (*link != NULL && *count < SEND_BATCH_MAX)
	{
		SendItem *item = *link;

		if (item->is_call)
			uuid_map_put(held, &item->conversation_id, item);
		if (item->is_call || is_resting(queue, item, now_us) ||
			(held != NULL && uuid_map_get(held, &item->conversation_id)) ||
			(uuid_map_count(queue->running) > 0 &&
			 uuid_map_get(queue->running, &item->conversation_id)))
		{
			last_kept = item;
			link = &item->next;
			continue;
		}
		if (*count > 0 && bytes + item->body_len > SEND_BATCH_BYTES)
			break;
		bytes += item->body_len;
		unlink_after(queue, link, last_kept);
		*batch_end = item;
		batch_end = &item->next;
		(*count)++;
	}
	if (held != NULL)
		uuid_map_free(&held);
	return batch;
}

SendItem *
send_queue_take_call(SendQueue *queue, const SendItem *batch, int64_t now_us)
{
	SendItem *found = NULL;
	SendItem *last_kept = NULL;
	SendItem **link = &queue->head;
	UuidMap *before;

	if (queue->call_count == 0)
		return NULL;
	before = uuid_map_new();
	for (; batch != NULL; batch = batch->next)
		uuid_map_put(before, &batch->conversation_id, queue);
	while (*link != NULL && found == NULL)
	{
		SendItem *item = *link;

		if (item->is_call && !is_resting(queue, item, now_us) &&
			!uuid_map_get(before, &item->conversation_id) &&
			!uuid_map_get(queue->running, &item->conversation_id))
		{
			found = item;
			unlink_after(queue, link, last_kept);
			uuid_map_put(queue->running, &item->conversation_id, item);
			break;
		}
		uuid_map_put(before, &item->conversation_id, queue);
		last_kept = item;
		link = &item->next;
	}
	uuid_map_free(&before);
	return found;
}

void
send_queue_call_ended(SendQueue *queue, const SendItem *call)
{
	uuid_map_remove(queue->running, &call->conversation_id);
}

void
send_queue_put_back(SendQueue *queue, SendItem *take_items, int64_t now_us)
{
	SendItem *item = take_items;
	SendItem *last = NULL;

	for (; item != NULL; item = item->next)
	{
		last = item;
		queue->count++;
		if (item->is_call)
		{
			queue->call_count++;
			send_queue_call_ended(queue, item);
		}
		if (item->was_busy)
		{
			Rest *rest = uuid_map_get(queue->rests, &item->conversation_id);
			int64_t rest_ms;

			if (rest != NULL && rest->until_us > now_us)
				continue; /* another item of the same batch */
			if (rest == NULL)
			{
				rest = xcalloc(1, sizeof(*rest));
				rest->id = item->conversation_id;
				uuid_map_put(queue->rests, &rest->id, rest);
			}
			rest_ms = rest->tries < 6 ? SEND_REST_MIN_MS << rest->tries
									  : SEND_REST_MAX_MS;
			rest->tries++;
			rest->until_us = now_us + rest_ms * 1000;
		}
	}
	if (last == NULL)
		return;
	last->next = queue->head;
	if (queue->tail == NULL)
		queue->tail = last;
	queue->head = take_items;
}

void
send_queue_passed(SendQueue *queue, const Uuid *conversation_id)
{
	if (uuid_map_count(queue->rests) > 0)
		free(uuid_map_remove(queue->rests, conversation_id));
}

SendItem *
send_queue_expire(SendQueue *queue, int64_t now_us)
{
	SendItem *late = NULL;
	SendItem **late_end = &late;
	SendItem *kept = NULL;
	SendItem **link = &queue->head;

	while (*link != NULL)
	{
		SendItem *item = *link;

		if (item->deadline_us > now_us)
		{
			kept = item;
			link = &item->next;
			continue;
		}
		*link = item->next;
		item->next = NULL;
		*late_end = item;
		late_end = &item->next;
		queue->count--;
		queue->call_count -= item->is_call;
	}
	queue->tail = kept;
	if (queue->count == 0)
		prune(queue);
	return late;
}

int64_t
send_queue_next_us(const SendQueue *queue)
{
	int64_t next_us = INT64_MAX;

	for (const SendItem *item = queue->head; item != NULL; item = item->next)
	{
		const Rest *rest = uuid_map_get(queue->rests, &item->conversation_id);

		if (rest == NULL)
			return 0;
		if (rest->until_us < next_us)
			next_us = rest->until_us;
	}
	return next_us;
}

static bool
is_resting(const SendQueue *queue, const SendItem *item, int64_t now_us)
{
	const Rest *rest = uuid_map_count(queue->rests) > 0
						   ? uuid_map_get(queue->rests, &item->conversation_id)
						   : NULL;

	return rest != NULL && rest->until_us > now_us;
}

/* Takes out the item that *link points to; before is its predecessor. */
static void
unlink_after(SendQueue *queue, SendItem **link, SendItem *before)
{
	SendItem *item = *link;

	*link = item->next;
	if (queue->tail == item)
		queue->tail = before;
	item->next = NULL;
	queue->count--;
	queue->call_count -= item->is_call;
}

static void
prune(SendQueue *queue)
{
	size_t cursor = 0;
	void *value;
	Uuid key;

	while (uuid_map_next(queue->rests, &cursor, &key, &value))
	{
		uuid_map_remove(queue->rests, &key);
		free(value);
	}
}
