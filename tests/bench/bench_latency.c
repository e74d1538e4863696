/*
 * bench_latency - from an acknowledged commit to a record in Kafka
 *
 * In:   CHEMCHAT_PG (a superuser); -B brokers -r rate -t seconds [-c writers]
 *       [-l] (a consumer reads along)
 * Out:  one line: rate reached; commit p50 p99; acknowledged to appended p50
 *       p99 (LogAppendTime, whole ms); acknowledged to consumed p50 p99 (with
 *       -l, else 0); events written, events found in the topic
 *
 * Writers are connections, all served by one thread: what the load costs is
 * taken from what is measured.  Each commit is one event of 256 bytes.  The
 * topic is set to message.timestamp.type=LogAppendTime and read back, behind
 * the run or along with it.  Writers, server and broker share one clock.
 */
#include <errno.h>
#include <libpq-fe.h>
#include <librdkafka/rdkafka.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "event.h"
#include "sample.h"

#define TOPIC       "chat.messages.v1"
#define MAX_EVENTS  2000000
#define MAX_WRITERS 256
#define JSON_BYTES  256
#define KEYS        1000

typedef struct Writer
{
	PGconn *conn;
	bool is_busy;
	long n;
	int64_t sent_us;
} Writer;

static int64_t acked_us[MAX_EVENTS]; /* wall clock */
static int64_t consumed_us[MAX_EVENTS];
static int64_t appended_ms[MAX_EVENTS];
static atomic_bool is_over;
static int64_t rate = 1000;
static double seconds = 10;
static int writers = 32;
static int64_t mark; /* tells this run's events from older ones */
static Sample commits;

static void
die(const char *what, const char *why)
{
	fprintf(stderr, "bench_latency: %s: %s\n", what, why);
	exit(1);
}

/* ---- writing ---- */

/* Event n as it stands in the WAL (event.h); its JSON says run and number. */
static size_t
make_event(long n, uint8_t *out)
{
	static uint64_t ids;
	uint8_t key[16] = { 0, 0, 0, 0, 0, 0, 0x70, 0, 0x80 };
	uint8_t id[16] = { 0, 0, 0, 0, 0, 0, 0x70, 0, 0x80 };
	char json[JSON_BYTES + 1];
	Event event = { .kind = EVENT_MESSAGE,
					.key = key,
					.id = id,
					.ev = (uint64_t) (n / KEYS + 1),
					.seq = (uint64_t) (n / KEYS + 1),
					.rev = 1,
					.time_us = clock_wall_us(),
					.json = json,
					.json_len = JSON_BYTES };
	int len;

	bytes_put_u32(key + 12, (uint32_t) (n % KEYS));
	bytes_put_u32(id + 8, 0x80000000U | (uint32_t) (mark & 0xffffff));
	bytes_put_u32(id + 12, (uint32_t) ids++);
	len = snprintf(json, sizeof(json),
				   "{\"kind\":\"message\",\"run\":%lld,\"n\":%ld,\"body\":\"",
				   (long long) mark, n);
	memset(json + len, 'x', (size_t) (JSON_BYTES - len));
	memcpy(json + JSON_BYTES - 2, "\"}", 3);
	event_write(out, &event);
	return event_size(&event);
}

static void
open_writer(Writer *writer)
{
	const char *conninfo = getenv("CHEMCHAT_PG");
	PGresult *res;

	writer->conn = PQconnectdb(conninfo ? conninfo : "");
	if (PQstatus(writer->conn) != CONNECTION_OK)
		die("connect", PQerrorMessage(writer->conn));
	res = PQprepare(writer->conn, "emit",
					"SELECT pg_logical_emit_message(true, '" EVENT_PREFIX
					"', $1::bytea)",
					1, NULL);
	if (PQresultStatus(res) != PGRES_COMMAND_OK)
		die("prepare", PQerrorMessage(writer->conn));
	PQclear(res);
}

static void
begin_event(Writer *writer, long n)
{
	uint8_t event[EVENT_HEADER_SIZE + JSON_BYTES];
	const char *value = (const char *) event;
	int len = (int) make_event(n, event);
	int format = 1;

	writer->n = n;
	writer->is_busy = true;
	writer->sent_us = clock_now_us();
	if (PQsendQueryPrepared(writer->conn, "emit", 1, &value, &len, &format,
							1) == 0 ||
		PQflush(writer->conn) != 0)
		die("emit", PQerrorMessage(writer->conn));
}

/* Something arrived; true when the commit is acknowledged. */
static bool
end_event(Writer *writer)
{
	PGresult *res;

	if (PQconsumeInput(writer->conn) == 0)
		die("emit", PQerrorMessage(writer->conn));
	while (!PQisBusy(writer->conn))
	{
		res = PQgetResult(writer->conn);
		if (res == NULL)
		{
			acked_us[writer->n] = clock_wall_us();
			sample_add(&commits, clock_now_us() - writer->sent_us);
			writer->is_busy = false;
			return true;
		}
		if (PQresultStatus(res) != PGRES_TUPLES_OK)
			die("emit", PQerrorMessage(writer->conn));
		PQclear(res);
	}
	return false;
}

static Writer *
idle_writer(Writer *all)
{
	static int turn;

	for (int i = 0; i < writers; i++)
	{
		Writer *writer = &all[(turn + i) % writers];

		if (!writer->is_busy)
		{
			turn = (turn + i + 1) % writers;
			return writer;
		}
	}
	return NULL;
}

