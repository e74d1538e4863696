#include "relay_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "kill_point.h"
#include "log.h"
#include "lsn.h"

/* Events handed on before the other chores get their turn. */
#define EVENTS_PER_TURN 512

/* from these rates on, work is done in groups: see hurry and chore_wait */
#define GROUPS_EVENTS_PER_SECOND 700
#define FLOOD_EVENTS_PER_SECOND  10000
#define MEASURE_US               10000

#define REPORT_EVERY_US        1000000
/* without events of ours: what others wrote is confirmed now and then */
#define SKIP_REPORT_BYTES      (64 * 1024)
#define SKIP_REPORT_SLOW_BYTES (4 * 1024)
#define SKIP_REPORT_SLOW_US    10000000

#define FEEDBACK_EVERY_US    10000000
#define SHORTEST_FEEDBACK_US 250000
#define QUIET_US             5000000
#define LIVE_ASK_EVERY_US    500000

#define REPUBLISH_EVENTS     1000
#define REPUBLISH_RETRY_US   1000000
#define REPAIR_MAX_IN_FLIGHT 4096

void
relay_stream_begin(Relay *relay)
{
	const ReplicationServer *server = replication_server(relay->replication);
	int64_t timeout_us = server->wal_sender_timeout_ms * 1000;
	char lsn[LSN_TEXT_SIZE];

	relay_enter(relay, PHASE_STREAM);
	memset(&relay->frame, 0, sizeof(relay->frame));
	relay->in_transaction = false;
	relay->is_blocked = false;
	relay->last_end_lsn = 0;
	relay->commit_lsn = 0;
	relay->received_lsn = relay->base_lsn;
	prefix_window_skip(relay->window, relay->base_lsn);

	/*
	 * On record may be more than the slot remembers: the server saves its
	 * position at checkpoints only.  What was acknowledged stays so.
	 */
	relay->confirmed_lsn = relay->base_lsn;
	if (!relay->spec.is_live && relay->row.confirmed_lsn > relay->base_lsn)
		relay->confirmed_lsn = relay->row.confirmed_lsn;
	relay->told_lsn = 0;
	relay->wants_reply = true; /* the first feedback at once */
	relay->events = 0;
	relay->events_before = relay->row.events;
	relay->reported_us = relay->now_us;
	relay->feedback_us = 0;
	relay->heard_us = relay->now_us;
	relay->progress_us = relay->now_us;
	relay->progress_lsn = relay->base_lsn;

	relay->feedback_interval_us = FEEDBACK_EVERY_US;
	if (timeout_us > 0 && timeout_us / 4 < relay->feedback_interval_us)
		relay->feedback_interval_us = timeout_us / 4;
	if (relay->feedback_interval_us < SHORTEST_FEEDBACK_US)
		relay->feedback_interval_us = SHORTEST_FEEDBACK_US;
	if (relay->spec.is_live && relay->feedback_interval_us > LIVE_ASK_EVERY_US)
		relay->feedback_interval_us = LIVE_ASK_EVERY_US;

	relay->is_repairing = !relay->spec.is_live && !relay->row.is_repaired;
	snprintf(relay->cursor, sizeof(relay->cursor), "%s", relay->row.cursor);
	relay->cursor_moved = false;
	relay->repair_after_us = 0;
	if (relay->is_repairing)
		metric_add(relay->spec.metrics->repairs, 1);

	lsn_format(relay->base_lsn, lsn);
	log_info("stream started",
			 "slot=%s lsn=%s system_id=%" PRIu64 " timeline=%" PRIu32
			 " repairing=%s",
			 relay->slot, lsn, server->system_id, server->timeline,
			 relay->is_repairing ? "true" : "false");
	relay_due(relay, relay->now_us);
}

/* ---- receiving ---- */

static void
protocol_error(Relay *relay, const char *reason, const char *bytes, size_t len)
{
	char text[256];
	int at = snprintf(text, sizeof(text), "%s; %zu bytes:", reason, len);

	for (size_t i = 0; i < len && i < 32; i++)
		at += snprintf(text + at, sizeof(text) - (size_t) at, " %02x",
					   (uint8_t) bytes[i]);
	relay_named_stop(relay, "PROTOCOL_ERROR", text);
}

/* NULL, or what is wrong with a frame at this place of the stream. */
static const char *
misplaced(const Relay *relay, const FrameHeader *header)
{
	bool is_first = (header->flags & FRAME_FIRST) != 0;

	if (is_first && relay->in_transaction)
		return "a transaction begins inside another";
	if (!is_first && !relay->in_transaction)
		return "a frame goes on with no transaction";
	if (!is_first && (header->commit_lsn != relay->commit_lsn ||
					  header->end_lsn != relay->last_end_lsn))
		return "a frame of another transaction";
	if (is_first && header->end_lsn <= relay->last_end_lsn)
		return "transactions go backwards";
	return NULL;
}

