#include "kafka_admin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "kafka_conf_internal.h"
#include "xalloc.h"

struct KafkaAdmin
{
	rd_kafka_t *client;
	rd_kafka_queue_t *answers;
	const atomic_bool *is_cancelled;
};

/* Between two looks at is_cancelled. */
#define LOOK_EVERY_MS 200

KafkaAdmin *
kafka_admin_open(const KafkaConfig *config, const atomic_bool *is_cancelled,
				 Error *err)
{
	KafkaAdmin *admin = xcalloc(1, sizeof(*admin));
	rd_kafka_conf_t *conf = kafka_conf_new(config, err);
	char why[256];

	/* a consumer without a group: it can also read */
	if (conf == NULL ||
		!kafka_conf_set(conf, "enable.partition.eof", "true", err) ||
		/* a last record that retention removed: only the end is left */
		!kafka_conf_set(conf, "auto.offset.reset", "largest", err) ||
		!kafka_conf_set(conf, "check.crcs", "true", err) ||
		!kafka_conf_set(conf, "queued.max.messages.kbytes", "2048", err) ||
		!kafka_conf_set(conf, "fetch.wait.max.ms", "50", err))
		goto fail;
	admin->client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
	if (admin->client == NULL)
	{
		error_set(err, "could not make a Kafka client: %s", why);
		goto fail;
	}
	admin->answers = rd_kafka_queue_new(admin->client);
	admin->is_cancelled = is_cancelled;
	return admin;

fail:
	if (conf != NULL)
		rd_kafka_conf_destroy(conf);
	free(admin);
	return NULL;
}

void
kafka_admin_close(KafkaAdmin **admin_ref)
{
	KafkaAdmin *admin = *admin_ref;

	if (admin == NULL)
		return;
	*admin_ref = NULL;
	rd_kafka_queue_destroy(admin->answers);
	rd_kafka_destroy(admin->client);
	free(admin);
}

static bool
is_cancelled(const KafkaAdmin *admin)
{
	return admin->is_cancelled != NULL && atomic_load(admin->is_cancelled);
}

bool
kafka_admin_partitions(KafkaAdmin *admin, const char *topic, int timeout_ms,
					   int *count, Error *err)
{
	const struct rd_kafka_metadata *meta = NULL;
	rd_kafka_topic_t *handle = rd_kafka_topic_new(admin->client, topic, NULL);
	rd_kafka_resp_err_t code;
	bool ok = true;

	*count = 0;
	code = rd_kafka_metadata(admin->client, 0, handle, &meta, timeout_ms);
	if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
	{
		if (meta->topic_cnt == 1)
			code = meta->topics[0].err;
		if (meta->topic_cnt == 1 && code == RD_KAFKA_RESP_ERR_NO_ERROR)
			*count = meta->topics[0].partition_cnt;
		rd_kafka_metadata_destroy(meta);
	}
	if (code != RD_KAFKA_RESP_ERR_NO_ERROR &&
		code != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART &&
		code != RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC)
		ok = error_set(err, "could not ask Kafka for topic %s: %s", topic,
					   rd_kafka_err2str(code));
	rd_kafka_topic_destroy(handle);
	return ok;
}

static rd_kafka_AdminOptions_t *
options_new(KafkaAdmin *admin, rd_kafka_admin_op_t op, int timeout_ms)
{
	rd_kafka_AdminOptions_t *options =
		rd_kafka_AdminOptions_new(admin->client, op);
	char why[64];

	/* both only fail for values out of range, which ours are not */
	rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, why,
											  sizeof(why));
	if (op == RD_KAFKA_ADMIN_OP_CREATETOPICS)
		rd_kafka_AdminOptions_set_operation_timeout(options, timeout_ms, why,
													sizeof(why));
	return options;
}

