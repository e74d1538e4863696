/*
 * sink_kafka - events into Kafka's topics
 *
 * Each event becomes one or two records (route), with its attributes as
 * headers.  A record that its topic cannot take goes to the dead letters as
 * headers and a reference, and nothing more goes to its partition until that
 * is acknowledged.  When a batch is refused the producer is broken: the sink
 * asks to be restarted, and the relay begins again at the confirmed LSN.
 *
 * While it runs the topics are looked at every few seconds, from a thread:
 * when one is gone or has other partitions, a restart is asked for, and the
 * check at start says what to do.
 */
#ifndef CHEMCHAT_SINK_KAFKA_H
#define CHEMCHAT_SINK_KAFKA_H

#include "kafka_conf.h"
#include "relay_metrics.h"
#include "sink.h"

typedef struct SinkKafkaConfig
{
	KafkaConfig kafka;
	int64_t linger_us;
	int64_t max_in_flight_bytes; /* what the records take in memory, roughly */
	bool may_create_topics;
	int partitions;
	int replication;
} SinkKafkaConfig;

/* Borrows both for its life. */
Sink *sink_kafka_new(const SinkKafkaConfig *config,
					 const RelayMetrics *metrics);

#endif
