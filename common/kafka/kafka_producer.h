/*
 * kafka_producer - records into Kafka, in order, none left out
 *
 * An idempotent producer, acks=all, without a time limit per record and with
 * librdkafka's gapless guarantee: within a partition records are appended in
 * the order of kafka_producer_send, and when one cannot be, none behind it
 * is.  Then the producer is *broken*: close it, open another and send again
 * from the last position known to be acknowledged.
 *
 * send copies everything.  Acknowledgements are handed out by poll, in
 * batches, in the thread that calls it.  One thread calls; librdkafka's own
 * threads do the network.  Memory is bounded by max_records and max_bytes.
 */
#ifndef CHEMCHAT_KAFKA_PRODUCER_H
#define CHEMCHAT_KAFKA_PRODUCER_H

#include <stddef.h>
#include <stdint.h>

#include "kafka_conf.h"

#define KAFKA_MAX_TOPICS 8

typedef struct KafkaProducer KafkaProducer;

typedef struct KafkaProducerConfig
{
	KafkaConfig kafka;
	int64_t linger_us;        /* how long a record waits for company */
	int64_t max_batch_bytes;  /* one batch: at most the lowest topic's limit */
	int64_t max_record_bytes; /* a record alone: the highest topic's limit */
	int64_t max_records;      /* not yet acknowledged */
	int64_t max_bytes;        /* keys and values of those */
	const char *const *topics;
	int topic_count;
} KafkaProducerConfig;

typedef struct KafkaHeader
{
	const char *name;
	uint32_t name_len;
	uint32_t value_len;
	const char *value;
} KafkaHeader;

typedef struct KafkaRecord
{
	int topic; /* index into the configuration's topics */
	int32_t partition;
	const void *key;
	size_t key_len;
	const void *value; /* NULL: a tombstone */
	size_t value_len;
	const KafkaHeader *headers;
	int header_count;
	uint64_t tag; /* comes back with the acknowledgement */
} KafkaRecord;

typedef enum KafkaSend
{
	KAFKA_SENT,
	KAFKA_FULL,      /* bounds reached: poll, then send again */
	KAFKA_TOO_LARGE, /* more than max_record_bytes: will never go */
	KAFKA_BROKEN     /* err says why: close it */
} KafkaSend;

/* One record Kafka has on all in-sync replicas. */
typedef struct KafkaAck
{
	uint64_t tag;
	size_t key_len;
	size_t value_len;
	int topic; /* index into the configuration's topics */
	int32_t partition;
	int64_t offset; /* -1: the broker had it already and did not say where */
} KafkaAck;

/* False: no acknowledgement of these counts any more, hand out no others. */
typedef bool (*KafkaOnAck)(void *arg, const KafkaAck *ack);

/* Connects in the background; NULL with err set when the settings are bad. */
KafkaProducer *kafka_producer_open(const KafkaProducerConfig *config,
								   Error *err);

/* Gives up what is in flight: it may or may not arrive. */
void kafka_producer_close(KafkaProducer **producer);

KafkaSend kafka_producer_send(KafkaProducer *producer,
							  const KafkaRecord *record, Error *err) MUST_CHECK;

/*
 * Sends what waits for company now, and what comes until all that is under way
 * has been acknowledged.  For low rates: called for each record, batches are
 * small and nothing waits; not called, the linger makes them large.
 */
void kafka_producer_hurry(KafkaProducer *producer);

/* Becomes readable when poll has something to do. */
int kafka_producer_fd(const KafkaProducer *producer);

/*
 * Hands out what was acknowledged meanwhile; never blocks.  False with err
 * set when the producer is broken, on_ack having said so or Kafka; what was
 * acknowledged before that was handed out.
 */
bool kafka_producer_poll(KafkaProducer *producer, KafkaOnAck on_ack, void *arg,
						 Error *err) MUST_CHECK;

/*
 * Asks the cluster how many partitions each topic has, into counts (one per
 * topic of the configuration; 0: it does not exist).  Blocks up to
 * timeout_ms; may be called from another thread than the rest.
 */
bool kafka_producer_partitions(KafkaProducer *producer, int *counts,
							   int timeout_ms, Error *err) MUST_CHECK;

/* What an encoded record takes in a batch of its own, at most. */
size_t kafka_record_size(const KafkaRecord *record);

#endif
