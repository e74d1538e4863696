#include "door_metrics.h"

#include <stdio.h>
#include <stdlib.h>

#include "http.h"
#include "metrics.h"
#include "xalloc.h"

/* Where a number comes from. */
typedef struct Counts
{
	const DoorCounts *door;
	const HttpCounts *http;
	const ConnsCounts *conns;
	const WsCounts *ws;
} Counts;

typedef struct Number
{
	const char *name;
	const char *help;
	const char *labels;
	uint64_t (*read)(const Counts *counts);
} Number;

#define READ(name, value)                                                      \
	static uint64_t read_##name(const Counts *counts)                          \
	{                                                                          \
		return counts->value;                                                  \
	}

READ(accepted, door->accepted)
READ(crowded, door->crowded)
READ(bad_proxy, door->bad_proxy)
READ(pauses, door->pauses)
READ(certificates, door->certificates)
READ(requests, http->requests)
READ(gone, http->gone)
READ(upgrades, http->upgrades)
READ(timed_out, http->timed_out)
READ(sent_away, http->sent_away)
READ(handshakes, conns->tls_handshakes)
READ(tls_failed, conns->tls_failed)
READ(writes, conns->writes)
READ(chokes, conns->chokes)
READ(messages, ws->messages)
READ(pings, ws->pings)

#define REFUSED "chemchat_gateway_connections_refused_total"
#define REFUSED_HELP                                                           \
	"Connections closed by the door before they said anything useful"

static const Number numbers[] = {
	{ "chemchat_gateway_accepted_total", "TCP connections accepted", NULL,
	  read_accepted },
	{ "chemchat_gateway_accept_pauses_total",
	  "Times accepting paused for want of descriptors or places", NULL,
	  read_pauses },
	{ REFUSED, REFUSED_HELP, "reason=\"address\"", read_crowded },
	{ REFUSED, REFUSED_HELP, "reason=\"proxy_header\"", read_bad_proxy },
	{ REFUSED, REFUSED_HELP, "reason=\"tls\"", read_tls_failed },
	{ REFUSED, REFUSED_HELP, "reason=\"too_slow\"", read_timed_out },
	{ REFUSED, REFUSED_HELP, "reason=\"made_room\"", read_sent_away },
	{ "chemchat_gateway_tls_handshakes_total", "TLS handshakes completed", NULL,
	  read_handshakes },
	{ "chemchat_gateway_certificates_total",
	  "Times a changed certificate was taken", NULL, read_certificates },
	{ "chemchat_gateway_http_requests_total", "Requests handed to the REST API",
	  NULL, read_requests },
	{ "chemchat_gateway_http_gone_total",
	  "Requests whose client did not wait for the answer", NULL, read_gone },
	{ "chemchat_gateway_upgrades_total", "WebSockets begun", NULL,
	  read_upgrades },
	{ "chemchat_gateway_messages_received_total",
	  "WebSocket messages received whole", NULL, read_messages },
	{ "chemchat_gateway_pings_received_total", "Pings of clients", NULL,
	  read_pings },
	{ "chemchat_gateway_writes_total", "Calls that wrote to a socket", NULL,
	  read_writes },
	{ "chemchat_gateway_chokes_total",
	  "Times a socket took less than there was", NULL, read_chokes },
};

#define NUMBERS (sizeof(numbers) / sizeof(numbers[0]))

static const char *const end_labels[WS_ENDS] = {
	[WS_END_PEER] = "reason=\"client\"",
	[WS_END_OURS] = "reason=\"session\"",
	[WS_END_LOST] = "reason=\"lost\"",
	[WS_END_PROTOCOL] = "reason=\"protocol\"",
	[WS_END_BINARY] = "reason=\"binary\"",
	[WS_END_NOT_UTF8] = "reason=\"not_utf8\"",
	[WS_END_FRAGMENTS] = "reason=\"fragments\"",
	[WS_END_TOO_BIG] = "reason=\"too_big\"",
	[WS_END_TOO_SLOW] = "reason=\"too_slow\"",
};

struct DoorMetrics
{
	Metric *number[NUMBERS];
	Metric *end[WS_ENDS];
	Metric *answer[HTTP_STATUSES]; /* by status; NULL: never given */
	Metric *http_connections;
	Metric *http_busy;
};

static void put(Metric *metric, uint64_t value);

DoorMetrics *
door_metrics_new(void)
{
	DoorMetrics *metrics = xcalloc(1, sizeof(*metrics));

	for (size_t i = 0; i < NUMBERS; i++)
		metrics->number[i] =
			metric_counter(numbers[i].name, numbers[i].help, numbers[i].labels);
	for (int i = 0; i < WS_ENDS; i++)
		metrics->end[i] = metric_counter("chemchat_gateway_closed_total",
										 "WebSockets ended, by what ended them",
										 end_labels[i]);
	for (int i = 0; i < HTTP_STATUSES; i++)
	{
		char labels[32];

		if (!http_is_status(i))
			continue;
		(void) snprintf(labels, sizeof(labels), "status=\"%d\"", i);
		metrics->answer[i] =
			metric_counter("chemchat_gateway_http_answers_total",
						   "HTTP requests answered, by status", labels);
	}
	metrics->http_connections =
		metric_gauge("chemchat_gateway_http_connections",
					 "Connections open now that are no WebSocket", NULL);
	metrics->http_busy = metric_gauge("chemchat_gateway_http_under_way",
									  "HTTP requests not answered yet", NULL);
	return metrics;
}

void
door_metrics_free(DoorMetrics **metrics)
{
	free(*metrics);
	*metrics = NULL;
}

void
door_metrics_update(DoorMetrics *metrics, const Door *door, const Ws *ws)
{
	Counts counts = { door_counts(door), http_server_counts(door_http(door)),
					  conns_counts(door_conns(door)), ws_counts(ws) };

	for (size_t i = 0; i < NUMBERS; i++)
		put(metrics->number[i], numbers[i].read(&counts));
	for (int i = 0; i < WS_ENDS; i++)
		put(metrics->end[i], counts.ws->ends[i]);
	for (int i = 0; i < HTTP_STATUSES; i++)
	{
		if (metrics->answer[i] != NULL)
			put(metrics->answer[i], counts.http->answers[i]);
	}
	metric_set(metrics->http_connections, http_server_count(door_http(door)));
	metric_set(metrics->http_busy, door_busy(door));
}

/* A counter's growth is what is new since the last copy. */
static void
put(Metric *metric, uint64_t value)
{
	metric_add(metric, (int64_t) value - metric_value(metric));
}
