/*
 * bench_drain - how fast a backlog leaves, and what each process pays
 *
 * In:   -n events -p name=pid ... and either
 *         -B brokers -T topic [-o base]     progress = records in the topic
 *       or
 *         -a application -s lsn -e lsn      progress = what that walsender sent
 *       -n 0 with -T prints the number of records in the topic and ends; with
 *       -C as well it makes that topic, 12 partitions, first.
 *       -W records writes so many into the topic, idempotent, keyed and with
 *       headers, in small and large batches: a broker that runs compiled code
 *       is what all are measured on.
 * Out:  one line: events a second between 10 % and 90 % of the backlog, then
 *       for each process name=CPU microseconds an event/peak RSS in MB
 *
 * CHEMCHAT_PG is the server for -a.
 */
#include <libpq-fe.h>
#include <librdkafka/rdkafka.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "process.h"
#include "xalloc.h"

#define MAX_PROCESSES 8
#define LOOK_EVERY_US 20000

typedef struct Process
{
	const char *name;
	int pid;
	int64_t cpu_us;
} Process;

typedef struct Drain
{
	int64_t total;
	int64_t base;
	const char *brokers;
	const char *topic;
	const char *application;
	const char *start_lsn;
	const char *end_lsn;
	rd_kafka_t *kafka;
	int partitions;
	PGconn *pg;
	Process process[MAX_PROCESSES];
	int processes;
} Drain;

static void
die(const char *what, const char *why)
{
	fprintf(stderr, "bench_drain: %s: %s\n", what, why);
	exit(1);
}

static void
open_topic(Drain *drain)
{
	char why[256];
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	const rd_kafka_metadata_t *meta;
	rd_kafka_topic_t *topic;

	if (rd_kafka_conf_set(conf, "bootstrap.servers", drain->brokers, why,
						  sizeof(why)) != RD_KAFKA_CONF_OK)
		die("brokers", why);
	drain->kafka = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
	if (!drain->kafka)
		die("consumer", why);
	topic = rd_kafka_topic_new(drain->kafka, drain->topic, NULL);
	if (rd_kafka_metadata(drain->kafka, 0, topic, &meta, 10000) != 0 ||
		meta->topic_cnt != 1)
		die(drain->topic, "no metadata");
	drain->partitions = meta->topics[0].partition_cnt;
	rd_kafka_metadata_destroy(meta);
	rd_kafka_topic_destroy(topic);
}

static void
make_topic(Drain *drain)
{
	char why[256];
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_t *kafka;
	rd_kafka_queue_t *queue;
	rd_kafka_NewTopic_t *topic;
	rd_kafka_event_t *event;

	if (rd_kafka_conf_set(conf, "bootstrap.servers", drain->brokers, why,
						  sizeof(why)) != RD_KAFKA_CONF_OK)
		die("brokers", why);
	kafka = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	if (!kafka)
		die("admin", why);
	queue = rd_kafka_queue_new(kafka);
	topic = rd_kafka_NewTopic_new(drain->topic, 12, 1, why, sizeof(why));
	rd_kafka_CreateTopics(kafka, &topic, 1, NULL, queue);
	event = rd_kafka_queue_poll(queue, 30000);
	if (!event || rd_kafka_event_error(event))
		die("create topic",
			event ? rd_kafka_event_error_string(event) : "no answer");
	rd_kafka_event_destroy(event);
	rd_kafka_NewTopic_destroy(topic);
	rd_kafka_queue_destroy(queue);
	rd_kafka_destroy(kafka);
}

static void
set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
	char why[256];

	if (rd_kafka_conf_set(conf, name, value, why, sizeof(why)) !=
		RD_KAFKA_CONF_OK)
		die(name, why);
}

static void
warm_part(const Drain *drain, int64_t records, const char *linger_ms)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_t *kafka;
	char why[256];
	char value[256];

	set(conf, "bootstrap.servers", drain->brokers);
	set(conf, "enable.idempotence", "true");
	set(conf, "linger.ms", linger_ms);
	set(conf, "queue.buffering.max.messages", "20000");
	kafka = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	if (!kafka)
		die("producer", why);
	memset(value, 'x', sizeof(value));
	for (int64_t n = 0; n < records; n++)
	{
		rd_kafka_headers_t *headers = rd_kafka_headers_new(12);
		char key[40];
		int len = snprintf(key, sizeof(key), "%036lld", (long long) n % 1000);
		rd_kafka_resp_err_t code;

		for (int h = 0; h < 12; h++)
			rd_kafka_header_add(headers, "ce_extension", 12, key, 20);
		while (
			(code = rd_kafka_producev(kafka, RD_KAFKA_V_TOPIC(drain->topic),
									  RD_KAFKA_V_PARTITION((int32_t) (n % 12)),
									  RD_KAFKA_V_KEY(key, (size_t) len),
									  RD_KAFKA_V_VALUE(value, sizeof(value)),
									  RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
									  RD_KAFKA_V_HEADERS(headers),
									  RD_KAFKA_V_END)) ==
			RD_KAFKA_RESP_ERR__QUEUE_FULL)
			rd_kafka_poll(kafka, 10);
		if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
			die("produce", rd_kafka_err2str(code));
	}
	if (rd_kafka_flush(kafka, 60000) != RD_KAFKA_RESP_ERR_NO_ERROR)
		die("produce", "not acknowledged in a minute");
	rd_kafka_destroy(kafka);
}

static void
warm(const Drain *drain, int64_t records)
{
	warm_part(drain, records / 10, "0");
	warm_part(drain, records - records / 10, "5");
}