static void
take_frame(Relay *relay, const ReplicationPacket *packet)
{
	FrameReader *reader = &relay->frame.reader;
	const char *reason = NULL;

	kill_point("after_receive");
	if (!frame_reader_init(reader, (const uint8_t *) packet->bytes,
						   packet->len))
		reason = reader->reason;
	else
		reason = misplaced(relay, &reader->header);
	if (reason != NULL)
	{
		protocol_error(relay, reason, packet->bytes, packet->len);
		return;
	}
	relay->frame.is_here = true;
	relay->frame.has_span = false;
	relay->frame.has_event = false;
}

/* A frame's transaction gets its span; false while the window is full. */
static bool
open_span(Relay *relay)
{
	const FrameHeader *header = &relay->frame.reader.header;
	Sink *sink = relay->spec.sink;

	if (header->flags & FRAME_FIRST)
	{
		if (!prefix_window_begin(relay->window, header->end_lsn, &relay->span))
			return false;
		relay->in_transaction = true;
		relay->commit_lsn = header->commit_lsn;
		relay->last_end_lsn = header->end_lsn;
	}
	relay->frame.has_span = true;
	sink->ops->frame_begin(sink, header, relay->span);
	return true;
}

static void
end_frame(Relay *relay)
{
	const FrameHeader *header = &relay->frame.reader.header;
	Sink *sink = relay->spec.sink;

	sink->ops->frame_end(sink, header, relay->span);
	if (header->flags & FRAME_LAST)
	{
		prefix_window_seal(relay->window, relay->span);
		relay->in_transaction = false;
		metric_add(relay->spec.metrics->transactions, 1);
	}
	relay->frame.is_here = false;
}

/* Reads the frame's next event into frame.event; false at its end. */
static bool
next_event(Relay *relay)
{
	CurrentFrame *frame = &relay->frame;
	SinkEvent *event = &frame->event;

	switch (frame_reader_next(&frame->reader, &event->ordinal, &frame->parsed,
							  &event->record, &event->record_len))
	{
		case FRAME_EVENT:
			event->header = &frame->reader.header;
			event->event = &frame->parsed;
			event->span = relay->span;
			frame->has_event = true;
			return true;
		case FRAME_END:
			end_frame(relay);
			return false;
		case FRAME_BAD:
			break;
	}
	protocol_error(relay, frame->reader.reason, (const char *) frame->reader.at,
				   (size_t) (frame->reader.end - frame->reader.at));
	return false;
}

/* Hands the current frame on, as far as the sink takes it. */
static void
hand_on(Relay *relay, int *budget)
{
	const RelayMetrics *metrics = relay->spec.metrics;
	CurrentFrame *frame = &relay->frame;
	Sink *sink = relay->spec.sink;
	int64_t events = 0;
	int64_t bytes = 0;
	Error err;

	if (!frame->has_span && !open_span(relay))
	{
		relay->is_blocked = true;
		return;
	}
	while (*budget > 0 && (frame->has_event || next_event(relay)))
	{
		SinkStatus status = sink->ops->event(sink, &frame->event, &err);

		if (status == SINK_WAIT)
		{
			relay->is_blocked = true;
			break;
		}
		if (status == SINK_RESTART)
		{
			metric_add(metrics->sink_restarts, 1);
			relay_again(relay, "sink begins again", &err);
			break;
		}
		if (status == SINK_STOP)
		{
			relay_named_stop(relay, sink->stop_name, err.text);
			break;
		}
		frame->has_event = false;
		events++;
		bytes += frame->event.record_len;
		(*budget)--;
	}
	if (events > 0)
	{
		relay->events += (uint64_t) events;
		relay->measured_events += events;
		metric_add(metrics->events, events);
		metric_add(metrics->bytes, bytes);
	}
}

static void
take_keepalive(Relay *relay, const ReplicationPacket *packet)
{
	/* everything before it was sent to us: with nothing open, it is done */
	if (!relay->in_transaction)
		prefix_window_skip(relay->window, packet->wal_end);
	if (packet->wants_reply)
		relay->wants_reply = true;
}

/*
 * One packet; false when there is none.  What libpq reads at once is far less
 * than the server has sent by then: the socket is read until a read brought
 * nothing whole.
 */
