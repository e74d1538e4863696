/*
 * kafka_conf_internal - librdkafka's configuration, for this folder only
 */
#ifndef CHEMCHAT_KAFKA_CONF_INTERNAL_H
#define CHEMCHAT_KAFKA_CONF_INTERNAL_H

#include <librdkafka/rdkafka.h>

#include "kafka_conf.h"

/*
 * A configuration with the site's settings applied; the caller adds its own
 * and hands it to rd_kafka_new, which then owns it.  NULL with err set.
 */
rd_kafka_conf_t *kafka_conf_new(const KafkaConfig *config, Error *err);

/* Sets one of our own settings. */
bool kafka_conf_set(rd_kafka_conf_t *conf, const char *name, const char *value,
					Error *err) MUST_CHECK;
bool kafka_conf_set_int(rd_kafka_conf_t *conf, const char *name, int64_t value,
						Error *err) MUST_CHECK;

#endif
