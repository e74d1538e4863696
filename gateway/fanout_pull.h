/*
 * fanout_pull - which conversations are to be pulled next
 *
 * First in, first out, FANOUT_PULLS_AT_ONCE at a time; a conversation that
 * could not be brought forward waits longer each time.  Entries are ids: a
 * conversation may leave the registry while it waits.
 *
 * Pure.  One thread.
 */
#ifndef CHEMCHAT_FANOUT_PULL_H
#define CHEMCHAT_FANOUT_PULL_H

#include "registry.h"

#define PULL_TRIES_MAX 12 /* 5 ms doubling to 500 ms: about 4 s */

typedef struct PullQueue PullQueue;

PullQueue *pull_queue_new(void);
void pull_queue_free(PullQueue **queue);

/* Does nothing when it waits or is under way already. */
void pull_queue_add(PullQueue *queue, Conversation *conversation);

/* The same after a pause; false when it was tried too often. */
bool pull_queue_later(PullQueue *queue, Conversation *conversation,
					  int64_t now_us);

/* The next one, which then counts as under way; NULL when none may start. */
Conversation *pull_queue_next(PullQueue *queue, const Registry *registry,
							  int64_t now_us);

/* One that was under way is answered. */
void pull_queue_done(PullQueue *queue);

#endif
