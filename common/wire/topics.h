/*
 * topics - names and headers in Kafka (contract 5)
 *
 * Records are CloudEvents 1.0 in binary mode: the value is the event's JSON,
 * the headers below say the rest.  docs/protocol.md, "In Kafka".
 */
#ifndef CHEMCHAT_TOPICS_H
#define CHEMCHAT_TOPICS_H

#define TOPIC_MESSAGES                                                         \
	"chat.messages.v1" /* key conversationId: all with an ev */
#define TOPIC_CONVERSATIONS                                                    \
	"chat.conversations.v1"         /* key conversationId, compacted */
#define TOPIC_USERS "chat.users.v1" /* key userId */
#define TOPIC_DEAD_MESSAGES                                                    \
	"dlq.chat.messages.v1" /* the relay's dead letters */

#define TOPIC_PARTITIONS_DEFAULT 12

#define HEADER_SPECVERSION  "ce_specversion" /* "1.0" */
#define HEADER_ID           "ce_id" /* kind:id:rev, or kind:key/id:rev (event.h) */
#define HEADER_SOURCE       "ce_source"  /* /chemchat/<system id> */
#define HEADER_TYPE         "ce_type"    /* chemchat.<kind> */
#define HEADER_SUBJECT      "ce_subject" /* the entity's id */
#define HEADER_TIME         "ce_time"    /* RFC 3339 of the change */
#define HEADER_EV           "ce_ev"      /* absent when user-scoped */
#define HEADER_REV          "ce_rev"
#define HEADER_SEQ          "ce_seq"      /* messages only */
#define HEADER_POSITION     "ce_position" /* sysid:timeline:commit LSN:ordinal */
#define HEADER_REPLAY       "ce_replay" /* "1" on what republish wrote, else absent */
#define HEADER_TRACEPARENT  "traceparent"
#define HEADER_CONTENT_TYPE "content-type" /* application/json */

/* Only on dead letters. */
#define HEADER_DLQ_TOPIC     "dlq_topic"
#define HEADER_DLQ_PARTITION "dlq_partition"
#define HEADER_DLQ_REASON    "dlq_reason"
#define HEADER_DLQ_ATTEMPTS  "dlq_attempts"
#define HEADER_DLQ_SIZE      "dlq_value_size"

#endif