static bool
take_packet(Relay *relay, bool *has_read)
{
	ReplicationPacket packet;
	Error err;

	switch (replication_next(relay->replication, &packet, &err))
	{
		case REPLICATION_FRAME:
			take_frame(relay, &packet);
			break;
		case REPLICATION_KEEPALIVE:
			take_keepalive(relay, &packet);
			break;
		case REPLICATION_NONE:
			if (*has_read)
				return false;
			*has_read = true;
			if (replication_read(relay->replication, &err))
				return true;
			relay_again(relay, "replication ended", &err);
			return false;
		case REPLICATION_ENDED:
			relay_again(relay, "replication ended", &err);
			return false;
		case REPLICATION_BAD:
			relay_named_stop(relay, "PROTOCOL_ERROR", err.text);
			return false;
	}
	*has_read = false;
	relay->heard_us = relay->now_us;
	if (packet.wal_end > relay->received_lsn)
		relay->received_lsn = packet.wal_end;
	return true;
}

static void
measure(Relay *relay)
{
	int64_t took_us = relay->now_us - relay->measured_us;
	int64_t per_second;

	if (took_us < MEASURE_US)
		return;
	per_second = relay->measured_events * 1000000 / took_us;
	if (per_second > FLOOD_EVENTS_PER_SECOND)
		relay->pace = PACE_FLOOD;
	else if (per_second > GROUPS_EVENTS_PER_SECOND)
		relay->pace = PACE_GROUPS;
	else
		relay->pace = PACE_SINGLE;
	relay->measured_events = 0;
	relay->measured_us = relay->now_us;
}

static void
note_progress(Relay *relay)
{
	uint64_t position = prefix_window_position(relay->window);

	if (position == relay->progress_lsn &&
		prefix_window_pending(relay->window) > 0)
		return;
	relay->progress_lsn = position;
	relay->progress_us = relay->now_us;
}

/* What was handed on waits for company only while more is sure to come. */
static void
hurry(Relay *relay, int events)
{
	Sink *sink = relay->spec.sink;

	if (events > 0 && relay->pace != PACE_FLOOD && sink->ops->hurry != NULL)
		sink->ops->hurry(sink);
}

/*
 * Who does not read does not notice that the server is gone, and with it the
 * slot's lock: another relay may have it.
 */
static bool
has_left(Relay *relay)
{
	Error err;

	if (relay->phase == PHASE_STREAM && !relay->is_blocked)
		return false;
	if (!replication_is_hung_up(relay->replication))
		return false;
	error_set(&err, "the server closed the connection");
	relay_again(relay, "replication ended", &err);
	return true;
}

void
relay_stream_receive(Relay *relay)
{
	int budget = EVENTS_PER_TURN;
	bool has_read = false;

	if (relay->phase == PHASE_STREAM && relay->exit_code < 0)
	{
		relay->is_blocked = false;
		measure(relay);
		while (budget > 0 && !relay->is_blocked)
		{
			if (relay->frame.is_here)
				hand_on(relay, &budget);
			else if (!take_packet(relay, &has_read))
				break;
			if (relay->phase != PHASE_STREAM || relay->exit_code >= 0)
				return;
		}
		relay->has_more = budget <= 0;
		if (!relay->has_more)
			hurry(relay, EVENTS_PER_TURN - budget);
	}
	if (relay->phase >= PHASE_STREAM && !has_left(relay))
		note_progress(relay);
}

/* ---- on record, then confirmed ---- */

/* Is it time to put `position` on record? */
static bool
is_report_due(Relay *relay, uint64_t position)
{
	uint64_t moved = position - relay->row.confirmed_lsn;
	int64_t since_us = relay->now_us - relay->reported_us;
	bool is_draining = relay->phase == PHASE_DRAIN;

	if (position < relay->row.confirmed_lsn)
		moved = 0;
	if (moved == 0 && !relay->cursor_moved)
		return false;
	if (is_draining && relay->spec.sink->in_flight_records == 0)
		return true;
	/* events of ours behind what is on record, or only others' WAL? */
	if (relay->cursor_moved || relay->row.confirmed_lsn < relay->last_end_lsn)
	{
		if (since_us >= REPORT_EVERY_US)
			return true;
		relay_due(relay, relay->reported_us + REPORT_EVERY_US);
		return false;
	}
	return moved >= SKIP_REPORT_BYTES ||
		   (moved >= SKIP_REPORT_SLOW_BYTES && since_us >= SKIP_REPORT_SLOW_US);
}

static void
begin_report(Relay *relay, uint64_t position)
{
	StreamRow *next = &relay->next;
	const Sink *sink = relay->spec.sink;
	uint64_t in_flight = sink->in_flight_records;

	*next = relay->row;
	if (position > next->confirmed_lsn)
		next->confirmed_lsn = position;
	next->events = relay->events_before;
	if (relay->events > in_flight) /* an event is one record at least */
		next->events += relay->events - in_flight;
	memcpy(next->layout, relay->found.layout, sizeof(next->layout));
	if (sink->ops->layout != NULL)
		sink->ops->layout(sink, next->layout);
	snprintf(next->cursor, sizeof(next->cursor), "%s", relay->cursor);
	next->is_repaired = !relay->is_repairing;
	kill_point("before_report");
	ledger_begin_report(relay->ledger, relay->slot, next);
	relay->reported_us = relay->now_us;
	relay->cursor_moved = false;
	relay_due(relay, relay->now_us);
}

