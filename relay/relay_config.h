/*
 * relay_config - the settings of chemchat-relay (docs/operations.md)
 */
#ifndef CHEMCHAT_RELAY_CONFIG_H
#define CHEMCHAT_RELAY_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "option.h"

typedef struct RelayConfig
{
	char *pg;
	char *pg_password_file;
	int64_t pg_connect_timeout_ms;
	int64_t slot_lock_timeout_ms;
	int64_t drain_timeout_ms;

	char *sink; /* "kafka" or "null" */
	char *kafka;
	char *kafka_properties_file;
	int64_t kafka_linger_us;
	int64_t max_in_flight_bytes;
	bool topics_create;
	int64_t topics_partitions;
	int64_t topics_replication;
	bool adopt_topics;

	char *redis_url;
	char *redis_password_file;
} RelayConfig;

extern const Option relay_options[];

/* DaemonSpec.check */
bool relay_config_check(const void *config, Error *err);

#endif
