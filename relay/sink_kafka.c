#include "sink_kafka.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "headers.h"
#include "kafka_producer.h"
#include "kill_point.h"
#include "layout.h"
#include "log.h"
#include "partition.h"
#include "route.h"
#include "topic_watch.h"
#include "xalloc.h"

/*
 * A record waiting for its acknowledgement takes its key and value plus this
 * for librdkafka's bookkeeping and a dozen headers (measured: 1.4 kB).
 */
#define RECORD_OVERHEAD 1536

/* One request's records; a topic with a lower limit lowers it. */
#define MAX_BATCH_BYTES (512 * 1024)

#define CHECK_RETRY_US 500000

/*
 * A tag is the span, or for a dead letter its slot in `dead` with the topmost
 * bit set.
 */
#define TAG_DEAD (UINT64_C(1) << 63)
#define MAX_DEAD 8

/* Of the spans in flight; the relay opens no more. */
#define COMMITS 16384

typedef struct DeadLetter
{
	bool is_under_way;
	PrefixSpan span;
	RouteTarget instead_of;
} DeadLetter;

typedef struct Commit
{
	int64_t time_us; /* for the delivery metric */
	uint64_t lsn;
} Commit;

typedef struct SinkKafka
{
	Sink base;
	const SinkKafkaConfig *config;
	const RelayMetrics *metrics;
	size_t max_records;

	TopicWatch *watch;      /* the check at start, later the partitions */
	int64_t checks_for;     /* the connection that the check was begun for */
	int64_t check_after_us; /* not before */
	Error unavailable;      /* why the last check came to nothing */
	bool is_started;
	int partitions[ROUTE_TOPICS];
	int64_t limits[ROUTE_TOPICS];

	KafkaProducer *producer;
	PrefixWindow *window;
	Headers headers;
	int next_target; /* of an event that was taken in part */

	DeadLetter dead[MAX_DEAD];
	int dead_count;

	Layout layout;          /* with what was acknowledged last */
	const char *made_again; /* a topic that went back; NULL: none */

	Commit commits[COMMITS];
	int64_t now_wall_us; /* of this poll's acknowledgements */
	int64_t acknowledged;
} SinkKafka;

static SinkKafka *
kafka_of(Sink *sink)
{
	return (SinkKafka *) sink;
}

/* Gives up the producer and all that is in flight. */
static void
forget(SinkKafka *kafka)
{
	topic_watch_free(&kafka->watch); /* before the producer it looks at */
	kafka_producer_close(&kafka->producer);
	layout_fini(&kafka->layout);
	kafka->is_started = false;
	kafka->base.in_flight_records = 0;
	kafka->base.in_flight_bytes = 0;
	kafka->next_target = 0;
	kafka->dead_count = 0;
	memset(kafka->dead, 0, sizeof(kafka->dead));
}

static int64_t
lowest_limit(const SinkKafka *kafka)
{
	int64_t lowest = kafka->limits[0];

	for (int i = 1; i < ROUTE_TOPICS; i++)
	{
		if (kafka->limits[i] < lowest)
			lowest = kafka->limits[i];
	}
	return lowest;
}

static int64_t
highest_limit(const SinkKafka *kafka)
{
	int64_t highest = kafka->limits[0];

	for (int i = 1; i < ROUTE_TOPICS; i++)
	{
		if (kafka->limits[i] > highest)
			highest = kafka->limits[i];
	}
	return highest;
}

static bool
open_producer(SinkKafka *kafka, Error *err)
{
	int64_t batch = lowest_limit(kafka);
	KafkaProducerConfig config = {
		.kafka = kafka->config->kafka,
		.linger_us = kafka->config->linger_us,
		.max_batch_bytes = batch < MAX_BATCH_BYTES ? batch : MAX_BATCH_BYTES,
		.max_record_bytes = highest_limit(kafka),
		/* our own bounds come first, these are a second wall */
		.max_records = (int64_t) kafka->max_records * 2,
		.max_bytes = kafka->config->max_in_flight_bytes * 2,
		.topics = route_topic_names,
		.topic_count = ROUTE_TOPICS,
	};

	kafka->producer = kafka_producer_open(&config, err);
	return kafka->producer != NULL;
}

