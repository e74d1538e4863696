/*
 * live_metrics - numbers of the live channels
 */
#ifndef CHEMCHAT_LIVE_METRICS_H
#define CHEMCHAT_LIVE_METRICS_H

#include "live.h"
#include "metrics.h"

#define LIVE_BREAKS (LIVE_BREAK_SECOND_LOOK + 1)

typedef struct LiveMetrics
{
	Metric *is_live; /* 1 live, 0 polled */
	Metric *mode_changes;
	Metric *messages;             /* heard, heartbeats among them */
	Metric *events;               /* handed to the fan-out */
	Metric *passed_over;          /* duplicates, stale and foreign messages */
	Metric *repairs[LIVE_BREAKS]; /* asked for, by reason */
	Metric *silences;             /* channels that fell silent */
	Metric *silence;              /* age of what was heard longest ago */
	Metric *delay;                /* an event's time to its arrival here */
	Metric *disconnects;
} LiveMetrics;

/* Once per process. */
void live_metrics_init(LiveMetrics *metrics);

#endif
