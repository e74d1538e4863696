#include "kafka_conf.h"
#include "kafka_conf_internal.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

/*
 * What a properties file may not touch: either we compute it (brokers, ids,
 * bounds) or a promise of ours hangs on it (order, acknowledgement, offsets).
 */
static const char *const reserved[] = {
	"bootstrap.servers",
	"metadata.broker.list",
	"client.id",
	"group.id",
	"enable.idempotence",
	"enable.gapless.guarantee",
	"acks",
	"request.required.acks",
	"max.in.flight",
	"max.in.flight.requests.per.connection",
	"message.timeout.ms",
	"delivery.timeout.ms",
	"message.send.max.retries",
	"retries",
	"partitioner",
	"transactional.id",
	"queue.buffering.max.messages",
	"queue.buffering.max.kbytes",
	"queue.buffering.max.ms",
	"linger.ms",
	"batch.size",
	"batch.num.messages",
	"message.max.bytes",
	"delivery.report.only.error",
	"enable.auto.commit",
	"auto.commit.enable",
	"enable.auto.offset.store",
	"auto.offset.reset",
	"enable.partition.eof",
	"allow.auto.create.topics",
	"plugin.library.paths",
	"debug",
};

/* syslog's levels, which librdkafka uses; its header clashes with log.h */
#define SYSLOG_ERR    3
#define SYSLOG_NOTICE 5

static void
on_log(const rd_kafka_t *client, int level, const char *facility,
	   const char *text)
{
	LogLevel ours = level <= SYSLOG_ERR      ? LOG_WARN
					: level <= SYSLOG_NOTICE ? LOG_INFO
											 : LOG_DEBUG;

	(void) client;

	/* we know that the gapless guarantee is marked experimental: we test it */
	if (strcmp(facility, "CONFWARN") == 0)
		ours = LOG_DEBUG;

	/*
	 * librdkafka's errors are transient for us: it goes on trying.  What is
	 * not transient arrives as an event and is logged by who decides on it.
	 */
	log_line(ours, "kafka client", "facility=%s detail=%s", facility,
			 log_quote(text));
}

bool
kafka_conf_set(rd_kafka_conf_t *conf, const char *name, const char *value,
			   Error *err)
{
	char why[256];

	if (rd_kafka_conf_set(conf, name, value, why, sizeof(why)) ==
		RD_KAFKA_CONF_OK)
		return true;
	return error_set(err, "Kafka setting %s: %s", name, why);
}

bool
kafka_conf_set_int(rd_kafka_conf_t *conf, const char *name, int64_t value,
				   Error *err)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRId64, value);
	return kafka_conf_set(conf, name, text, err);
}

static char *
trim(char *text)
{
	char *end;

	while (isspace((unsigned char) *text))
		text++;
	end = text + strlen(text);
	while (end > text && isspace((unsigned char) end[-1]))
		end--;
	*end = '\0';
	return text;
}

static bool
apply_line(rd_kafka_conf_t *conf, char *line, Error *err)
{
	char *name = trim(line);
	char *value;
	char why[256];

	if (*name == '\0' || *name == '#')
		return true;
	value = strchr(name, '=');
	if (value == NULL)
		return error_set(err, "no '=' in it");
	*value++ = '\0';
	name = trim(name);
	value = trim(value);

	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
	{
		if (strcmp(name, reserved[i]) == 0)
			return error_set(err, "%s is set by ChemChat", name);
	}

	/* librdkafka's own text may repeat the value: a secret, perhaps */
	switch (rd_kafka_conf_set(conf, name, value, why, sizeof(why)))
	{
		case RD_KAFKA_CONF_OK:
			return true;
		case RD_KAFKA_CONF_UNKNOWN:
			return error_set(err, "%s is not a known setting", name);
		case RD_KAFKA_CONF_INVALID:
			return error_set(err, "%s has a value that is not allowed", name);
		default:
			return error_set(err, "%s could not be set", name);
	}
}

static bool
apply_file(rd_kafka_conf_t *conf, const char *path, Error *err)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t cap = 0;
	bool ok = true;

	if (file == NULL)
		return error_set(err, "could not open %s: %s", path, strerror(errno));
	for (int number = 1; ok && getline(&line, &cap, file) >= 0; number++)
	{
		ok = apply_line(conf, line, err);
		if (!ok)
			error_wrap(err, "%s:%d", path, number);
	}
	if (ok && ferror(file))
		ok = error_set(err, "could not read %s", path);
	if (line != NULL)
		explicit_bzero(line, cap);
	free(line);
	fclose(file);
	return ok;
}

rd_kafka_conf_t *
kafka_conf_new(const KafkaConfig *config, Error *err)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();

	rd_kafka_conf_set_log_cb(conf, on_log);
	if (!kafka_conf_set(conf, "bootstrap.servers", config->brokers, err) ||
		!kafka_conf_set(conf, "client.id", config->client_id, err) ||
		!kafka_conf_set(conf, "socket.keepalive.enable", "true", err) ||
		!kafka_conf_set(conf, "socket.nagle.disable", "true", err) ||
		/*
		 * An outage should end for us soon after it ended for Kafka, also one
		 * of the network: TCP itself asks a silent peer again after 25 s, and
		 * then after 50.
		 */
		!kafka_conf_set(conf, "reconnect.backoff.ms", "50", err) ||
		!kafka_conf_set(conf, "reconnect.backoff.max.ms", "1000", err) ||
		!kafka_conf_set(conf, "socket.timeout.ms", "10000", err) ||
		!kafka_conf_set(conf, "socket.connection.setup.timeout.ms", "10000",
						err) ||
		!kafka_conf_set(conf, "topic.metadata.refresh.interval.ms", "30000",
						err) ||
		!kafka_conf_set(conf, "log.connection.close", "false", err))
		goto fail;
	if (config->properties_file != NULL &&
		!apply_file(conf, config->properties_file, err))
		goto fail;
	return conf;

fail:
	rd_kafka_conf_destroy(conf);
	return NULL;
}

bool
kafka_config_check(const KafkaConfig *config, Error *err)
{
	rd_kafka_conf_t *conf = kafka_conf_new(config, err);

	if (conf == NULL)
		return false;
	rd_kafka_conf_destroy(conf);
	return true;
}
