/*
 * send_queue - which sends go into the next batch
 *
 * What arrives while a batch is on its way waits, and all of it (up to
 * SEND_BATCH_MAX, SEND_BATCH_BYTES) goes into the next one.  Sends of one
 * conversation keep their order: when somebody else holds it (`busy`), its
 * sends go back to where they were and the conversation rests for a while,
 * longer each time; others pass.
 *
 * A call is anything else that is written to a conversation (an edit, a new
 * member): it goes on another connection and by itself.  It waits until all
 * that came before it in its conversation is written, and what came after it
 * waits for it.
 *
 * Pure: no I/O; the caller says what time it is.  One thread.  Owns what
 * waits; a batch belongs to its taker until it is given back or freed.
 */
#ifndef CHEMCHAT_SEND_QUEUE_H
#define CHEMCHAT_SEND_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "uuid.h"

#define SEND_BATCH_MAX   256
#define SEND_BATCH_BYTES (1024 * 1024)
#define SEND_REST_MIN_MS 5
#define SEND_REST_MAX_MS 250

typedef struct SendItem
{
	struct SendItem *next;
	Uuid actor;
	Uuid conversation_id;
	Uuid client_msg_id;
	int64_t deadline_us;
	bool was_sent; /* the server may have seen it */
	bool was_busy; /* the last word on it was `busy` */
	bool is_call;  /* no message: arg says what */
	void *arg;
	int64_t reply_to; /* seq; 0: none */
	char trace[56];   /* traceparent, or "" */
	uint32_t body_len;
	char body[];
} SendItem;

typedef struct SendQueue SendQueue;

SendQueue *send_queue_new(void);
void send_queue_free(SendQueue **queue); /* must be empty */
int send_queue_count(const SendQueue *queue);

void send_queue_add(SendQueue *queue, SendItem *take_item);

/* The next batch of sends, oldest first, as a list; NULL when none may go. */
SendItem *send_queue_take(SendQueue *queue, int64_t now_us, int *count);

/*
 * The next call that may go; NULL when there is none.  batch: the sends that
 * are under way.  Until send_queue_call_ended, or until it is put back, nothing
 * else of its conversation goes.
 */
SendItem *send_queue_take_call(SendQueue *queue, const SendItem *batch,
							   int64_t now_us);
void send_queue_call_ended(SendQueue *queue, const SendItem *call);

/*
 * Puts back a list that was taken, in its order, before all that wait.  The
 * conversations of items marked was_busy rest.
 */
void send_queue_put_back(SendQueue *queue, SendItem *take_items,
						 int64_t now_us);

/* Something of this conversation was written: it does not rest any more. */
void send_queue_passed(SendQueue *queue, const Uuid *conversation_id);

/* Takes out the items whose deadline has passed, as a list. */
SendItem *send_queue_expire(SendQueue *queue, int64_t now_us);

/* When send_queue_take is worth another try; INT64_MAX: when something comes. */
int64_t send_queue_next_us(const SendQueue *queue);

#endif