/* The answer to the one request under way; NULL with err set. */
static rd_kafka_event_t *
await_answer(KafkaAdmin *admin, const char *what, int timeout_ms, Error *err)
{
	int64_t deadline_us = clock_now_us() + (timeout_ms + 1000) * INT64_C(1000);
	rd_kafka_event_t *event = NULL;

	while (event == NULL && !is_cancelled(admin) &&
		   clock_now_us() < deadline_us)
		event = rd_kafka_queue_poll(admin->answers, LOOK_EVERY_MS);
	if (event == NULL)
	{
		error_set(err, "could not %s: no answer from Kafka", what);
		return NULL;
	}
	if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR)
	{
		error_set(err, "could not %s: %s", what,
				  rd_kafka_event_error_string(event));
		rd_kafka_event_destroy(event);
		return NULL;
	}
	return event;
}

/* NULL with err set when it cannot be one. */
static rd_kafka_NewTopic_t *
topic_new(const KafkaNewTopic *topic, Error *err)
{
	char why[256];
	rd_kafka_NewTopic_t *made =
		rd_kafka_NewTopic_new(topic->name, topic->partitions,
							  topic->replication, why, sizeof(why));

	if (made == NULL)
	{
		error_set(err, "could not create topic %s: %s", topic->name, why);
		return NULL;
	}
	if (topic->is_compacted)
		rd_kafka_NewTopic_set_config(made, "cleanup.policy", "compact");
	if (topic->is_kept_forever)
	{
		rd_kafka_NewTopic_set_config(made, "retention.ms", "-1");
		rd_kafka_NewTopic_set_config(made, "retention.bytes", "-1");
	}
	return made;
}

