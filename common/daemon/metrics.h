/*
 * metrics - numbers for Prometheus
 *
 * Made once at start, changed from any thread (relaxed atomics), read by the
 * operations port.  Names carry the prefix chemchat_ and base units; labels
 * are fixed text at creation, e.g. "topic=\"chat.messages.v1\"".  Output is
 * the text exposition format 0.0.4, clean under `promtool check metrics`; a
 * name it would not like (a counter without _total, a histogram without
 * _seconds) ends the process when it is made.
 */
#ifndef CHEMCHAT_METRICS_H
#define CHEMCHAT_METRICS_H

#include <stdint.h>

#include "buf.h"

typedef struct Metric Metric;

/* labels: NULL or the text between the braces.  Same name, other labels: one family. */
Metric *metric_counter(const char *name, const char *help, const char *labels);
Metric *metric_gauge(const char *name, const char *help, const char *labels);

/* Set in microseconds, shown in seconds; its name ends in _seconds. */
Metric *metric_gauge_us(const char *name, const char *help, const char *labels);

/* Classic histogram of seconds; buckets 100 us .. 60 s, 1-2.5-5 steps. */
Metric *metric_histogram(const char *name, const char *help,
						 const char *labels);

void metric_add(Metric *metric, int64_t n);
void metric_set(Metric *metric, int64_t value);
void metric_observe_us(Metric *metric, int64_t us);
int64_t metric_value(const Metric *metric);

/* Appends every metric; adds process_* (CPU seconds, RSS, fds, start time). */
void metrics_write(Buf *out);

#endif
