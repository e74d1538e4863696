/*
 * bench_latency - from an acknowledged commit to a record in Kafka
 *
 * In:   CHEMCHAT_PG (a superuser); -B brokers -r rate -t seconds [-c writers]
 * Out:  one line: rate reached; commit p50 p99; acknowledged to appended p50
 *       p99 (LogAppendTime, whole ms); acknowledged to consumed p50 p99;
 *       events written, events seen
 *
 * Writers share the rate; each commit is one event of 256 bytes.  The
 * topic is set to message.timestamp.type=LogAppendTime.  Writers, consumer, server
 * and broker share one clock.
 */
#include <libpq-fe.h>
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "sample.h"

#define TOPIC      "chat.messages.v1"
#define MAX_EVENTS 2000000

static _Atomic int64_t acked_us[MAX_EVENTS]; /* wall clock; 0 = not yet */
static int64_t consumed_us[MAX_EVENTS];
static int64_t appended_ms[MAX_EVENTS];
static atomic_long next_event;
static atomic_bool is_over;
static int64_t rate = 1000;
static double seconds = 10;
static int writers = 32;
static int64_t started;
static int64_t mark; /* tells this run's events from older ones */
static Sample commits;
static pthread_mutex_t commits_lock = PTHREAD_MUTEX_INITIALIZER;

static void
die(const char *what, const char *why)
{
	fprintf(stderr, "bench_latency: %s: %s\n", what, why);
	exit(1);
}

static void *
write_events(void *arg)
{
	const char *conninfo = getenv("CHEMCHAT_PG");
	PGconn *conn = PQconnectdb(conninfo ? conninfo : "");
	Sample own = { 0 };

	if (PQstatus(conn) != CONNECTION_OK)
		die("connect", PQerrorMessage(conn));
	for (;;)
	{
		long n = atomic_fetch_add(&next_event, 1);
		int64_t due = started + n * 1000000 / rate;
		int64_t now = clock_now_us();
		char number[32];
		char run[32];
		const char *values[2] = { number, run };
		PGresult *res;

		if (n >= MAX_EVENTS || due - started > (int64_t) (seconds * 1e6))
			break;
		if (due > now)
			usleep((useconds_t) (due - now));
		now = clock_now_us();
		snprintf(number, sizeof(number), "%ld", n);
		snprintf(run, sizeof(run), "%lld", (long long) mark);
		res = PQexecParams(conn, "SELECT bench.emit($1, $2)", 2, NULL, values,
						   NULL, NULL, 0);
		if (PQresultStatus(res) != PGRES_TUPLES_OK)
			die("emit", PQerrorMessage(conn));
		atomic_store(&acked_us[n], clock_wall_us());
		PQclear(res);
		sample_add(&own, clock_now_us() - now);
	}
	pthread_mutex_lock(&commits_lock);
	for (size_t i = 0; i < own.count; i++)
		sample_add(&commits, own.us[i]);
	pthread_mutex_unlock(&commits_lock);
	PQfinish(conn);
	return NULL;
}

static void
take(const rd_kafka_message_t *message)
{
	char want[48];
	const char *at;
	rd_kafka_timestamp_type_t type;
	long n;

	snprintf(want, sizeof(want), "\"run\":%lld,\"n\":", (long long) mark);
	at = memmem(message->payload, message->len, want, strlen(want));
	if (!at)
		return;
	n = strtol(at + strlen(want), NULL, 10);
	if (n < 0 || n >= MAX_EVENTS || consumed_us[n] != 0)
		return;
	consumed_us[n] = clock_wall_us();
	appended_ms[n] = rd_kafka_message_timestamp(message, &type);
}

static void
set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
	char why[256];

	if (rd_kafka_conf_set(conf, name, value, why, sizeof(why)) !=
		RD_KAFKA_CONF_OK)
		die(name, why);
}

/* The broker's clock in every record, from now on. */
static void
ask_for_append_time(const char *brokers)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_ConfigResource_t *resource =
		rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, TOPIC);
	rd_kafka_t *kafka;
	rd_kafka_queue_t *queue;
	rd_kafka_event_t *event;
	char why[256];

	set(conf, "bootstrap.servers", brokers);
	kafka = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	if (!kafka)
		die("admin", why);
	queue = rd_kafka_queue_new(kafka);
	rd_kafka_ConfigResource_set_config(resource, "message.timestamp.type",
									   "LogAppendTime");
	rd_kafka_ConfigResource_set_config(resource, "retention.ms", "-1");
	rd_kafka_AlterConfigs(kafka, &resource, 1, NULL, queue);
	event = rd_kafka_queue_poll(queue, 30000);
	if (!event || rd_kafka_event_error(event))
		die("alter topic",
			event ? rd_kafka_event_error_string(event) : "no answer");
	rd_kafka_event_destroy(event);
	rd_kafka_ConfigResource_destroy(resource);
	rd_kafka_queue_destroy(queue);
	rd_kafka_destroy(kafka);
}

