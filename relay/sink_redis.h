/*
 * sink_redis - the live slot's events into Redis (contract 6)
 *
 * Groups a transaction's events by live channel, numbers each message per
 * channel under the incarnation of this reader, and publishes it.  Every
 * channel has a heartbeat each second with its last number, as long as the
 * server was heard on the stream within SINK_REDIS_DEAF_MS: a reader that is
 * cut off, or waits behind somebody's huge transaction, falls silent, and the
 * gateways poll.
 *
 * It never holds the slot back: start always succeeds, no part is ever added
 * to the prefix_window, and what cannot be handed to Redis at once (it is
 * away, or its queue is full) is dropped.  Its number is used up all the
 * same, so the gateways see the hole by the next message or heartbeat and
 * repair from the database.
 *
 * An incarnation begins with each start, since between two starts the stream
 * may have passed something over.  It is taken from Redis (redis_keys.h) as
 * soon as Redis answers; nothing can be published before.
 *
 * One thread.  Owns its connection.
 */
#ifndef CHEMCHAT_SINK_REDIS_H
#define CHEMCHAT_SINK_REDIS_H

#include "metrics.h"
#include "sink.h"

#define SINK_REDIS_DEAF_MS 1500

/* Made once per process, before the first sink. */
typedef struct SinkRedisMetrics
{
	Metric *published;    /* messages handed over */
	Metric *events;       /* events within them */
	Metric *dropped;      /* messages numbered and not handed over */
	Metric *refused;      /* messages Redis answered with an error */
	Metric *heartbeats;   /* rounds of 64 */
	Metric *is_connected; /* 0 or 1 */
	Metric *disconnects;
	Metric *delay; /* commit to handing over, seconds */
} SinkRedisMetrics;

typedef struct SinkRedisConfig
{
	const char *url;                 /* redis_url.h */
	const char *password_file;       /* NULL: none */
	const SinkRedisMetrics *metrics; /* borrowed for the sink's life */
} SinkRedisConfig;

void sink_redis_metrics_init(SinkRedisMetrics *metrics);

/* NULL with err set for a bad URL or password file. */
Sink *sink_redis_new(const SinkRedisConfig *config, Error *err) MUST_CHECK;

#endif