/*
 * The records of a topic, by one request for all its partitions: a broker that
 * is asked for each by itself, a hundred times a second, is kept from its work.
 */
static int64_t
topic_count(Drain *drain)
{
	rd_kafka_topic_partition_list_t *ends =
		rd_kafka_topic_partition_list_new(drain->partitions);
	int64_t count = 0;

	for (int i = 0; i < drain->partitions; i++)
		rd_kafka_topic_partition_list_add(ends, drain->topic, i)->offset =
			RD_KAFKA_OFFSET_END;
	if (rd_kafka_offsets_for_times(drain->kafka, ends, 10000) ==
		RD_KAFKA_RESP_ERR_NO_ERROR)
		for (int i = 0; i < ends->cnt; i++)
			if (ends->elems[i].err == RD_KAFKA_RESP_ERR_NO_ERROR &&
				ends->elems[i].offset > 0)
				count += ends->elems[i].offset;
	rd_kafka_topic_partition_list_destroy(ends);
	return count;
}

/* Events done so far. */
static int64_t
progress(Drain *drain)
{
	const char *values[3];
	PGresult *res;
	double fraction = 0;

	if (drain->topic)
		return topic_count(drain) - drain->base;
	values[0] = drain->application;
	values[1] = drain->start_lsn;
	values[2] = drain->end_lsn;
	res = PQexecParams(drain->pg,
					   "SELECT coalesce(max((sent_lsn - $2::pg_lsn) / "
					   "($3::pg_lsn - $2::pg_lsn)), 0) FROM "
					   "pg_stat_replication WHERE application_name = $1",
					   3, NULL, values, NULL, NULL, 0);
	if (PQresultStatus(res) != PGRES_TUPLES_OK)
		die("pg_stat_replication", PQerrorMessage(drain->pg));
	fraction = strtod(PQgetvalue(res, 0, 0), NULL);
	PQclear(res);
	return (int64_t) (fraction * (double) drain->total);
}

static double
process_peak_mb(int pid)
{
	char path[64];
	char line[256];
	FILE *file;
	long kb = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "r");
	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		if (strncmp(line, "VmHWM:", 6) == 0)
			kb = strtol(line + 6, NULL, 10);
	fclose(file);
	return (double) kb / 1024;
}

static int64_t
wait_for(Drain *drain, int64_t events)
{
	int64_t deadline = clock_now_us() + INT64_C(180000000);
	int64_t done;

	while ((done = progress(drain)) < events)
	{
		if (clock_now_us() > deadline)
			die("progress", "stood still for three minutes");
		for (int i = 0; i < drain->processes; i++)
			if (kill(drain->process[i].pid, 0) != 0 && errno == ESRCH)
				die(drain->process[i].name, "has ended");
		usleep(LOOK_EVERY_US);
	}
	return done;
}

static void
add_process(Drain *drain, char *text)
{
	char *eq = strchr(text, '=');

	if (!eq || drain->processes == MAX_PROCESSES)
		die("-p", "takes name=pid");
	*eq = '\0';
	drain->process[drain->processes].name = text;
	drain->process[drain->processes++].pid = (int) strtol(eq + 1, NULL, 10);
}

int
main(int argc, char **argv)
{
	Drain drain = { 0 };
	int64_t from;
	int64_t events;
	int64_t start;
	double seconds;
	bool makes_topic = false;
	int64_t warms = 0;
	int opt;

	while ((opt = getopt(argc, argv, "n:p:B:T:o:a:s:e:CW:")) != -1)
		switch (opt)
		{
			case 'n':
				drain.total = strtoll(optarg, NULL, 10);
				break;
			case 'p':
				add_process(&drain, optarg);
				break;
			case 'B':
				drain.brokers = optarg;
				break;
			case 'T':
				drain.topic = optarg;
				break;
			case 'o':
				drain.base = strtoll(optarg, NULL, 10);
				break;
			case 'a':
				drain.application = optarg;
				break;
			case 's':
				drain.start_lsn = optarg;
				break;
			case 'e':
				drain.end_lsn = optarg;
				break;
			case 'C':
				makes_topic = true;
				break;
			case 'W':
				warms = strtoll(optarg, NULL, 10);
				break;
			default:
				return 2;
		}
	if (makes_topic)
		make_topic(&drain);
	if (warms > 0)
	{
		warm(&drain, warms);
		return 0;
	}
	if (drain.topic)
		open_topic(&drain);
	else
	{
		const char *conninfo = getenv("CHEMCHAT_PG");

		drain.pg = PQconnectdb(conninfo ? conninfo : "");
		if (PQstatus(drain.pg) != CONNECTION_OK)
			die("connect", PQerrorMessage(drain.pg));
	}
	if (drain.total == 0)
	{
		printf("%lld\n", (long long) topic_count(&drain));
		return 0;
	}

	from = wait_for(&drain, drain.total / 10);
	start = clock_now_us();
	for (int i = 0; i < drain.processes; i++)
		drain.process[i].cpu_us = process_cpu_us(drain.process[i].pid);
	events = wait_for(&drain, drain.total * 9 / 10) - from;
	seconds = (double) (clock_now_us() - start) / 1e6;

	printf("%.0f", (double) events / seconds);
	for (int i = 0; i < drain.processes; i++)
	{
		Process *p = &drain.process[i];

		printf(" %s=%.2f/%.0f", p->name,
			   (double) (process_cpu_us(p->pid) - p->cpu_us) / (double) events,
			   process_peak_mb(p->pid));
	}
	printf("\n");
	return 0;
}