static SinkStatus
begin_check(SinkKafka *kafka, const SinkIdentity *identity, Error *err)
{
	TopicCheckRequest request = {
		.kafka = kafka->config->kafka,
		.may_create = kafka->config->may_create_topics,
		.partitions = kafka->config->partitions,
		.replication = kafka->config->replication,
		.identity = *identity,
	};

	if (clock_now_us() >= kafka->check_after_us)
	{
		kafka->watch = topic_watch_check(&request);
		kafka->checks_for = identity->connection;
	}
	*err = kafka->unavailable;
	return SINK_WAIT;
}

static SinkStatus
kafka_start(Sink *sink, const SinkIdentity *identity, PrefixWindow *window,
			SinkFindings *found, Error *err)
{
	SinkKafka *kafka = kafka_of(sink);
	TopicCheck check;

	if (kafka->is_started)
		forget(kafka);
	if (kafka->watch == NULL)
		return begin_check(kafka, identity, err);
	if (topic_watch_state(kafka->watch, err) != WATCH_DONE)
	{
		*err = kafka->unavailable;
		return SINK_WAIT;
	}
	if (kafka->checks_for != identity->connection)
	{
		topic_watch_free(&kafka->watch);
		return begin_check(kafka, identity, err);
	}
	switch (topic_watch_result(kafka->watch, &check, err))
	{
		case TOPICS_OK:
			break;
		case TOPICS_UNAVAILABLE:
			topic_watch_free(&kafka->watch);
			kafka->unavailable = *err;
			kafka->check_after_us = clock_now_us() + CHECK_RETRY_US;
			return SINK_WAIT;
		case TOPICS_STOP:
			sink->stop_name = check.stop_name;
			return SINK_STOP;
	}
	topic_watch_free(&kafka->watch);
	memcpy(kafka->partitions, check.partitions, sizeof(kafka->partitions));
	memcpy(kafka->limits, check.limits, sizeof(kafka->limits));
	*found = check.found;

	if (!open_producer(kafka, err))
	{
		sink->stop_name = "KAFKA_SETTINGS";
		return SINK_STOP;
	}
	layout_init_parse(&kafka->layout, found->layout);
	kafka->watch = topic_watch_partitions(kafka->producer, kafka->partitions);
	kafka->window = window;
	headers_init(&kafka->headers, identity->system_id, identity->timeline);
	kafka->is_started = true;
	return SINK_OK;
}

static void
kafka_frame_begin(Sink *sink, const FrameHeader *header, PrefixSpan span)
{
	kafka_of(sink)->commits[span % COMMITS] =
		(Commit){ .time_us = header->commit_time_us,
				  .lsn = header->commit_lsn };
}

static void
kafka_frame_end(Sink *sink, const FrameHeader *header, PrefixSpan span)
{
}

static bool
has_room(const SinkKafka *kafka)
{
	return kafka->base.in_flight_records < kafka->max_records &&
		   kafka->base.in_flight_bytes <
			   (size_t) kafka->config->max_in_flight_bytes;
}

/* Is a dead letter under way that this target's next record must wait for? */
static bool
is_barred(const SinkKafka *kafka, const RouteTarget *target)
{
	if (kafka->dead_count == 0)
		return false;
	if (kafka->dead_count == MAX_DEAD)
		return true;
	for (int i = 0; i < MAX_DEAD; i++)
	{
		const DeadLetter *dead = &kafka->dead[i];

		if (dead->is_under_way && dead->instead_of.topic == target->topic &&
			dead->instead_of.partition == target->partition)
			return true;
	}
	return false;
}

static SinkStatus
send_record(SinkKafka *kafka, const KafkaRecord *record, Error *err)
{
	switch (kafka_producer_send(kafka->producer, record, err))
	{
		case KAFKA_SENT:
			break;
		case KAFKA_FULL:
			return SINK_WAIT;
		case KAFKA_TOO_LARGE:
			/* we ask the limits first: only a dead letter gets here */
			kafka->base.stop_name = "DEAD_LETTER_TOO_LARGE";
			error_set(err, "topic %s cannot take a dead letter",
					  route_topic_names[record->topic]);
			return SINK_STOP;
		case KAFKA_BROKEN:
			return SINK_RESTART;
	}
	kafka->base.in_flight_records++;
	kafka->base.in_flight_bytes +=
		record->key_len + record->value_len + RECORD_OVERHEAD;
	kill_point("after_produce");
	return SINK_OK;
}

