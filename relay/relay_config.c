#include "relay_config.h"

#include <string.h>

#include "kafka_conf.h"
#include "pg_conninfo.h"
#include "redis_url.h"

#define OFFSET(field) offsetof(RelayConfig, field)

const Option relay_options[] = {
	{ .name = "pg",
	  .type = OPTION_STRING,
	  .offset = OFFSET(pg),
	  .is_required = true,
	  .help = "PostgreSQL, as a connection string without password" },
	{ .name = "pg_password_file",
	  .type = OPTION_SECRET_FILE,
	  .offset = OFFSET(pg_password_file),
	  .help = "file whose first line is the password" },
	{ .name = "pg_connect_timeout",
	  .type = OPTION_DURATION,
	  .offset = OFFSET(pg_connect_timeout_ms),
	  .fallback = "5s",
	  .min = 100,
	  .max = 60000,
	  .help = "how long one attempt to connect may take" },
	{ .name = "slot_lock_timeout",
	  .type = OPTION_DURATION,
	  .offset = OFFSET(slot_lock_timeout_ms),
	  .fallback = "60s",
	  .min = 1000,
	  .max = 3600000,
	  .help = "how long one attempt to make the slot waits for others' "
			  "transactions" },
	{ .name = "drain_timeout",
	  .type = OPTION_DURATION,
	  .offset = OFFSET(drain_timeout_ms),
	  .fallback = "5s",
	  .min = 0,
	  .max = 300000,
	  .help = "how long a stop waits for acknowledgements" },
	{ .name = "sink",
	  .type = OPTION_STRING,
	  .offset = OFFSET(sink),
	  .fallback = "kafka",
	  .help = "kafka, or null to measure decoding alone" },
	{ .name = "kafka",
	  .type = OPTION_STRING,
	  .offset = OFFSET(kafka),
	  .help = "brokers, host:port,..." },
	{ .name = "kafka_properties_file",
	  .type = OPTION_SECRET_FILE,
	  .offset = OFFSET(kafka_properties_file),
	  .help = "further librdkafka settings: TLS, SASL" },
	{ .name = "kafka_linger_us",
	  .type = OPTION_INT,
	  .offset = OFFSET(kafka_linger_us),
	  .fallback = "10000",
	  .min = 0,
	  .max = 100000,
	  .help = "microseconds a record waits for others at high rates" },
	{ .name = "max_in_flight",
	  .type = OPTION_SIZE,
	  .offset = OFFSET(max_in_flight_bytes),
	  .fallback = "24MB",
	  .min = 1024 * 1024,
	  .max = INT64_C(1) << 32,
	  .help = "memory for records not yet acknowledged" },
	{ .name = "topics_create",
	  .type = OPTION_BOOL,
	  .offset = OFFSET(topics_create),
	  .fallback = "on",
	  .help = "make missing topics at the first start" },
	{ .name = "topics_partitions",
	  .type = OPTION_INT,
	  .offset = OFFSET(topics_partitions),
	  .fallback = "12",
	  .min = 1,
	  .max = 10000,
	  .help = "partitions of a topic made" },
	{ .name = "topics_replication",
	  .type = OPTION_INT,
	  .offset = OFFSET(topics_replication),
	  .fallback = "-1",
	  .min = -1,
	  .max = 100,
	  .help = "replicas of a topic made; -1: the broker's default" },
	{ .name = "adopt_topics",
	  .type = OPTION_BOOL,
	  .offset = OFFSET(adopt_topics),
	  .fallback = "off",
	  .help = "take topics that changed as they are, republish everything" },
	{ .name = "redis_url",
	  .type = OPTION_STRING,
	  .offset = OFFSET(redis_url),
	  .help = "Redis for live delivery, as a URL; unset: none" },
	{ .name = "redis_password_file",
	  .type = OPTION_SECRET_FILE,
	  .offset = OFFSET(redis_password_file),
	  .help = "file whose first line is Redis's password" },
	{ .name = NULL },
};

bool
relay_config_check(const void *arg, Error *err)
{
	const RelayConfig *config = arg;
	KafkaConfig kafka = { .brokers = config->kafka,
						  .properties_file = config->kafka_properties_file,
						  .client_id = "chemchat-relay" };
	RedisUrl redis;

	if (!pg_conninfo_check(config->pg, err))
		return error_wrap(err, "pg");
	if (config->redis_url != NULL &&
		!redis_url_parse(config->redis_url, &redis, err))
		return error_wrap(err, "redis_url");
	if (strcmp(config->sink, "null") == 0)
		return true;
	if (strcmp(config->sink, "kafka") != 0)
		return error_set(err, "sink: must be kafka or null");
	if (config->kafka == NULL)
		return error_set(err, "kafka: is required");
	return kafka_config_check(&kafka, err);
}
