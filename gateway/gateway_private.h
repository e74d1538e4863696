/*
 * gateway_private - the gateway as its two sources see it
 *
 * gateway.c is its life (start, turn, drain, stop), gateway_parts.c is who
 * calls whom.  For these alone.
 */
#ifndef CHEMCHAT_GATEWAY_PRIVATE_H
#define CHEMCHAT_GATEWAY_PRIVATE_H

#include <uv.h>

#include "auth_metrics.h"
#include "awaited.h"
#include "chat.h"
#include "daemon.h"
#include "door.h"
#include "gateway_config.h"
#include "gateway_metrics.h"
#include "live.h"
#include "long_poll.h"
#include "rest.h"
#include "ws.h"

typedef struct Gateway
{
	Daemon *daemon;
	const GatewayConfig *config;
	uv_loop_t loop;
	uv_timer_t fast;
	uv_timer_t slow;
	uv_prepare_t turn_end;
	uv_poll_t wake;
	char *password;
	StaticFiles *files;
	Door *door;
	Ws *ws;
	Live *live;
	Awaited *awaited;
	GatewayMetrics *metrics;
	AuthMetrics *auth_metrics;
	Chat chat;
	Rest *rest;
	Error db_reason;
	bool is_configured; /* what fails from here on is not a setting */
	bool is_draining;
	uint64_t done;     /* requests and events, as last seen */
	int64_t active_us; /* when there was something to do last */
	int64_t drain_began_us;
	int64_t max_connections;
} Gateway;

/* Database, sessions, fan-out, live channels. */
bool gateway_open_chat(Gateway *gateway, Error *err) MUST_CHECK;

/* What clients come in by. */
bool gateway_open_doors(Gateway *gateway, Error *err) MUST_CHECK;

#endif