/* What stands in the dead letter instead of the value: where to find it. */
static int
format_reference(const Event *event, char *out, size_t size)
{
	char key[37] = "";
	char id[37] = "";

	partition_key_text(event->key, key);
	partition_key_text(event->id, id);
	return snprintf(out, size,
					"{\"kind\":\"%s\",\"key\":\"%s\",\"id\":\"%s\","
					"\"ev\":%" PRIu64 ",\"seq\":%" PRIu64 ",\"rev\":%" PRIu64
					"}",
					event_kind_name((uint8_t) event->kind), key, id, event->ev,
					event->seq, event->rev);
}

static int
free_dead_slot(const SinkKafka *kafka)
{
	int i = 0;

	while (kafka->dead[i].is_under_way)
		i++;
	return i;
}

static SinkStatus
send_dead(SinkKafka *kafka, const SinkEvent *event, const Route *route,
		  const RouteTarget *target, Error *err)
{
	char reference[256];
	int slot = free_dead_slot(kafka);
	KafkaRecord record = {
		.topic = ROUTE_DEAD,
		.partition = route_dead_partition(route, kafka->partitions),
		.key = route->key,
		.key_len = ROUTE_KEY_LEN,
		.value = reference,
		.value_len = (size_t) format_reference(event->event, reference,
											   sizeof(reference)),
		.headers = kafka->headers.list,
		.tag = TAG_DEAD | (uint64_t) slot,
	};
	SinkStatus status;

	headers_add_dead(&kafka->headers, route_topic_names[target->topic],
					 target->partition, "MSG_SIZE_TOO_LARGE", 1,
					 event->event->json_len);
	record.header_count = kafka->headers.count;
	status = send_record(kafka, &record, err);
	if (status != SINK_OK)
		return status;

	kafka->dead[slot] = (DeadLetter){ .is_under_way = true,
									  .span = event->span,
									  .instead_of = *target };
	kafka->dead_count++;
	metric_add(kafka->metrics->dead_letters, 1);
	log_warn("event too large for its topic",
			 "topic=%s partition=%" PRId32 " value_bytes=%" PRIu32
			 " limit=%" PRId64 " reference=%s",
			 route_topic_names[target->topic], target->partition,
			 event->event->json_len, kafka->limits[target->topic],
			 log_quote(reference));
	return SINK_OK;
}

static SinkStatus
send_target(SinkKafka *kafka, const SinkEvent *event, const Route *route,
			const RouteTarget *target, Error *err)
{
	KafkaRecord record = {
		.topic = (int) target->topic,
		.partition = target->partition,
		.key = route->key,
		.key_len = ROUTE_KEY_LEN,
		.value = event->event->json,
		.value_len = event->event->json_len,
		.headers = kafka->headers.list,
		.header_count = kafka->headers.count,
		.tag = event->span,
	};

	if (kafka_record_size(&record) > (size_t) kafka->limits[target->topic])
		return send_dead(kafka, event, route, target, err);
	return send_record(kafka, &record, err);
}

static SinkStatus
kafka_event(Sink *sink, const SinkEvent *event, Error *err)
{
	SinkKafka *kafka = kafka_of(sink);
	Route route;

	if (!has_room(kafka))
		return SINK_WAIT;
	route_event(event->event, kafka->partitions, &route);
	while (kafka->next_target < route.target_count)
	{
		const RouteTarget *target = &route.targets[kafka->next_target];
		SinkStatus status;

		if (is_barred(kafka, target))
			return SINK_WAIT;

		/* per target: a dead letter adds headers of its own */
		headers_build(&kafka->headers, event->event, event->header->commit_lsn,
					  event->ordinal);
		status = send_target(kafka, event, &route, target, err);
		if (status != SINK_OK)
			return status;
		prefix_window_add(kafka->window, event->span);
		kafka->next_target++;
	}
	kafka->next_target = 0;
	return SINK_OK;
}

static void
kafka_hurry(Sink *sink)
{
	SinkKafka *kafka = kafka_of(sink);

	if (kafka->is_started)
		kafka_producer_hurry(kafka->producer);
}

/*
 * A partition's offsets only grow.  One that begins again was deleted and made
 * again, or lost what was acknowledged; a broker takes our next batch for it
 * without a word.
 */
static bool
note_last(SinkKafka *kafka, const KafkaAck *ack, const Commit *commit)
{
	if (ack->offset < 0)
		return true;
	if (layout_note(&kafka->layout, ack->topic, ack->partition, ack->offset,
					commit->lsn))
		return true;
	kafka->made_again = route_topic_names[ack->topic];
	return false;
}

