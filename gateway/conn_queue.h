/*
 * conn_queue - what still has to be written to one socket
 *
 * A few references to payloads, oldest first, and how much of the first is
 * gone.  Empty, it owns no memory.
 *
 * Pure.  Owns a reference to each payload in it.
 */
#ifndef CHEMCHAT_CONN_QUEUE_H
#define CHEMCHAT_CONN_QUEUE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "payload.h"

#define CONN_QUEUE_PARTS 64 /* in one call of the kernel */

typedef struct ConnQueue
{
	struct ConnQueueItem *items;
	size_t bytes; /* still to be written */
	uint32_t first;
	uint32_t count; /* of items, the first included */
	uint32_t cap;
} ConnQueue;

/* The bytes of the payload from `from` on; none at all ends its reference. */
void conn_queue_add(ConnQueue *queue, Payload *take_payload, uint32_t from);

/* The first of them as parts for sendmsg; returns how many. */
int conn_queue_parts(const ConnQueue *queue,
					 struct iovec parts[CONN_QUEUE_PARTS], size_t *bytes);

/* Copies the first bytes, at most size; returns how many. */
size_t conn_queue_copy(const ConnQueue *queue, void *out, size_t size);

/* The first bytes have been written. */
void conn_queue_take(ConnQueue *queue, size_t bytes);
void conn_queue_clear(ConnQueue *queue);

#endif
