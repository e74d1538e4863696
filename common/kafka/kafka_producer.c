#include "kafka_producer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/eventfd.h>

#include "kafka_conf_internal.h"
#include "log.h"
#include "xalloc.h"

struct KafkaProducer
{
	rd_kafka_t *client;
	rd_kafka_queue_t *events;
	rd_kafka_topic_t *topics[KAFKA_MAX_TOPICS];
	int topic_count;
	int wake_fd; /* librdkafka writes here when `events` stops being empty */
	bool is_broken;
	bool is_refused; /* on_ack takes no more */
	Error why;

	/* the thread that flushes, see run_hurry */
	pthread_t hurry_thread;
	bool has_hurry_thread;
	atomic_bool is_hurrying;
	pthread_mutex_t hurry_lock;
	pthread_cond_t hurry_wake;
	bool is_hurry_wanted;
	bool is_closing;
};

/* One flush: at most so long, so that closing does not wait for it. */
#define FLUSH_MS 20

/*
 * librdkafka disregards the linger for as long as somebody waits in
 * rd_kafka_flush.  That wait ends when everything is acknowledged, and must be
 * in another thread than the one that takes the acknowledgements.
 */
static void *
run_hurry(void *arg)
{
	KafkaProducer *producer = arg;

	pthread_mutex_lock(&producer->hurry_lock);
	for (;;)
	{
		while (!producer->is_hurry_wanted && !producer->is_closing)
			pthread_cond_wait(&producer->hurry_wake, &producer->hurry_lock);
		if (producer->is_closing)
			break;
		producer->is_hurry_wanted = false;
		pthread_mutex_unlock(&producer->hurry_lock);
		(void) rd_kafka_flush(producer->client, FLUSH_MS);
		pthread_mutex_lock(&producer->hurry_lock);
		if (!producer->is_hurry_wanted)
			atomic_store(&producer->is_hurrying, false);
	}
	pthread_mutex_unlock(&producer->hurry_lock);
	return NULL;
}

void
kafka_producer_hurry(KafkaProducer *producer)
{
	pthread_mutex_lock(&producer->hurry_lock);
	producer->is_hurry_wanted = true;
	if (!atomic_exchange(&producer->is_hurrying, true))
		pthread_cond_signal(&producer->hurry_wake);
	pthread_mutex_unlock(&producer->hurry_lock);
}

static bool
configure(rd_kafka_conf_t *conf, const KafkaProducerConfig *config, Error *err)
{
	char linger[32];

	snprintf(linger, sizeof(linger), "%.3f",
			 (double) config->linger_us / 1000.0);
	return kafka_conf_set(conf, "enable.idempotence", "true", err) &&
		   kafka_conf_set(conf, "acks", "all", err) &&
		   kafka_conf_set(conf, "enable.gapless.guarantee", "true", err) &&
		   kafka_conf_set(conf, "message.timeout.ms", "0", err) &&
		   kafka_conf_set(conf, "linger.ms", linger, err) &&
		   kafka_conf_set(conf, "topic.metadata.propagation.max.ms", "5000",
						  err) &&
		   kafka_conf_set_int(conf, "batch.size", config->max_batch_bytes,
							  err) &&
		   kafka_conf_set_int(conf, "message.max.bytes",
							  config->max_record_bytes, err) &&
		   kafka_conf_set_int(conf, "queue.buffering.max.messages",
							  config->max_records, err) &&
		   kafka_conf_set_int(conf, "queue.buffering.max.kbytes",
							  config->max_bytes / 1024 + 1, err);
}

KafkaProducer *
kafka_producer_open(const KafkaProducerConfig *config, Error *err)
{
	KafkaProducer *producer = xcalloc(1, sizeof(*producer));
	rd_kafka_conf_t *conf = NULL;
	char why[256];

	pthread_mutex_init(&producer->hurry_lock, NULL);
	pthread_cond_init(&producer->hurry_wake, NULL);
	producer->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (producer->wake_fd < 0)
	{
		error_set(err, "could not make an eventfd");
		goto fail;
	}
	conf = kafka_conf_new(&config->kafka, err);
	if (conf == NULL || !configure(conf, config, err))
		goto fail;
	rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);

	producer->client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	if (producer->client == NULL)
	{
		error_set(err, "could not make a Kafka producer: %s", why);
		goto fail;
	}
	conf = NULL; /* now the client's */

	producer->events = rd_kafka_queue_get_main(producer->client);
	rd_kafka_queue_io_event_enable(producer->events, producer->wake_fd,
								   &(uint64_t){ 1 }, sizeof(uint64_t));
	producer->topic_count = config->topic_count;
	for (int i = 0; i < config->topic_count; i++)
	{
		producer->topics[i] =
			rd_kafka_topic_new(producer->client, config->topics[i], NULL);
		if (producer->topics[i] == NULL)
		{
			error_set(err, "topic %s: %s", config->topics[i],
					  rd_kafka_err2str(rd_kafka_last_error()));
			goto fail;
		}
	}
	if (pthread_create(&producer->hurry_thread, NULL, run_hurry, producer) != 0)
	{
		error_set(err, "could not start a thread");
		goto fail;
	}
	producer->has_hurry_thread = true;
	return producer;

