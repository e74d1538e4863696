/*
 * kafka_admin - a look at the cluster before anything is sent to it
 *
 * How many partitions a topic has, what a record may weigh there, what its
 * last records or certain ones carry; and making topics that are missing.
 * Each call blocks up to its timeout, and not for more than two seconds once
 * it is cancelled: call from a thread that may, or at start.
 *
 * One thread.  A client is cheap but not free (two threads, a connection per
 * broker): open, look, close.
 */
#ifndef CHEMCHAT_KAFKA_ADMIN_H
#define CHEMCHAT_KAFKA_ADMIN_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "kafka_conf.h"

typedef struct KafkaAdmin KafkaAdmin;

typedef struct KafkaNewTopic
{
	const char *name;
	int partitions;
	int replication; /* -1: the broker's default */
	bool is_compacted;
	bool is_kept_forever; /* retention.ms and retention.bytes -1 */
} KafkaNewTopic;

/* is_cancelled, borrowed, may be set by another thread; NULL: never. */
KafkaAdmin *kafka_admin_open(const KafkaConfig *config,
							 const atomic_bool *is_cancelled, Error *err);
void kafka_admin_close(KafkaAdmin **admin);

/* 0 in *count: there is no such topic. */
bool kafka_admin_partitions(KafkaAdmin *admin, const char *topic,
							int timeout_ms, int *count, Error *err) MUST_CHECK;

/* A topic that exists meanwhile is no error. */
bool kafka_admin_create(KafkaAdmin *admin, const KafkaNewTopic *topics,
						int count, int timeout_ms, Error *err) MUST_CHECK;

/* max.message.bytes of each topic. */
bool kafka_admin_limits(KafkaAdmin *admin, const char *const *topics, int count,
						int timeout_ms, int64_t *limits, Error *err) MUST_CHECK;

/*
 * Reads the last record of each partition and hands out the value of one of
 * its headers (not called for a record without it, nor where there is none).
 */
typedef void (*KafkaOnHeader)(void *arg, int partition, const char *value,
							  size_t len);

bool kafka_admin_last(KafkaAdmin *admin, const char *topic, int partitions,
					  const char *header, int timeout_ms,
					  KafkaOnHeader on_header, void *arg,
					  Error *err) MUST_CHECK;

/* What stands at a place where there was a record once. */
typedef enum KafkaFound
{
	KAFKA_RECORD,  /* one: value is what its header says, "" without it */
	KAFKA_REMOVED, /* none: only later ones are left */
	KAFKA_ENDED    /* none, and the partition ends before it */
} KafkaFound;

typedef struct KafkaProbe
{
	const char *topic;
	int partition;
	int64_t offset;
	KafkaFound found;
	char value[96]; /* cut off */
} KafkaProbe;

/* Fills found and value of each; no two of the same partition. */
bool kafka_admin_probe(KafkaAdmin *admin, KafkaProbe *probes, int count,
					   const char *header, int timeout_ms,
					   Error *err) MUST_CHECK;

#endif
