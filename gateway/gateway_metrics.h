/*
 * gateway_metrics - the gateway's numbers for Prometheus
 *
 * The parts count for themselves; once a second their counts are copied here.
 */
#ifndef CHEMCHAT_GATEWAY_METRICS_H
#define CHEMCHAT_GATEWAY_METRICS_H

#include <stdint.h>

#include "chat.h"
#include "door.h"
#include "ws.h"

typedef struct GatewayMetrics GatewayMetrics;

GatewayMetrics *gateway_metrics_new(void);
void gateway_metrics_free(GatewayMetrics **metrics);

void gateway_metrics_update(GatewayMetrics *metrics, const Chat *chat,
							const Door *door, const Ws *ws);
void gateway_metrics_sent(GatewayMetrics *metrics, int64_t took_us);

#endif
