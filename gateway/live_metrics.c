#include "live_metrics.h"

void
live_metrics_init(LiveMetrics *metrics)
{
	static const char *const reasons[LIVE_BREAKS] = {
		[LIVE_BREAK_FIRST] = "reason=\"first\"",
		[LIVE_BREAK_HOLE] = "reason=\"hole\"",
		[LIVE_BREAK_INCARNATION] = "reason=\"incarnation\"",
		[LIVE_BREAK_HISTORY] = "reason=\"history\"",
		[LIVE_BREAK_BAD_FRAME] = "reason=\"bad_frame\"",
		[LIVE_BREAK_SECOND_LOOK] = "reason=\"second_look\"",
	};

	metrics->is_live =
		metric_gauge("chemchat_gateway_live",
					 "1 while events come through Redis, 0 while "
					 "the database is polled.",
					 NULL);
	metrics->mode_changes =
		metric_counter("chemchat_gateway_live_mode_changes_total",
					   "Changes between live and polled.", NULL);
	metrics->messages =
		metric_counter("chemchat_gateway_live_messages_total",
					   "Messages heard on live channels, heartbeats included.",
					   NULL);
	metrics->events = metric_counter("chemchat_gateway_live_events_total",
									 "Events heard on live channels.", NULL);
	metrics->passed_over =
		metric_counter("chemchat_gateway_live_passed_over_total",
					   "Messages heard twice, too late, or of another system.",
					   NULL);
	for (int i = 0; i < LIVE_BREAKS; i++)
		metrics->repairs[i] =
			metric_counter("chemchat_gateway_live_repairs_total",
						   "Repairs of a live channel asked for.", reasons[i]);
	metrics->silences = metric_counter("chemchat_gateway_live_silences_total",
									   "Live channels that fell silent.", NULL);
	metrics->silence = metric_gauge_us(
		"chemchat_gateway_live_silence_seconds",
		"Age of the last sign of the channel that was quiet longest.", NULL);
	metrics->delay =
		metric_histogram("chemchat_gateway_live_delay_seconds",
						 "From an event's time to its arrival here.", NULL);
	metrics->disconnects =
		metric_counter("chemchat_gateway_live_redis_disconnects_total",
					   "Connections to Redis that ended or never came.", NULL);
}