static rd_kafka_t *
open_consumer(const char *brokers)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_topic_partition_list_t *list;
	const rd_kafka_metadata_t *meta;
	rd_kafka_topic_t *topic;
	rd_kafka_t *kafka;
	char why[256];

	set(conf, "bootstrap.servers", brokers);
	set(conf, "group.id", "bench");
	set(conf, "enable.auto.commit", "false");
	set(conf, "fetch.wait.max.ms", "100");
	kafka = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
	if (!kafka)
		die("consumer", why);
	topic = rd_kafka_topic_new(kafka, TOPIC, NULL);
	if (rd_kafka_metadata(kafka, 0, topic, &meta, 10000) != 0)
		die(TOPIC, "no metadata");
	list = rd_kafka_topic_partition_list_new(16);
	for (int i = 0; i < meta->topics[0].partition_cnt; i++)
	{
		int64_t low;
		int64_t high;

		if (rd_kafka_query_watermark_offsets(kafka, TOPIC, i, &low, &high,
											 10000) != 0)
			die(TOPIC, "no offsets");
		rd_kafka_topic_partition_list_add(list, TOPIC, i)->offset = high;
	}
	if (rd_kafka_assign(kafka, list) != 0)
		die(TOPIC, "could not assign");
	rd_kafka_topic_partition_list_destroy(list);
	rd_kafka_metadata_destroy(meta);
	rd_kafka_topic_destroy(topic);
	return kafka;
}

static void *
consume(void *arg)
{
	rd_kafka_t *kafka = arg;
	rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(kafka);

	while (!atomic_load(&is_over))
	{
		/* one at a time: a batch would wait until it is full */
		rd_kafka_message_t *message = rd_kafka_consume_queue(queue, 100);

		if (!message)
			continue;
		if (!message->err)
			take(message);
		rd_kafka_message_destroy(message);
	}
	rd_kafka_queue_destroy(queue);
	return NULL;
}

static void
report(long written)
{
	Sample append = { 0 };
	Sample consumed = { 0 };

	for (long n = 0; n < written; n++)
		if (consumed_us[n] != 0)
		{
			int64_t acked = atomic_load(&acked_us[n]);
			int64_t appended = appended_ms[n] * 1000 - acked;

			sample_add(&append, appended > 0 ? appended : 0);
			sample_add(&consumed,
					   consumed_us[n] > acked ? consumed_us[n] - acked : 0);
		}
	sample_sort(&commits);
	sample_sort(&append);
	sample_sort(&consumed);
	printf("%.0f %.2f %.2f %.2f %.2f %.2f %.2f %ld %zu\n",
		   (double) written / seconds, sample_quantile_ms(&commits, 0.5),
		   sample_quantile_ms(&commits, 0.99), sample_quantile_ms(&append, 0.5),
		   sample_quantile_ms(&append, 0.99),
		   sample_quantile_ms(&consumed, 0.5),
		   sample_quantile_ms(&consumed, 0.99), written, consumed.count);
}

int
main(int argc, char **argv)
{
	const char *brokers = NULL;
	pthread_t thread[256];
	pthread_t consumer;
	rd_kafka_t *kafka;
	long written = 0;
	int opt;

	while ((opt = getopt(argc, argv, "B:r:t:c:")) != -1)
		switch (opt)
		{
			case 'B':
				brokers = optarg;
				break;
			case 'r':
				rate = strtoll(optarg, NULL, 10);
				break;
			case 't':
				seconds = strtod(optarg, NULL);
				break;
			case 'c':
				writers = (int) strtol(optarg, NULL, 10);
				break;
			default:
				return 2;
		}
	if (!brokers || rate < 1 || writers < 1 || writers > 256)
		return 2;
	mark = clock_wall_us();
	ask_for_append_time(brokers);
	kafka = open_consumer(brokers);
	pthread_create(&consumer, NULL, consume, kafka);
	sleep(1);
	started = clock_now_us() + 200000;
	for (int i = 0; i < writers; i++)
		pthread_create(&thread[i], NULL, write_events, NULL);
	for (int i = 0; i < writers; i++)
		pthread_join(thread[i], NULL);
	for (long n = 0; n < MAX_EVENTS && atomic_load(&acked_us[n]) != 0; n++)
		written++;
	for (int i = 0; i < 100; i++)
	{
		long seen = 0;

		for (long n = 0; n < written; n++)
			seen += consumed_us[n] != 0;
		if (seen == written)
			break;
		usleep(100000);
	}
	atomic_store(&is_over, true);
	pthread_join(consumer, NULL);
	report(written);
	return 0;
}
