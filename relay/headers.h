/*
 * headers - an event's CloudEvents attributes as Kafka headers
 *
 * Binary mode (CloudEvents 1.0, Kafka protocol binding): the value is the
 * event's JSON, everything else stands in headers, in a fixed order:
 *
 *   content-type ce_specversion ce_id ce_source ce_type ce_subject ce_time
 *   [ce_ev] ce_rev [ce_seq] ce_position [ce_replay] [traceparent]
 *
 * This runs once per record: fixed buffers, no printf, no allocation.  What
 * stays the same for a connection is formatted once.
 *
 * Pure.  The headers point into the Headers that made them, and into the
 * event; they are valid until the next headers_build or the event's end.
 */
#ifndef CHEMCHAT_HEADERS_H
#define CHEMCHAT_HEADERS_H

#include <stdint.h>

#include "event.h"
#include "kafka_producer.h"

#define HEADERS_MAX  20  /* of a record, the dead letter's among them */
#define HEADERS_TEXT 512 /* what the values of one record need, at most */

typedef struct Headers
{
	KafkaHeader list[HEADERS_MAX];
	int count;

	/* formatted once: "/chemchat/<system id>", "<system id>:<timeline>:" */
	char source[40];
	uint32_t source_len;
	char history[40];
	uint32_t history_len;

	/* "2026-11-22T" of the day last seen: most events share it */
	int64_t day;
	char day_text[16];
	uint32_t day_len;

	char text[HEADERS_TEXT];
	uint32_t text_len;
} Headers;

void headers_init(Headers *headers, uint64_t system_id, uint32_t timeline);

/* Fills list and count for one event at (commit LSN, ordinal). */
void headers_build(Headers *headers, const Event *event, uint64_t commit_lsn,
				   uint32_t ordinal);

/*
 * Adds what a dead letter carries beside: where the record would have gone,
 * why it could not, how often it was tried and what its value weighs.  The
 * texts are borrowed.
 */
void headers_add_dead(Headers *headers, const char *topic, int32_t partition,
					  const char *reason, uint32_t attempts,
					  uint32_t value_len);

#endif
