#include "mark_queue.h"

#include <assert.h>
#include <stdlib.h>

#include "uuid_map.h"
#include "xalloc.h"

struct MarkQueue
{
	MarkItem *head;
	MarkItem *tail;
	int count;
	UuidMap *by_user; /* first of her chain */
};

static MarkItem *find(const MarkQueue *queue, const Mark *mark);
static void forget(MarkQueue *queue, MarkItem *item);
static int64_t higher(int64_t a, int64_t b);

MarkQueue *
mark_queue_new(void)
{
	MarkQueue *queue = xcalloc(1, sizeof(*queue));

	queue->by_user = uuid_map_new();
	return queue;
}

void
mark_queue_free(MarkQueue **queue)
{
	if (*queue == NULL)
		return;
	assert((*queue)->count == 0);
	uuid_map_free(&(*queue)->by_user);
	free(*queue);
	*queue = NULL;
}

int
mark_queue_count(const MarkQueue *queue)
{
	return queue->count;
}

bool
mark_queue_add(MarkQueue *queue, const Mark *mark, void *arg, int64_t now_us)
{
	MarkItem *item = find(queue, mark);
	MarkWaiter *waiter;

	if (item == NULL)
	{
		if (queue->count >= MARK_QUEUE_MAX)
			return false;
		item = xcalloc(1, sizeof(*item));
		item->mark = *mark;
		item->due_us = now_us + (int64_t) 1000 * MARK_MS;
		item->chain = uuid_map_put(queue->by_user, &mark->actor, item);
		if (queue->tail != NULL)
			queue->tail->next = item;
		else
			queue->head = item;
		queue->tail = item;
		queue->count++;
	}
	item->mark.read_seq = higher(item->mark.read_seq, mark->read_seq);
	item->mark.delivered_seq =
		higher(item->mark.delivered_seq, mark->delivered_seq);
	waiter = xmalloc(sizeof(*waiter));
	waiter->arg = arg;
	waiter->next = item->waiters;
	item->waiters = waiter;
	return true;
}

MarkItem *
mark_queue_take(MarkQueue *queue, int64_t now_us, int *count)
{
	MarkItem *first = queue->head;
	MarkItem *last = NULL;
	MarkItem *item = first;

	*count = 0;
	while (item != NULL && item->due_us <= now_us && *count < MARK_BATCH_MAX)
	{
		forget(queue, item);
		last = item;
		item = item->next;
		(*count)++;
	}
	if (last == NULL)
		return NULL;
	last->next = NULL;
	queue->head = item;
	if (item == NULL)
		queue->tail = NULL;
	queue->count -= *count;
	return first;
}

void
mark_item_free(MarkItem **item)
{
	MarkWaiter *waiter;

	while ((waiter = (*item)->waiters) != NULL)
	{
		(*item)->waiters = waiter->next;
		free(waiter);
	}
	free(*item);
	*item = NULL;
}

static MarkItem *
find(const MarkQueue *queue, const Mark *mark)
{
	MarkItem *item = uuid_map_get(queue->by_user, &mark->actor);

	while (item != NULL &&
		   !uuid_equal(&item->mark.conversation_id, &mark->conversation_id))
		item = item->chain;
	return item;
}

/* Takes it off its user's chain. */
static void
forget(MarkQueue *queue, MarkItem *item)
{
	MarkItem *first = uuid_map_get(queue->by_user, &item->mark.actor);
	MarkItem **link = &first;

	while (*link != item)
		link = &(*link)->chain;
	*link = item->chain;
	item->chain = NULL;
	if (first != NULL)
		uuid_map_put(queue->by_user, &item->mark.actor, first);
	else
		uuid_map_remove(queue->by_user, &item->mark.actor);
}

static int64_t
higher(int64_t a, int64_t b)
{
	return a > b ? a : b;
}
