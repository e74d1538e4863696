/*
 * chemchat-relay
 *
 * In:      committed events, from a logical replication slot of PostgreSQL
 *          (frames of the output plugin chemchat)
 * Out:     records in Kafka's chat.* topics; with Redis, live messages
 * Promise: an event is confirmed to PostgreSQL only when Kafka has it on all
 *          in-sync replicas: at least once, per conversation in order, without
 *          a hole; what cannot be so ends in a repair or a named stop
 */
#include "daemon.h"
#include "relay_config.h"
#include "slots.h"

static const DaemonSpec spec = {
	.service = "relay",
	.summary = "carries committed events from PostgreSQL to Kafka",
	.options = relay_options,
	.config_size = sizeof(RelayConfig),
	.check = relay_config_check,
	.run = slots_run,
};

int
main(int argc, char **argv)
{
	return daemon_main(&spec, argc, argv);
}
