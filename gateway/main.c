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
#include "daemon.h"
#include "gateway.h"
#include "gateway_config.h"

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
	return daemon_main(&spec, argc, argv);
}
