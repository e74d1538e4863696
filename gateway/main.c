/*
 * chemchat-gateway
 *
 * In:      WebSockets of clients (docs/protocol.md); committed events, from
 *          Redis or by asking PostgreSQL
 * Out:     calls of chemchat.*() in PostgreSQL; frames to clients
 * Promise: a send is answered after COMMIT and never twice written; a client
 *          gets each event of its conversations once, in order, without a hole,
 *          and nothing of a conversation it has left
 */
#include <string.h>

#include "daemon.h"
#include "gateway.h"
#include "gateway_config.h"
#include "verb.h"

static const DaemonSpec spec = {
	.service = "gateway",
	.summary = "WebSocket for the people who chat",
	.options = gateway_options,
	.config_size = sizeof(GatewayConfig),
	.check = gateway_config_check,
	.run = gateway_run,
};

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--print-verbs") == 0)
		return verb_print(stdout);
	return daemon_main(&spec, argc, argv);
}