static void
wait_writers(Writer *all, int64_t until_us)
{
	struct pollfd fds[MAX_WRITERS];
	Writer *of[MAX_WRITERS];
	nfds_t count = 0;
	int64_t wait_us = until_us - clock_now_us();
	struct timespec wait = { 0 };

	if (wait_us > 0)
		wait = (struct timespec){ .tv_sec = wait_us / 1000000,
								  .tv_nsec = wait_us % 1000000 * 1000 };
	for (int i = 0; i < writers; i++)
		if (all[i].is_busy)
		{
			of[count] = &all[i];
			fds[count++] = (struct pollfd){ .fd = PQsocket(all[i].conn),
											.events = POLLIN };
		}
	if (ppoll(fds, count, &wait, NULL) < 0 && errno != EINTR)
		die("poll", strerror(errno));
	for (nfds_t i = 0; i < count; i++)
		if (fds[i].revents != 0)
			end_event(of[i]);
}

/* Returns how many events were committed. */
static long
write_events(Writer *all)
{
	int64_t started = clock_now_us();
	int64_t ends = started + (int64_t) (seconds * 1e6);
	long n = 0;
	bool is_under_way = true;

	while (is_under_way)
	{
		int64_t now = clock_now_us();
		int64_t due = started + n * 1000000 / rate;
		Writer *writer = NULL;

		if (due <= now && due < ends && n < MAX_EVENTS)
			writer = idle_writer(all);
		if (writer != NULL)
		{
			begin_event(writer, n++);
			continue;
		}
		wait_writers(all, due <= now ? now + 1000000 : due);
		is_under_way = due < ends && n < MAX_EVENTS;
		for (int i = 0; i < writers; i++)
			is_under_way = is_under_way || all[i].is_busy;
	}
	return n;
}

/* ---- reading back ---- */

static bool
take(const rd_kafka_message_t *message)
{
	char want[48];
	const char *at;
	rd_kafka_timestamp_type_t type;
	long n;

	snprintf(want, sizeof(want), "\"run\":%lld,\"n\":", (long long) mark);
	at = memmem(message->payload, message->len, want, strlen(want));
	if (!at)
		return false;
	n = strtol(at + strlen(want), NULL, 10);
	if (n < 0 || n >= MAX_EVENTS || consumed_us[n] != 0)
		return false;
	consumed_us[n] = clock_wall_us();
	appended_ms[n] = rd_kafka_message_timestamp(message, &type);
	return true;
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

/* *list is every partition from its end on. */
static rd_kafka_t *
open_consumer(const char *brokers, rd_kafka_topic_partition_list_t **list)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
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
	*list = rd_kafka_topic_partition_list_new(16);
	for (int i = 0; i < meta->topics[0].partition_cnt; i++)
	{
		int64_t low;
		int64_t high;

		if (rd_kafka_query_watermark_offsets(kafka, TOPIC, i, &low, &high,
											 10000) != 0)
			die(TOPIC, "no offsets");
		rd_kafka_topic_partition_list_add(*list, TOPIC, i)->offset = high;
	}
	rd_kafka_metadata_destroy(meta);
	rd_kafka_topic_destroy(topic);
	return kafka;
}

/* One record; true when it is one of this run's, for the first time. */
static bool
consume_one(rd_kafka_queue_t *queue)
{
	/* one at a time: a batch would wait until it is full */
	rd_kafka_message_t *message = rd_kafka_consume_queue(queue, 100);
	bool is_new;

	if (!message)
		return false;
	is_new = !message->err && take(message);
	rd_kafka_message_destroy(message);
	return is_new;
}

static void *
consume(void *arg)
{
	rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(arg);

	while (!atomic_load(&is_over))
		(void) consume_one(queue);
	rd_kafka_queue_destroy(queue);
	return NULL;
}

static void
read_back(rd_kafka_t *kafka, long written)
{
	rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(kafka);
	int64_t until = clock_now_us() + 20 * 1000000;
	long seen = 0;

	for (long n = 0; n < written; n++)
		seen += consumed_us[n] != 0;
	while (seen < written && clock_now_us() < until)
		seen += consume_one(queue) ? 1 : 0;
	rd_kafka_queue_destroy(queue);
}

static void
report(long written, bool is_along)
{
	Sample append = { 0 };
	Sample consumed = { 0 };

	for (long n = 0; n < written; n++)
		if (consumed_us[n] != 0)
		{
			int64_t appended = appended_ms[n] * 1000 - acked_us[n];
			int64_t took = is_along ? consumed_us[n] - acked_us[n] : 0;

			sample_add(&append, appended > 0 ? appended : 0);
			sample_add(&consumed, took > 0 ? took : 0);
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
	static Writer all[MAX_WRITERS];
	rd_kafka_topic_partition_list_t *list;
	pthread_t consumer;
	rd_kafka_t *kafka;
	bool is_along = false;
	long written;
	int opt;

	while ((opt = getopt(argc, argv, "B:r:t:c:l")) != -1)
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
			case 'l':
				is_along = true;
				break;
			default:
				return 2;
		}
	if (!brokers || rate < 1 || writers < 1 || writers > MAX_WRITERS)
		return 2;
	mark = clock_wall_us();
	/* a wait ends when it is over, not 50 us later */
	(void) prctl(PR_SET_TIMERSLACK, 1000);
	ask_for_append_time(brokers);
	kafka = open_consumer(brokers, &list);
	if (is_along && (rd_kafka_assign(kafka, list) != 0 ||
					 pthread_create(&consumer, NULL, consume, kafka) != 0))
		die(TOPIC, "could not read along");
	for (int i = 0; i < writers; i++)
		open_writer(&all[i]);
	sleep(1);
	written = write_events(all);
	if (is_along)
	{
		usleep(500000);
		atomic_store(&is_over, true);
		pthread_join(consumer, NULL);
	}
	else if (rd_kafka_assign(kafka, list) != 0)
		die(TOPIC, "could not assign");
	read_back(kafka, written);
	rd_kafka_topic_partition_list_destroy(list);
	report(written, is_along);
	return 0;
}
