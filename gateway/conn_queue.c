#include "conn_queue.h"

#include <stdlib.h>
#include <string.h>

#include "xalloc.h"

#define FIRST_CAP 2

typedef struct ConnQueueItem
{
	Payload *payload;
	uint32_t from; /* into payload->bytes */
} ConnQueueItem;

static uint32_t item_end(const ConnQueueItem *item);
static void make_room(ConnQueue *queue);

void
conn_queue_add(ConnQueue *queue, Payload *take_payload, uint32_t from)
{
	ConnQueueItem item = { take_payload, from };

	if (item_end(&item) == from)
	{
		payload_drop(take_payload);
		return;
	}
	if (queue->first + queue->count == queue->cap)
		make_room(queue);
	queue->items[queue->first + queue->count++] = item;
	queue->bytes += item_end(&item) - from;
}

int
conn_queue_parts(const ConnQueue *queue, struct iovec parts[CONN_QUEUE_PARTS],
				 size_t *bytes)
{
	int count = 0;

	*bytes = 0;
	for (uint32_t i = 0; i < queue->count && count < CONN_QUEUE_PARTS; i++)
	{
		const ConnQueueItem *item = &queue->items[queue->first + i];

		parts[count].iov_base = item->payload->bytes + item->from;
		parts[count].iov_len = item_end(item) - item->from;
		*bytes += parts[count].iov_len;
		count++;
	}
	return count;
}

size_t
conn_queue_copy(const ConnQueue *queue, void *out, size_t size)
{
	size_t used = 0;

	for (uint32_t i = 0; i < queue->count && used < size; i++)
	{
		const ConnQueueItem *item = &queue->items[queue->first + i];
		size_t part = item_end(item) - item->from;

		part = part < size - used ? part : size - used;
		memcpy((char *) out + used, item->payload->bytes + item->from, part);
		used += part;
	}
	return used;
}

void
conn_queue_take(ConnQueue *queue, size_t bytes)
{
	queue->bytes -= bytes;
	while (bytes > 0)
	{
		ConnQueueItem *item = &queue->items[queue->first];
		size_t part = item_end(item) - item->from;

		if (bytes < part)
		{
			item->from += (uint32_t) bytes;
			return;
		}
		bytes -= part;
		payload_drop(item->payload);
		queue->first++;
		queue->count--;
	}
	if (queue->count == 0)
		conn_queue_clear(queue);
}

void
conn_queue_clear(ConnQueue *queue)
{
	for (uint32_t i = 0; i < queue->count; i++)
		payload_drop(queue->items[queue->first + i].payload);
	free(queue->items);
	memset(queue, 0, sizeof(*queue));
}

static uint32_t
item_end(const ConnQueueItem *item)
{
	return PAYLOAD_HEADROOM + item->payload->len;
}

static void
make_room(ConnQueue *queue)
{
	if (queue->first > 0 && queue->first >= queue->cap / 2)
		memmove(queue->items, queue->items + queue->first,
				queue->count * sizeof(*queue->items));
	else
	{
		ConnQueueItem *items;

		queue->cap = queue->cap > 0 ? queue->cap * 2 : FIRST_CAP;
		items = xmalloc(queue->cap * sizeof(*items));
		if (queue->count > 0)
			memcpy(items, queue->items + queue->first,
				   queue->count * sizeof(*items));
		free(queue->items);
		queue->items = items;
	}
	queue->first = 0;
}
