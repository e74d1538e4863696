#include "relay_metrics.h"

#include <stdio.h>
#include <string.h>

void
relay_metrics_init(RelayMetrics *m, const char *sink)
{
	char labels[64];

	snprintf(labels, sizeof(labels), "sink=\"%s\"", sink);
	m->events =
		metric_counter("chemchat_relay_events_total",
					   "Events taken from the replication stream.", labels);
	m->bytes = metric_counter("chemchat_relay_event_bytes_total",
							  "Bytes of the event records taken.", labels);
	m->transactions =
		metric_counter("chemchat_relay_transactions_total",
					   "Transactions received to their end.", labels);
	m->acknowledged =
		metric_counter("chemchat_relay_records_acknowledged_total",
					   "Records the sink has durably.", labels);
	m->dead_letters =
		metric_counter("chemchat_relay_dead_letters_total",
					   "Events that could not be produced and went to the "
					   "dead letters.",
					   labels);
	m->in_flight_records =
		metric_gauge("chemchat_relay_in_flight_records",
					 "Records handed to the sink and not acknowledged.",
					 labels);
	m->in_flight_bytes =
		metric_gauge("chemchat_relay_in_flight_bytes",
					 "Memory those records take, roughly.", labels);
	m->pending = metric_gauge(
		"chemchat_outbox_pending_messages",
		"Events committed and not confirmed, as outbox_status() counts them.",
		labels);
	m->lag_bytes =
		metric_gauge("chemchat_relay_lag_bytes",
					 "WAL between the server's end and the confirmed LSN.",
					 labels);
	m->confirmed_lsn =
		metric_gauge("chemchat_relay_confirmed_lsn_bytes",
					 "LSN confirmed to the server, as a number.", labels);
	m->is_streaming = metric_gauge(
		"chemchat_relay_is_streaming",
		"1 while this process streams the slot, 0 while it stands by.", labels);
	m->reconnects =
		metric_counter("chemchat_relay_reconnects_total",
					   "Replication connections begun after the first.",
					   labels);
	m->sink_restarts = metric_counter(
		"chemchat_relay_sink_restarts_total",
		"Times the sink lost what was in flight and was made again.", labels);
	m->repairs = metric_counter("chemchat_relay_repairs_total",
								"Repairs by republishing begun.", labels);
	m->repair_done =
		metric_gauge("chemchat_relay_repair_done_conversations",
					 "Conversations republished by the repair under way.",
					 labels);
	m->repair_total =
		metric_gauge("chemchat_relay_repair_total_conversations",
					 "Conversations the repair under way has to republish.",
					 labels);
	m->delivery = metric_histogram(
		"chemchat_relay_delivery_seconds",
		"From a transaction's commit to the acknowledgement of its record.",
		labels);
}
