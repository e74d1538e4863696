#include "fanout_pull.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fanout.h"
#include "xalloc.h"

typedef struct Entry
{
	Uuid id;
	int64_t due_us;
} Entry;

/* Entries begin at head; those that wait for their time stand apart. */
struct PullQueue
{
	Entry *ready;
	size_t head;
	size_t count;
	size_t cap;
	Entry *waiting;
	size_t waiting_count;
	size_t waiting_cap;
	int under_way;
};

static void push(PullQueue *queue, const Entry *entry);
static void wake(PullQueue *queue, int64_t now_us);

PullQueue *
pull_queue_new(void)
{
	return xcalloc(1, sizeof(PullQueue));
}

void
pull_queue_free(PullQueue **queue_ref)
{
	PullQueue *queue = *queue_ref;

	if (queue == NULL)
		return;
	free(queue->ready);
	free(queue->waiting);
	free(queue);
	*queue_ref = NULL;
}

void
pull_queue_add(PullQueue *queue, Conversation *conversation)
{
	Entry entry = { conversation->id, 0 };

	if (conversation->is_pull_queued || conversation->is_pulling)
		return;
	conversation->is_pull_queued = true;
	push(queue, &entry);
}

bool
pull_queue_later(PullQueue *queue, Conversation *conversation, int64_t now_us)
{
	int64_t delay_ms = conversation->pull_tries < 7
						   ? INT64_C(5) << conversation->pull_tries
						   : 500;
	Entry entry = { conversation->id, now_us + delay_ms * 1000 };

	if (conversation->is_pull_queued)
		return true;
	if (++conversation->pull_tries > PULL_TRIES_MAX)
	{
		conversation->pull_tries = 0;
		return false;
	}
	conversation->is_pull_queued = true;
	if (queue->waiting_count == queue->waiting_cap)
	{
		queue->waiting_cap =
			queue->waiting_cap == 0 ? 16 : queue->waiting_cap * 2;
		queue->waiting =
			xrealloc(queue->waiting,
					 queue->waiting_cap * sizeof(queue->waiting[0]));
	}
	queue->waiting[queue->waiting_count++] = entry;
	return true;
}

Conversation *
pull_queue_next(PullQueue *queue, const Registry *registry, int64_t now_us)
{
	wake(queue, now_us);
	while (queue->count > 0 && queue->under_way < FANOUT_PULLS_AT_ONCE)
	{
		Entry entry = queue->ready[queue->head];
		Conversation *conversation = registry_conversation(registry, &entry.id);

		queue->head = (queue->head + 1) % queue->cap;
		queue->count--;

		/* Gone, or come again since and not waiting. */
		if (conversation == NULL || !conversation->is_pull_queued ||
			conversation->is_pulling)
			continue;
		conversation->is_pull_queued = false;
		queue->under_way++;
		return conversation;
	}
	return NULL;
}

void
pull_queue_done(PullQueue *queue)
{
	assert(queue->under_way > 0);
	queue->under_way--;
}

static void
push(PullQueue *queue, const Entry *entry)
{
	if (queue->count == queue->cap)
	{
		size_t cap = queue->cap == 0 ? 16 : queue->cap * 2;
		Entry *ready = xmalloc(cap * sizeof(*ready));

		for (size_t i = 0; i < queue->count; i++)
			ready[i] = queue->ready[(queue->head + i) % queue->cap];
		free(queue->ready);
		queue->ready = ready;
		queue->head = 0;
		queue->cap = cap;
	}
	queue->ready[(queue->head + queue->count++) % queue->cap] = *entry;
}

static void
wake(PullQueue *queue, int64_t now_us)
{
	for (size_t i = queue->waiting_count; i > 0; i--)
	{
		if (queue->waiting[i - 1].due_us <= now_us)
		{
			push(queue, &queue->waiting[i - 1]);
			queue->waiting[i - 1] = queue->waiting[--queue->waiting_count];
		}
	}
}