static bool
on_ack(void *arg, const KafkaAck *ack)
{
	SinkKafka *kafka = arg;
	DeadLetter *dead = NULL;
	PrefixSpan span = ack->tag;
	const Commit *commit;

	if (ack->tag & TAG_DEAD)
	{
		dead = &kafka->dead[ack->tag & ~TAG_DEAD];
		span = dead->span;
	}
	commit = &kafka->commits[span % COMMITS];
	if (!note_last(kafka, ack, commit))
		return false; /* nothing of it is confirmed */
	if (dead != NULL)
	{
		dead->is_under_way = false;
		kafka->dead_count--;
	}
	kafka->base.in_flight_records--;
	kafka->base.in_flight_bytes -=
		ack->key_len + ack->value_len + RECORD_OVERHEAD;
	prefix_window_done(kafka->window, span);
	kafka->acknowledged++;
	metric_observe_us(kafka->metrics->delivery,
					  kafka->now_wall_us - commit->time_us);
	kill_point("after_ack");
	return true;
}

static void
kafka_layout(const Sink *sink, char out[SINK_LAYOUT_SIZE])
{
	const SinkKafka *kafka = (const SinkKafka *) sink;

	if (kafka->is_started)
		layout_format(&kafka->layout, out);
}

static SinkStatus
kafka_turn(Sink *sink, int64_t now_us, Error *err)
{
	SinkKafka *kafka = kafka_of(sink);
	bool is_whole;

	if (!kafka->is_started)
	{
		if (kafka->watch != NULL && topic_watch_has_news(kafka->watch))
			topic_watch_hush(kafka->watch);
		return SINK_OK;
	}
	kafka->now_wall_us = clock_wall_us();
	kafka->acknowledged = 0;
	kill_point("before_ack");
	is_whole = kafka_producer_poll(kafka->producer, on_ack, kafka, err);
	if (kafka->acknowledged > 0)
		metric_add(kafka->metrics->acknowledged, kafka->acknowledged);
	if (is_whole && topic_watch_has_news(kafka->watch) &&
		topic_watch_state(kafka->watch, err) == WATCH_CHANGED)
		is_whole = false;
	if (is_whole)
		return SINK_OK;
	if (kafka->made_again != NULL)
	{
		error_set(err, "topic %s has lost records: it was made again",
				  kafka->made_again);
		sink->stop_name = "TOPIC_RECREATED";
		return SINK_STOP;
	}
	forget(kafka);
	return SINK_RESTART;
}

static int
kafka_wait(Sink *sink, struct pollfd *fds, int64_t *deadline_us)
{
	SinkKafka *kafka = kafka_of(sink);
	int count = 0;

	if (kafka->watch != NULL)
		fds[count++] = (struct pollfd){ .fd = topic_watch_fd(kafka->watch),
										.events = POLLIN };
	else if (!kafka->is_started && kafka->check_after_us > clock_now_us() &&
			 kafka->check_after_us < *deadline_us)
		*deadline_us = kafka->check_after_us; /* then start is called again */
	if (kafka->producer != NULL)
		fds[count++] =
			(struct pollfd){ .fd = kafka_producer_fd(kafka->producer),
							 .events = POLLIN };
	return count;
}

static void
kafka_free(Sink *sink)
{
	SinkKafka *kafka = kafka_of(sink);

	forget(kafka);
	free(kafka);
}

static const SinkOps kafka_ops = {
	.name = "kafka",
	.start = kafka_start,
	.frame_begin = kafka_frame_begin,
	.event = kafka_event,
	.frame_end = kafka_frame_end,
	.hurry = kafka_hurry,
	.layout = kafka_layout,
	.turn = kafka_turn,
	.wait = kafka_wait,
	.free = kafka_free,
};

Sink *
sink_kafka_new(const SinkKafkaConfig *config, const RelayMetrics *metrics)
{
	SinkKafka *kafka = xcalloc(1, sizeof(*kafka));

	kafka->base.ops = &kafka_ops;
	kafka->config = config;
	kafka->metrics = metrics;
	error_set(&kafka->unavailable, "looking at the topics");
	kafka->max_records =
		(size_t) (config->max_in_flight_bytes / RECORD_OVERHEAD);
	return &kafka->base;
}
