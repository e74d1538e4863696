/*
 * mark_queue - what users have read, gathered before it is written
 *
 * Reading moves a cursor several times a second; only where it stands in the
 * end matters.  The first mark of a user in a conversation waits MARK_MS, and
 * those that come meanwhile join it: the highest numbers are written once and
 * everybody who asked is answered.
 *
 * Pure: the caller says what time it is.  One thread.  Owns what waits; an
 * item belongs to its taker.
 */
#ifndef CHEMCHAT_MARK_QUEUE_H
#define CHEMCHAT_MARK_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "uuid.h"

#define MARK_MS        250
#define MARK_BATCH_MAX 500
#define MARK_QUEUE_MAX 50000
#define MARK_NONE      (-1)

typedef struct Mark
{
	Uuid actor;
	Uuid conversation_id;
	int64_t read_seq; /* MARK_NONE: stays */
	int64_t delivered_seq;
} Mark;

/* Who is told when it is written. */
typedef struct MarkWaiter
{
	struct MarkWaiter *next;
	void *arg;
} MarkWaiter;

typedef struct MarkItem
{
	struct MarkItem *next;
	struct MarkItem *chain; /* another conversation of this user */
	Mark mark;
	int64_t due_us;
	MarkWaiter *waiters;
} MarkItem;

typedef struct MarkQueue MarkQueue;

MarkQueue *mark_queue_new(void);
void mark_queue_free(MarkQueue **queue); /* must be empty */
int mark_queue_count(const MarkQueue *queue);

/* False when there is no room. */
bool mark_queue_add(MarkQueue *queue, const Mark *mark, void *arg,
					int64_t now_us);

/* Those that are due, oldest first, as a list; NULL when there are none. */
MarkItem *mark_queue_take(MarkQueue *queue, int64_t now_us, int *count);

void mark_item_free(MarkItem **item);

#endif