bool
kafka_admin_create(KafkaAdmin *admin, const KafkaNewTopic *topics, int count,
				   int timeout_ms, Error *err)
{
	rd_kafka_NewTopic_t **wanted =
		xcalloc((size_t) count, sizeof(rd_kafka_NewTopic_t *));
	rd_kafka_AdminOptions_t *options = NULL;
	rd_kafka_event_t *event = NULL;
	const rd_kafka_topic_result_t **results;
	size_t result_count;
	bool ok = false;

	for (int i = 0; i < count; i++)
	{
		wanted[i] = topic_new(&topics[i], err);
		if (wanted[i] == NULL)
			goto cleanup;
	}
	options = options_new(admin, RD_KAFKA_ADMIN_OP_CREATETOPICS, timeout_ms);
	rd_kafka_CreateTopics(admin->client, wanted, (size_t) count, options,
						  admin->answers);
	event = await_answer(admin, "create topics", timeout_ms, err);
	if (event == NULL)
		goto cleanup;
	results = rd_kafka_CreateTopics_result_topics(
		rd_kafka_event_CreateTopics_result(event), &result_count);
	for (size_t i = 0; i < result_count; i++)
	{
		rd_kafka_resp_err_t code = rd_kafka_topic_result_error(results[i]);

		if (code == RD_KAFKA_RESP_ERR_NO_ERROR ||
			code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
			continue;
		error_set(err, "could not create topic %s: %s",
				  rd_kafka_topic_result_name(results[i]),
				  rd_kafka_topic_result_error_string(results[i])
					  ? rd_kafka_topic_result_error_string(results[i])
					  : rd_kafka_err2str(code));
		goto cleanup;
	}
	ok = true;

cleanup:
	if (event != NULL)
		rd_kafka_event_destroy(event);
	if (options != NULL)
		rd_kafka_AdminOptions_destroy(options);
	for (int i = 0; i < count; i++)
	{
		if (wanted[i] != NULL)
			rd_kafka_NewTopic_destroy(wanted[i]);
	}
	free(wanted);
	return ok;
}

static bool
read_limit(const rd_kafka_ConfigResource_t *resource, int64_t *limit,
		   Error *err)
{
	size_t count;
	const rd_kafka_ConfigEntry_t **entries;
	const char *name = rd_kafka_ConfigResource_name(resource);

	if (rd_kafka_ConfigResource_error(resource) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return error_set(err, "could not read the settings of topic %s: %s",
						 name,
						 rd_kafka_err2str(
							 rd_kafka_ConfigResource_error(resource)));
	entries = rd_kafka_ConfigResource_configs(resource, &count);
	for (size_t i = 0; i < count; i++)
	{
		const char *value = rd_kafka_ConfigEntry_value(entries[i]);

		if (strcmp(rd_kafka_ConfigEntry_name(entries[i]),
				   "max.message.bytes") == 0 &&
			value != NULL)
		{
			*limit = strtoll(value, NULL, 10);
			return true;
		}
	}
	return error_set(err, "topic %s does not tell its max.message.bytes", name);
}

bool
kafka_admin_limits(KafkaAdmin *admin, const char *const *topics, int count,
				   int timeout_ms, int64_t *limits, Error *err)
{
	rd_kafka_ConfigResource_t **wanted =
		xcalloc((size_t) count, sizeof(rd_kafka_ConfigResource_t *));
	rd_kafka_AdminOptions_t *options = NULL;
	rd_kafka_event_t *event = NULL;
	const rd_kafka_ConfigResource_t **found;
	size_t found_count;
	bool ok = false;

	for (int i = 0; i < count; i++)
	{
		wanted[i] =
			rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topics[i]);
		limits[i] = 0;
	}
	options = options_new(admin, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, timeout_ms);
	rd_kafka_DescribeConfigs(admin->client, wanted, (size_t) count, options,
							 admin->answers);
	event = await_answer(admin, "read the topics' settings", timeout_ms, err);
	if (event == NULL)
		goto cleanup;
	found = rd_kafka_DescribeConfigs_result_resources(
		rd_kafka_event_DescribeConfigs_result(event), &found_count);
	for (size_t i = 0; i < found_count; i++)
	{
		for (int j = 0; j < count; j++)
		{
			if (strcmp(rd_kafka_ConfigResource_name(found[i]), topics[j]) ==
					0 &&
				!read_limit(found[i], &limits[j], err))
				goto cleanup;
		}
	}
	for (int i = 0; i < count; i++)
	{
		if (limits[i] <= 0)
		{
			error_set(err, "Kafka did not tell the settings of topic %s",
					  topics[i]);
			goto cleanup;
		}
	}
	ok = true;

cleanup:
	if (event != NULL)
		rd_kafka_event_destroy(event);
	rd_kafka_AdminOptions_destroy(options);
	for (int i = 0; i < count; i++)
		rd_kafka_ConfigResource_destroy(wanted[i]);
	free(wanted);
	return ok;
}

/* The value of a header, borrowed from the message; NULL without it. */
static const char *
header_of(const rd_kafka_message_t *message, const char *header, size_t *len)
{
	rd_kafka_headers_t *headers;
	const void *value;

	if (rd_kafka_message_headers(message, &headers) !=
			RD_KAFKA_RESP_ERR_NO_ERROR ||
		rd_kafka_header_get_last(headers, header, &value, len) !=
			RD_KAFKA_RESP_ERR_NO_ERROR)
		return NULL;
	return value;
}

/*
 * The next record, or a partition's end; NULL with err set when there is none
 * by the deadline, or what there is is an error.
 */
static rd_kafka_message_t *
next_message(KafkaAdmin *admin, rd_kafka_queue_t *queue, int64_t deadline_us,
			 Error *err)
{
	rd_kafka_message_t *message = NULL;

	while (message == NULL)
	{
		if (is_cancelled(admin) || clock_now_us() >= deadline_us)
		{
			error_set(err, "could not read records: no answer from Kafka");
			return NULL;
		}
		message = rd_kafka_consume_queue(queue, LOOK_EVERY_MS);
	}
	if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR ||
		message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
		return message;
	error_set(err, "could not read records: %s",
			  rd_kafka_message_errstr(message));
	rd_kafka_message_destroy(message);
	return NULL;
}

static bool
begin_reading(rd_kafka_topic_t *topic, int partition, int64_t offset,
			  rd_kafka_queue_t *queue, Error *err)
{
	if (rd_kafka_consume_start_queue(topic, partition, offset, queue) == 0)
		return true;
	return error_set(err, "could not read partition %d of %s: %s", partition,
					 rd_kafka_topic_name(topic),
					 rd_kafka_err2str(rd_kafka_last_error()));
}

bool
kafka_admin_last(KafkaAdmin *admin, const char *topic, int partitions,
				 const char *header, int timeout_ms, KafkaOnHeader on_header,
				 void *arg, Error *err)
{
	rd_kafka_topic_t *handle = rd_kafka_topic_new(admin->client, topic, NULL);
	rd_kafka_queue_t *queue = rd_kafka_queue_new(admin->client);
	int64_t deadline_us = clock_now_us() + (int64_t) timeout_ms * 1000;
	int started = 0;
	int left = partitions;
	bool ok = true;

	while (ok && started < partitions)
	{
		ok =
			begin_reading(handle, started, RD_KAFKA_OFFSET_TAIL(1), queue, err);
		if (ok)
			started++;
	}

	/* a partition is done at its end, which follows its last record */
	while (ok && left > 0)
	{
		rd_kafka_message_t *message =
			next_message(admin, queue, deadline_us, err);
		const char *value;
		size_t len;

		ok = message != NULL;
		if (!ok)
			break;
		if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
			left--;
		else if ((value = header_of(message, header, &len)) != NULL)
			on_header(arg, message->partition, value, len);
		rd_kafka_message_destroy(message);
	}
	for (int i = 0; i < started; i++)
		rd_kafka_consume_stop(handle, i);
	rd_kafka_queue_destroy(queue);
	rd_kafka_topic_destroy(handle);
	return ok;
}

static KafkaProbe *
probe_of(KafkaProbe *probes, int count, const rd_kafka_message_t *message)
{
	const char *topic = rd_kafka_topic_name(message->rkt);
	int i = 0;

	while (i < count && (probes[i].partition != message->partition ||
						 strcmp(probes[i].topic, topic) != 0))
		i++;
	return i < count ? &probes[i] : NULL;
}

static void
take_probe(KafkaProbe *probe, const rd_kafka_message_t *message,
		   const char *header)
{
	const char *value;
	size_t len = 0;

	probe->value[0] = '\0';
	if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
		/* a place that is no longer there is passed over to the end */
		probe->found =
			message->offset <= probe->offset ? KAFKA_ENDED : KAFKA_REMOVED;
	else if (message->offset != probe->offset)
		probe->found = KAFKA_REMOVED;
	else
	{
		probe->found = KAFKA_RECORD;
		value = header_of(message, header, &len);
		if (len >= sizeof(probe->value))
			len = sizeof(probe->value) - 1;
		if (value != NULL)
			memcpy(probe->value, value, len);
		probe->value[value != NULL ? len : 0] = '\0';
	}
}

bool
kafka_admin_probe(KafkaAdmin *admin, KafkaProbe *probes, int count,
				  const char *header, int timeout_ms, Error *err)
{
	rd_kafka_topic_t **topics =
		xcalloc((size_t) count + 1, sizeof(rd_kafka_topic_t *));
	bool *is_known = xcalloc((size_t) count + 1, sizeof(bool));
	rd_kafka_queue_t *queue = rd_kafka_queue_new(admin->client);
	int64_t deadline_us = clock_now_us() + (int64_t) timeout_ms * 1000;
	int started = 0;
	int left = count;
	bool ok = true;

	while (ok && started < count)
	{
		topics[started] =
			rd_kafka_topic_new(admin->client, probes[started].topic, NULL);
		ok = begin_reading(topics[started], probes[started].partition,
						   probes[started].offset, queue, err);
		if (ok)
			started++;
	}
	while (ok && left > 0)
	{
		rd_kafka_message_t *message =
			next_message(admin, queue, deadline_us, err);
		KafkaProbe *probe;

		ok = message != NULL;
		if (!ok)
			break;
		probe = probe_of(probes, count, message);
		if (probe != NULL && !is_known[probe - probes])
		{
			take_probe(probe, message, header);
			is_known[probe - probes] = true;
			left--;
		}
		rd_kafka_message_destroy(message);
	}
	for (int i = 0; i < started; i++)
		rd_kafka_consume_stop(topics[i], probes[i].partition);
	for (int i = 0; i < count && topics[i] != NULL; i++)
		rd_kafka_topic_destroy(topics[i]);
	rd_kafka_queue_destroy(queue);
	free(is_known);
	free(topics);
	return ok;
}