void
relay_stream_report(Relay *relay)
{
	uint64_t position;

	if (relay->phase < PHASE_STREAM || relay->exit_code >= 0)
		return;
	position = prefix_window_position(relay->window);
	if (relay->spec.is_live)
	{
		relay->confirmed_lsn = position;
		return;
	}
	if (relay->answered == LEDGER_REPORT)
	{
		if (relay->call_failed)
			relay->cursor_moved = true; /* again, with what is new by then */
		else
		{
			relay->row = relay->next;
			relay->confirmed_lsn = relay->row.confirmed_lsn;
			kill_point("after_report");
		}
	}
	if (ledger_is_idle(relay->ledger) && is_report_due(relay, position))
		begin_report(relay, position);
}

void
relay_stream_feedback(Relay *relay)
{
	int64_t due_us = relay->feedback_us + relay->feedback_interval_us;
	bool is_quiet;
	bool is_news;
	Error err;

	if (relay->phase < PHASE_STREAM || relay->exit_code >= 0)
		return;
	is_news = relay->confirmed_lsn > relay->told_lsn;
	if (relay->spec.is_live && is_news && relay->phase != PHASE_DRAIN &&
		relay->now_us - relay->feedback_us < REPORT_EVERY_US)
	{
		relay_due(relay, relay->feedback_us + REPORT_EVERY_US);
		is_news = false;
	}
	if (!is_news && !relay->wants_reply && relay->now_us < due_us)
	{
		relay_due(relay, due_us);
		return;
	}
	kill_point("before_feedback");
	/* live: heartbeats go on only while the server is known to be awake */
	is_quiet = relay->now_us - relay->heard_us >
			   (relay->spec.is_live ? LIVE_ASK_EVERY_US / 2 : QUIET_US);
	if (!replication_feedback(relay->replication, relay->received_lsn,
							  relay->confirmed_lsn, is_quiet, &err))
	{
		relay_again(relay, "replication ended", &err);
		return;
	}
	relay->told_lsn = relay->confirmed_lsn;
	relay->wants_reply = false;
	relay->feedback_us = relay->now_us;
	relay_due(relay, relay->now_us + relay->feedback_interval_us);
	kill_point("after_feedback");
}

bool
relay_stream_is_drained(const Relay *relay)
{
	return relay->spec.sink->in_flight_records == 0 &&
		   ledger_is_idle(relay->ledger) &&
		   (relay->spec.is_live || relay->row.confirmed_lsn >=
									   prefix_window_position(relay->window)) &&
		   relay->told_lsn >= relay->confirmed_lsn;
}

/* ---- repair ---- */

static void
take_republished(Relay *relay)
{
	const LedgerRepublish *part = ledger_republish(relay->ledger);
	const RelayMetrics *metrics = relay->spec.metrics;

	if (relay->call_failed)
	{
		relay->repair_after_us = relay->now_us + REPUBLISH_RETRY_US;
		return;
	}
	snprintf(relay->cursor, sizeof(relay->cursor), "%s", part->cursor);
	relay->cursor_moved = true;
	metric_set(metrics->repair_done, part->done);
	metric_set(metrics->repair_total, part->total);
	if (part->is_done)
	{
		relay->is_repairing = false;
		relay->cursor[0] = '\0';
		log_info("history republished", "slot=%s conversations=%" PRId64,
				 relay->slot, part->done);
	}
	else if (relay->told_us == 0 ||
			 relay->now_us - relay->told_us > 10 * 1000000)
	{
		relay->told_us = relay->now_us;
		log_info("republishing", "slot=%s done=%" PRId64 " total=%" PRId64,
				 relay->slot, part->done, part->total);
	}
	kill_point("during_repair");
}

void
relay_stream_repair(Relay *relay)
{
	if (relay->phase != PHASE_STREAM || !relay->is_repairing ||
		relay->exit_code >= 0)
		return;
	if (relay->answered == LEDGER_REPUBLISH)
		take_republished(relay);
	if (!relay->is_repairing || !ledger_is_idle(relay->ledger))
		return;
	if (relay->now_us < relay->repair_after_us)
	{
		relay_due(relay, relay->repair_after_us);
		return;
	}
	/* with Kafka away, the WAL is not filled with the whole history */
	if (relay->is_blocked ||
		relay->spec.sink->in_flight_records > REPAIR_MAX_IN_FLIGHT)
		return;
	ledger_begin_republish(relay->ledger, relay->cursor, REPUBLISH_EVENTS);
	relay_due(relay, relay->now_us);
}
