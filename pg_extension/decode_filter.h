/*
 * decode_filter - which events a slot carries
 *
 * A slot carries one shard of the events, with or without what republish()
 * wrote again.  The output plugin and the WAL reader behind outbox() ask the
 * same question here, so that what is counted is what will be delivered.
 *
 * Pure.
 */
#ifndef CHEMCHAT_DECODE_FILTER_H
#define CHEMCHAT_DECODE_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"
#include "frame.h"
#include "partition.h"

/* Far above any use; keeps a lying option from looking like a working one. */
#define DECODE_MAX_SHARDS 1000

/* A longer record would not fit a frame, and no function of ours writes it. */
#define DECODE_MAX_RECORD                                                      \
	(FRAME_MAX_BYTES - FRAME_HEADER_SIZE - FRAME_EVENT_OVERHEAD)

typedef struct DecodeFilter
{
	uint32_t shard;
	uint32_t shards;
	bool wants_replays;
} DecodeFilter;

/*
 * Is this WAL message one of our events?  Only those have an ordinal, whether
 * a slot carries them or not.
 */
static inline bool
decode_is_event(const char *prefix, const char *message, size_t len,
				Event *event)
{
	return strcmp(prefix, EVENT_PREFIX) == 0 && len <= DECODE_MAX_RECORD &&
		   event_parse((const uint8_t *) message, len, event);
}

/*
 * A walsender keeps the library it began with.  What a newer one writes
 * meanwhile under our prefix must stop it, not be passed over as foreign.
 */
static inline bool
decode_is_newer(const char *prefix, const char *message, size_t len)
{
	return strcmp(prefix, EVENT_PREFIX) == 0 && len > 0 &&
		   message[0] > EVENT_VERSION && message[0] <= EVENT_VERSION_MAX;
}

static inline bool
decode_filter_passes(const DecodeFilter *filter, const Event *event)
{
	char key[36];

	if ((event->flags & EVENT_REPLAY) != 0 && !filter->wants_replays)
		return false;
	if (filter->shards == 1)
		return true;
	partition_key_text(event->key, key);
	return partition_of(key, sizeof(key), filter->shards) == filter->shard;
}

#endif
