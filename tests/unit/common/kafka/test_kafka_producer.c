/* uses: common/kafka common/wire common/base */
/*
 * On librdkafka's mock cluster, which a setting makes inside the client; real
 * brokers are in tests/tap.
 */
#include "kafka_producer.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "log.h"

static char path[] = "/tmp/chemchat-mock.XXXXXX";
static const char *const topics[] = { "one", "two" };

typedef struct Acks
{
	uint64_t tags[5000];
	int count;
	size_t key_bytes;
	size_t value_bytes;
} Acks;

static bool
on_ack(void *arg, const KafkaAck *ack)
{
	Acks *acks = arg;

	assert_in_range(acks->count, 0, 4999);
	assert_int_equal(ack->topic, ack->tag % 2);
	acks->tags[acks->count++] = ack->tag;
	acks->key_bytes += ack->key_len;
	acks->value_bytes += ack->value_len;
	return true;
}

static KafkaProducer *
open_producer(int64_t max_records, int64_t max_record_bytes)
{
	KafkaProducerConfig config = {
		.kafka = { .brokers = "127.0.0.1:1",
				   .properties_file = path,
				   .client_id = "test" },
		.linger_us = 500,
		.max_batch_bytes = 100000,
		.max_record_bytes = max_record_bytes,
		.max_records = max_records,
		.max_bytes = 10000000,
		.topics = topics,
		.topic_count = 2,
	};
	Error err;
	KafkaProducer *producer = kafka_producer_open(&config, &err);

	assert_non_null(producer);
	return producer;
}

static KafkaSend
send_one(KafkaProducer *producer, uint64_t tag, int32_t partition,
		 const char *value)
{
	KafkaHeader headers[] = { { "ce_id", 5, 1, "7" } };
	KafkaRecord record = { .topic = (int) (tag % 2),
						   .partition = partition,
						   .key = "key",
						   .key_len = 3,
						   .value = value,
						   .value_len = strlen(value),
						   .headers = headers,
						   .header_count = 1,
						   .tag = tag };
	Error err;

	return kafka_producer_send(producer, &record, &err);
}

/* Waits on the descriptor, as the relay's loop does. */
static void
await_acks(KafkaProducer *producer, Acks *acks, int count)
{
	struct pollfd fd = { .fd = kafka_producer_fd(producer), .events = POLLIN };
	int64_t deadline = clock_now_us() + 20000000;
	Error err;

	while (acks->count < count)
	{
		assert_true(clock_now_us() < deadline);
		assert_in_range(poll(&fd, 1, 10000), 0, 1);
		assert_true(kafka_producer_poll(producer, on_ack, acks, &err));
	}
}

static void
every_record_is_acknowledged_by_its_tag(void **state)
{
	KafkaProducer *producer = open_producer(10000, 100000);
	Acks *acks = calloc(1, sizeof(*acks));
	uint64_t last[2][4] = { { 0 } };

	for (uint64_t tag = 1; tag <= 4000; tag++)
		assert_int_equal(send_one(producer, tag | UINT64_C(1) << 63,
								  (int32_t) (tag % 4), "value"),
						 KAFKA_SENT);
	await_acks(producer, acks, 4000);
	assert_int_equal(acks->count, 4000);
	assert_int_equal(acks->key_bytes, 4000 * 3);
	assert_int_equal(acks->value_bytes, 4000 * 5);
	for (int i = 0; i < acks->count; i++)
	{
		/* of one partition in the order they were sent */
		uint64_t tag = acks->tags[i] & ~(UINT64_C(1) << 63);
		uint64_t *before = &last[tag % 2][tag % 4];

		assert_true(tag > *before);
		*before = tag;
	}
	free(acks);
	kafka_producer_close(&producer);
	assert_null(producer);
}

static void
a_full_producer_says_so_and_takes_more_later(void **state)
{
	KafkaProducer *producer = open_producer(100, 100000);
	Acks *acks = calloc(1, sizeof(*acks));
	uint64_t sent = 0;

	while (send_one(producer, sent, 0, "value") == KAFKA_SENT)
		sent++;
	assert_int_equal(sent, 100);
	assert_int_equal(send_one(producer, sent, 0, "value"), KAFKA_FULL);
	await_acks(producer, acks, 100);
	assert_int_equal(send_one(producer, sent, 0, "value"), KAFKA_SENT);
	await_acks(producer, acks, 101);
	free(acks);
	kafka_producer_close(&producer);
}

static void
a_record_above_the_limit_is_refused_alone(void **state)
{
	KafkaProducer *producer = open_producer(100, 2000);
	Acks *acks = calloc(1, sizeof(*acks));
	char large[3000];

	memset(large, 'x', sizeof(large) - 1);
	large[sizeof(large) - 1] = '\0';
	assert_int_equal(send_one(producer, 1, 0, "value"), KAFKA_SENT);
	assert_int_equal(send_one(producer, 2, 0, large), KAFKA_TOO_LARGE);
	assert_int_equal(send_one(producer, 3, 0, "value"), KAFKA_SENT);
	await_acks(producer, acks, 2);
	assert_int_equal(acks->tags[0] + acks->tags[1], 4);
	free(acks);
	kafka_producer_close(&producer);
}

static void
closing_gives_up_what_is_in_flight(void **state)
{
	KafkaProducer *producer = open_producer(10000, 100000);
	int64_t began = clock_now_us();

	for (uint64_t tag = 0; tag < 1000; tag++)
		assert_int_equal(send_one(producer, tag, 0, "value"), KAFKA_SENT);
	kafka_producer_close(&producer);
	assert_true(clock_now_us() - began < 5000000);
}

static void
sizes_are_never_underestimated(void **state)
{
	KafkaHeader headers[] = { { "ce_id", 5, 10, "0123456789" } };
	KafkaRecord record = {
		.key_len = 36, .value_len = 1000, .headers = headers, .header_count = 1
	};

	/* 61 of the batch, at least 9 of the record, 2 of the header */
	assert_in_range(kafka_record_size(&record), 61 + 9 + 36 + 1000 + 2 + 15,
					61 + 9 + 36 + 1000 + 2 + 15 + 64);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_record_is_acknowledged_by_its_tag),
		cmocka_unit_test(a_full_producer_says_so_and_takes_more_later),
		cmocka_unit_test(a_record_above_the_limit_is_refused_alone),
		cmocka_unit_test(closing_gives_up_what_is_in_flight),
		cmocka_unit_test(sizes_are_never_underestimated),
	};
	static const char setting[] = "test.mock.num.brokers=2\n";
	int fd = mkstemp(path);
	int failed;

	if (fd < 0 || write(fd, setting, sizeof(setting) - 1) < 0)
		return 1;
	close(fd);
	log_init("test", LOG_ERROR, LOG_LOGFMT);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return failed;
}
