/*
 * kafka_admin - a look at the cluster before anything is sent to it
 *
 * How many partitions a topic has, what a record may weigh there, what its
 * last records carry; and making topics that are missing.  Each call blocks up
 * to its timeout: call from a thread that may, or at start.
 *
 * One thread.  A client is cheap but not free (two threads, a connection per
 * broker): open, look, close.
 */
#ifndef CHEMCHAT_KAFKA_ADMIN_H
#define CHEMCHAT_KAFKA_ADMIN_H

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

KafkaAdmin *kafka_admin_open(const KafkaConfig *config, Error *err);
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
 * The sum of each topic's end offsets: how many records it was ever given, but
 * for those of transactions.
 */
bool kafka_admin_ends(KafkaAdmin *admin, const char *const *topics,
					  const int *partitions, int count, int timeout_ms,
					  int64_t *ends, Error *err) MUST_CHECK;

/*
 * Reads the last record of each partition and hands out the value of one of
 * its headers (not called for a record without it, nor where retention left
 * none).  *end_total is the sum of the partitions' end offsets: 0 means nothing
 * was ever written.
 */
typedef void (*KafkaOnHeader)(void *arg, int partition, const char *value,
							  size_t len);

bool kafka_admin_last(KafkaAdmin *admin, const char *topic, int partitions,
					  const char *header, int timeout_ms,
					  KafkaOnHeader on_header, void *arg, int64_t *end_total,
					  Error *err) MUST_CHECK;

#endif
