/*
 * relay_metrics - the numbers of one slot, labelled with its sink
 *
 * Made once per slot at start; changed by its loop alone.
 */
#ifndef CHEMCHAT_RELAY_METRICS_H
#define CHEMCHAT_RELAY_METRICS_H

#include "metrics.h"

typedef struct RelayMetrics
{
	Metric *events;            /* taken from the stream */
	Metric *bytes;             /* their records' bytes */
	Metric *transactions;      /* wholly received */
	Metric *acknowledged;      /* records */
	Metric *dead_letters;      /* events that could not be produced */
	Metric *in_flight_records; /* sent, not acknowledged */
	Metric *in_flight_bytes;
	Metric *pending;   /* events committed and not confirmed */
	Metric *lag_bytes; /* server's WAL end - confirmed */
	Metric *confirmed_lsn;
	Metric *is_streaming;  /* 1: this process has the slot */
	Metric *reconnects;    /* of the replication connection */
	Metric *sink_restarts; /* producers given up and made again */
	Metric *repairs;       /* begun */
	Metric *repair_done;   /* conversations */
	Metric *repair_total;
	Metric *delivery; /* commit -> acknowledged, seconds */
} RelayMetrics;

/* sink: "kafka", "live". */
void relay_metrics_init(RelayMetrics *metrics, const char *sink);

#endif
