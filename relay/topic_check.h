/*
 * topic_check - are the topics there, and are they the ones we wrote to?
 *
 * Asks Kafka for partitions, limits and last records; makes what is missing
 * when that is allowed and nothing was ever recorded.  Blocks (seconds, when
 * Kafka is away): sink_kafka runs it in a thread.
 */
#ifndef CHEMCHAT_TOPIC_CHECK_H
#define CHEMCHAT_TOPIC_CHECK_H

#include <stdatomic.h>

#include "kafka_conf.h"
#include "layout.h"
#include "route.h"
#include "sink.h"

typedef struct TopicCheckRequest
{
	KafkaConfig kafka;
	bool may_create;
	int partitions;  /* of a topic to be made */
	int replication; /* of a topic to be made; -1: the broker's default */
	SinkIdentity identity;
	const atomic_bool *is_cancelled; /* looked at between questions */
} TopicCheckRequest;

typedef enum TopicCheckResult
{
	TOPICS_OK,
	TOPICS_UNAVAILABLE, /* err; ask again */
	TOPICS_STOP         /* stop_name, err */
} TopicCheckResult;

typedef struct TopicCheck
{
	int partitions[ROUTE_TOPICS];
	int64_t limits[ROUTE_TOPICS]; /* max.message.bytes */
	SinkFindings found;
	const char *stop_name;
} TopicCheck;

TopicCheckResult topic_check_run(const TopicCheckRequest *request,
								 TopicCheck *check, Error *err);

/* ---- the pure part ---- */

/* "sysid:timeline:lsn:ordinal" (HEADER_POSITION). */
bool topic_check_position(const char *text, size_t len, SinkPosition *out);

/* Keeps the furthest position per history. */
void topic_check_note(SinkFindings *found, const SinkPosition *position);

#endif