fail:
	if (conf != NULL)
		rd_kafka_conf_destroy(conf);
	kafka_producer_close(&producer);
	return NULL;
}

void
kafka_producer_close(KafkaProducer **producer_ref)
{
	KafkaProducer *producer = *producer_ref;

	if (producer == NULL)
		return;
	*producer_ref = NULL;
	if (producer->has_hurry_thread)
	{
		pthread_mutex_lock(&producer->hurry_lock);
		producer->is_closing = true;
		pthread_cond_signal(&producer->hurry_wake);
		pthread_mutex_unlock(&producer->hurry_lock);
		pthread_join(producer->hurry_thread, NULL);
	}
	pthread_cond_destroy(&producer->hurry_wake);
	pthread_mutex_destroy(&producer->hurry_lock);
	if (producer->events != NULL)
	{
		rd_kafka_queue_io_event_enable(producer->events, -1, NULL, 0);
		rd_kafka_queue_destroy(producer->events);
	}
	for (int i = 0; i < producer->topic_count; i++)
	{
		if (producer->topics[i] != NULL)
			rd_kafka_topic_destroy(producer->topics[i]);
	}
	if (producer->client != NULL)
	{
		/* destroy alone would wait for nothing, but keep sending meanwhile */
		rd_kafka_purge(producer->client, RD_KAFKA_PURGE_F_QUEUE |
											 RD_KAFKA_PURGE_F_INFLIGHT |
											 RD_KAFKA_PURGE_F_NON_BLOCKING);
		rd_kafka_destroy_flags(producer->client,
							   RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
	}
	if (producer->wake_fd >= 0)
		close(producer->wake_fd);
	free(producer);
}

size_t
kafka_record_size(const KafkaRecord *record)
{
	/*
	 * Batch header 61; per record length, attributes, two deltas, three
	 * lengths and a count, varints of at most 5 bytes (10 for the time).
	 */
	size_t size = 61 + 5 + 1 + 10 + 5 + 5 + 5 + 5;

	size += record->key_len + record->value_len;
	for (int i = 0; i < record->header_count; i++)
		size += 10 + record->headers[i].name_len + record->headers[i].value_len;
	return size;
}

static KafkaSend
broken(KafkaProducer *producer, Error *err)
{
	*err = producer->why;
	return KAFKA_BROKEN;
}

static void
set_broken(KafkaProducer *producer, rd_kafka_resp_err_t code, const char *text)
{
	if (producer->is_broken)
		return;
	producer->is_broken = true;
	error_set(&producer->why, "Kafka refused a batch: %s (%s)", text,
			  rd_kafka_err2name(code));
}

KafkaSend
kafka_producer_send(KafkaProducer *producer, const KafkaRecord *record,
					Error *err)
{
	rd_kafka_headers_t *headers;
	rd_kafka_vu_t vus[8];
	rd_kafka_error_t *failure;
	rd_kafka_resp_err_t code;
	int n = 0;

	if (producer->is_broken)
		return broken(producer, err);

	/* one allocation each: librdkafka copies name and value into one block */
	headers = rd_kafka_headers_new((size_t) record->header_count);
	for (int i = 0; i < record->header_count; i++)
	{
		const KafkaHeader *h = &record->headers[i];

		rd_kafka_header_add(headers, h->name, h->name_len, h->value,
							h->value_len);
	}

	vus[n].vtype = RD_KAFKA_VTYPE_RKT;
	vus[n++].u.rkt = producer->topics[record->topic];
	vus[n].vtype = RD_KAFKA_VTYPE_PARTITION;
	vus[n++].u.i32 = record->partition;
	vus[n].vtype = RD_KAFKA_VTYPE_KEY;
	vus[n].u.mem.ptr = (void *) (uintptr_t) record->key;
	vus[n++].u.mem.size = record->key_len;
	vus[n].vtype = RD_KAFKA_VTYPE_VALUE;
	vus[n].u.mem.ptr = (void *) (uintptr_t) record->value;
	vus[n++].u.mem.size = record->value_len;
	vus[n].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
	vus[n++].u.i = RD_KAFKA_MSG_F_COPY;
	vus[n].vtype = RD_KAFKA_VTYPE_OPAQUE;
	vus[n++].u.ptr = (void *) (uintptr_t) record->tag;
	vus[n].vtype = RD_KAFKA_VTYPE_HEADERS;
	vus[n++].u.headers = headers; /* librdkafka's, when it succeeds */

	failure = rd_kafka_produceva(producer->client, vus, (size_t) n);
	if (failure == NULL)
		return KAFKA_SENT;

	rd_kafka_headers_destroy(headers);
	code = rd_kafka_error_code(failure);
	if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL ||
		code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
	{
		rd_kafka_error_destroy(failure);
		return code == RD_KAFKA_RESP_ERR__QUEUE_FULL ? KAFKA_FULL
													 : KAFKA_TOO_LARGE;
	}
	set_broken(producer, code, rd_kafka_error_string(failure));
	rd_kafka_error_destroy(failure);
	return broken(producer, err);
}

int
kafka_producer_fd(const KafkaProducer *producer)
{
	return producer->wake_fd;
}

static bool
hand_out(const KafkaProducer *producer, const rd_kafka_message_t *message,
		 KafkaOnAck on_ack, void *arg)
{
	KafkaAck ack = { .tag = (uint64_t) (uintptr_t) message->_private,
					 .key_len = message->key_len,
					 .value_len = message->len,
					 .partition = message->partition,
					 .offset = message->offset };

	while (producer->topics[ack.topic] != message->rkt)
		ack.topic++;
	return on_ack(arg, &ack);
}

static void
take_reports(KafkaProducer *producer, rd_kafka_event_t *event,
			 KafkaOnAck on_ack, void *arg)
{
	const rd_kafka_message_t *batch[256];
	size_t count;

	while ((count = rd_kafka_event_message_array(event, batch, 256)) > 0)
	{
		for (size_t i = 0; i < count; i++)
		{
			const rd_kafka_message_t *message = batch[i];

			if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
				set_broken(producer, message->err,
						   rd_kafka_err2str(message->err));
			else if (!producer->is_refused &&
					 !hand_out(producer, message, on_ack, arg))
			{
				producer->is_refused = true;
				producer->is_broken = true;
				error_set(&producer->why,
						  "an acknowledgement by topic %s was not accepted",
						  rd_kafka_topic_name(message->rkt));
			}
		}
	}
}

static void
take_error(KafkaProducer *producer, rd_kafka_event_t *event)
{
	rd_kafka_resp_err_t code = rd_kafka_event_error(event);
	char why[256];

	if (code != RD_KAFKA_RESP_ERR__FATAL)
	{
		/* all brokers down, a connection lost: librdkafka goes on trying */
		log_warn("kafka unavailable", "code=%s detail=%s",
				 rd_kafka_err2name(code),
				 log_quote(rd_kafka_event_error_string(event)));
		return;
	}
	code = rd_kafka_fatal_error(producer->client, why, sizeof(why));
	set_broken(producer, code, why);
}

bool
kafka_producer_poll(KafkaProducer *producer, KafkaOnAck on_ack, void *arg,
					Error *err)
{
	rd_kafka_event_t *event;
	uint64_t ignored;

	/* emptied before the queue, so a wake-up in between is not lost */
	if (read(producer->wake_fd, &ignored, sizeof(ignored)) < 0)
		ignored = 0;

	while ((event = rd_kafka_queue_poll(producer->events, 0)) != NULL)
	{
		rd_kafka_event_type_t type = rd_kafka_event_type(event);

		if (type == RD_KAFKA_EVENT_DR)
			take_reports(producer, event, on_ack, arg);
		else if (type == RD_KAFKA_EVENT_ERROR)
			take_error(producer, event);
		rd_kafka_event_destroy(event);
	}
	if (!producer->is_broken)
		return true;
	*err = producer->why;
	return false;
}

bool
kafka_producer_partitions(KafkaProducer *producer, int *counts, int timeout_ms,
						  Error *err)
{
	for (int i = 0; i < producer->topic_count; i++)
	{
		const struct rd_kafka_metadata *meta;
		rd_kafka_resp_err_t code;

		code = rd_kafka_metadata(producer->client, 0, producer->topics[i],
								 &meta, timeout_ms);
		if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
			return error_set(err, "could not ask Kafka for topic %s: %s",
							 rd_kafka_topic_name(producer->topics[i]),
							 rd_kafka_err2str(code));
		counts[i] = -1;
		if (meta->topic_cnt == 1)
		{
			code = meta->topics[0].err;
			if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
				counts[i] = meta->topics[0].partition_cnt;
			else if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
					 code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC)
				counts[i] = 0;
		}
		rd_kafka_metadata_destroy(meta);
		if (counts[i] < 0)
			return error_set(err, "could not ask Kafka for topic %s: %s",
							 rd_kafka_topic_name(producer->topics[i]),
							 rd_kafka_err2str(code));
	}
	return true;
}
