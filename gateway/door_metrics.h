/*
 * door_metrics - the door's numbers for Prometheus, by what came of it
 *
 * Copies the counts of door, http_server, conn and ws; about once a second.
 */
#ifndef CHEMCHAT_DOOR_METRICS_H
#define CHEMCHAT_DOOR_METRICS_H

#include "door.h"
#include "ws.h"

typedef struct DoorMetrics DoorMetrics;

DoorMetrics *door_metrics_new(void);
void door_metrics_free(DoorMetrics **metrics);
void door_metrics_update(DoorMetrics *metrics, const Door *door, const Ws *ws);

#endif
