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
	UuidMap *rests;
};

static void prune(SendQueue *queue);

SendQueue *
send_queue_new(void)
{
	SendQueue *queue = xcalloc(1, sizeof(*queue));

	queue->rests = uuid_map_new();
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
}

SendItem *
send_queue_take(SendQueue *queue, int64_t now_us, int *count)
{
	SendItem *batch = NULL;
	SendItem **batch_end = &batch;
	SendItem *last_kept = NULL;
	SendItem **link = &queue->head;
	size_t bytes = 0;

	*count = 0;
	while (*link != NULL && *count < SEND_BATCH_MAX)
	{
		SendItem *item = *link;
		const Rest *rest =
			uuid_map_count(queue->rests) > 0
				? uuid_map_get(queue->rests, &item->conversation_id)
				: NULL;

		if (rest != NULL && rest->until_us > now_us)
		{
			last_kept = item;
			link = &item->next;
			continue;
		}
		if (*count > 0 && bytes + item->body_len > SEND_BATCH_BYTES)
			break;
		bytes += item->body_len;
		*link = item->next;
		if (queue->tail == item)
			queue->tail = last_kept;
		item->next = NULL;
		*batch_end = item;
		batch_end = &item->next;
		(*count)++;
		queue->count--;
	}
	return batch;
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
