/*
 * prefix_window - how far everything is finished
 *
 * Keeps what was begun and not yet finished, oldest first.  The position is
 * the end of the last one with nothing unfinished before it: what the relay
 * may confirm to Postgres, what a consumer may commit to Kafka.  So a crash
 * repeats work and never loses any.
 *
 * A span (a transaction) is begun with its end position and holds a number of
 * parts (records) that finish in any order.  Spans begin in order of their
 * end.
 *
 * Pure: no libpq, no librdkafka, no clock.  One thread.  Owns its slots; grows
 * to the bound it was made with.
 */
#ifndef CHEMCHAT_PREFIX_WINDOW_H
#define CHEMCHAT_PREFIX_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct PrefixWindow PrefixWindow;

/* Names a span until it is finished; never reused within 2^64 spans. */
typedef uint64_t PrefixSpan;

PrefixWindow *prefix_window_new(uint64_t position, size_t max_spans);
void prefix_window_free(PrefixWindow **window);

/*
 * Begins a span that ends at `end` (>= every earlier end); it is open until
 * prefix_window_seal.  False when max_spans are under way: stop reading.
 */
bool prefix_window_begin(PrefixWindow *window, uint64_t end, PrefixSpan *span);

/* One more part of an open span. */
void prefix_window_add(PrefixWindow *window, PrefixSpan span);

/* No more parts will come.  A sealed span without parts is finished. */
void prefix_window_seal(PrefixWindow *window, PrefixSpan span);

/* One part is done (acknowledged).  More dones than parts is a bug: aborts. */
void prefix_window_done(PrefixWindow *window, PrefixSpan span);

/* End of the longest finished prefix; the initial position when there is none. */
uint64_t prefix_window_position(const PrefixWindow *window);

/* Spans begun and not finished. */
size_t prefix_window_pending(const PrefixWindow *window);

/*
 * When nothing is pending, everything up to `position` is known to hold
 * nothing for us (a keepalive): the position moves there.  Else no change.
 */
void prefix_window_skip(PrefixWindow *window, uint64_t position);

#endif
