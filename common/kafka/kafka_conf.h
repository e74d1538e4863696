/*
 * kafka_conf - what every Kafka client of ours is configured with
 *
 * Brokers and client id come from the daemon's options; anything else that a
 * site needs (TLS, SASL) is read from a properties file, `name = value` as
 * librdkafka documents them, '#' comments.  That file may hold secrets, so the
 * daemon declares it OPTION_SECRET_FILE.  What our guarantees rest on cannot
 * be changed there: such a line is refused by name.
 *
 * KafkaConfig borrows its texts for as long as a client made from it lives.
 */
#ifndef CHEMCHAT_KAFKA_CONF_H
#define CHEMCHAT_KAFKA_CONF_H

#include "error.h"

typedef struct KafkaConfig
{
	const char *brokers;         /* host:port,... */
	const char *properties_file; /* NULL: none */
	const char *client_id;
} KafkaConfig;

/* Reads and applies everything once, connects nowhere: for --check-config. */
bool kafka_config_check(const KafkaConfig *config, Error *err) MUST_CHECK;

#endif
