/*
 * live_tracker - what is heard on all live channels, and what is missing
 *
 * Reads the messages, asks live_channel about their numbers and turns the
 * answers into LiveCallbacks (live.h says what they promise).  The mode is
 * live while every channel was heard since the last subscription and none
 * has been silent for LIVE_SILENCE_MS.
 *
 * Knows neither Redis nor a loop; the caller says what time it is.  Time
 * must come round: live_tracker_tick at least every LIVE_TICK_MS.
 */
#ifndef CHEMCHAT_LIVE_TRACKER_H
#define CHEMCHAT_LIVE_TRACKER_H

#include <stddef.h>

#include "live.h"
#include "live_metrics.h"

typedef struct LiveTracker LiveTracker;

/* Borrows the metrics. */
LiveTracker *live_tracker_new(const LiveCallbacks *callbacks, void *arg,
							  const LiveMetrics *metrics);
void live_tracker_free(LiveTracker **tracker);

/* 0: of any system. */
void live_tracker_set_system_id(LiveTracker *tracker, uint64_t system_id);

/* One message, as it came.  True when an event was handed on. */
bool live_tracker_hear(LiveTracker *tracker, const char *name, size_t name_len,
					   const void *bytes, size_t len, int64_t now_us);

/* The connection was lost. */
void live_tracker_lost(LiveTracker *tracker);

void live_tracker_tick(LiveTracker *tracker, int64_t now_us);

bool live_tracker_is_live(const LiveTracker *tracker);

/* As live_heard_lsn. */
uint64_t live_tracker_heard_lsn(const LiveTracker *tracker);

#endif
