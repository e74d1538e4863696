/*
 * stage - a server, a sink, a ledger and a loop, played for relay_stream.c
 *
 * What replication.c, ledger.c and relay.c offer it is defined here, so the
 * archive's own are not linked.  Included by one test, once.
 */
#ifndef CHEMCHAT_TEST_STAGE_H
#define CHEMCHAT_TEST_STAGE_H

#include "relay_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "buf.h"
#include "clock.h"
#include "log.h"
#include "property.h"

#define MAX_EVENTS       20000
#define MAX_PACKETS      20000
#define MAX_TRANSACTIONS 8000

/* ---- the server ---- */

typedef struct Packet
{
	char *bytes; /* NULL: a keepalive */
	size_t len;
	uint64_t wal_end;
	bool wants_reply;
} Packet;

static struct
{
	Packet packets[MAX_PACKETS];
	int count;
	int at;
	uint64_t confirmed; /* as the last feedback said */
	int feedbacks;
	bool is_gone;
} server;

static ReplicationServer identity = { .system_id = 7,
									  .timeline = 1,
									  .wal_sender_timeout_ms = 60000 };

const ReplicationServer *
replication_server(const Replication *replication)
{
	return &identity;
}

bool
replication_is_hung_up(const Replication *replication)
{
	return server.is_gone;
}

bool
replication_read(Replication *replication, Error *err)
{
	return true;
}

ReplicationMessage
replication_next(Replication *replication, ReplicationPacket *packet,
				 Error *err)
{
	const Packet *next = &server.packets[server.at];

	if (server.at == server.count)
		return REPLICATION_NONE;
	server.at++;
	*packet = (ReplicationPacket){ .bytes = next->bytes,
								   .len = next->len,
								   .wal_end = next->wal_end,
								   .wants_reply = next->wants_reply };
	return next->bytes != NULL ? REPLICATION_FRAME : REPLICATION_KEEPALIVE;
}

static void check_confirmed(uint64_t confirmed);

bool
replication_feedback(Replication *replication, uint64_t written,
					 uint64_t confirmed, bool asks_reply, Error *err)
{
	check_confirmed(confirmed);
	server.confirmed = confirmed;
	server.feedbacks++;
	return true;
}

/* ---- the loop ---- */

void
relay_enter(Relay *relay, RelayPhase phase)
{
	relay->phase = phase;
	relay->phase_since_us = relay->now_us;
}

void
relay_due(Relay *relay, int64_t at_us)
{
	if (at_us < relay->wait_until_us)
		relay->wait_until_us = at_us;
}

void
relay_again(Relay *relay, const char *what, const Error *err)
{
	relay->exit_code = EXIT_UNAVAILABLE;
}

void
relay_named_stop(Relay *relay, const char *name, const char *reason)
{
	relay->exit_code = EXIT_NAMED_STOP;
}

/* ---- the ledger ---- */

static struct
{
	LedgerCall call;
	StreamRow row; /* what is on record */
	StreamRow reporting;
	int reports;
	bool fails;
	LedgerRepublish part;
	int republished;
} ledger;

bool
ledger_is_idle(const Ledger *unused)
{
	return ledger.call == LEDGER_NOTHING;
}

void
ledger_begin_report(Ledger *unused, const char *slot, const StreamRow *row)
{
	assert_int_equal(ledger.call, LEDGER_NOTHING);
	ledger.call = LEDGER_REPORT;
	ledger.reporting = *row;
}

void
ledger_begin_republish(Ledger *unused, const char *cursor, int max_events)
{
	assert_int_equal(ledger.call, LEDGER_NOTHING);
	ledger.call = LEDGER_REPUBLISH;
	ledger.republished++;
	assert_true(strtol(cursor, NULL, 10) == ledger.republished - 1);
	snprintf(ledger.part.cursor, sizeof(ledger.part.cursor), "%d",
			 ledger.republished);
	ledger.part.is_done = ledger.republished == 5;
}

const LedgerRepublish *
ledger_republish(const Ledger *unused)
{
	return &ledger.part;
}

/* ---- the sink: keeps everything, acknowledges when told to ---- */

typedef struct Taken
{
	PrefixSpan span;
	uint64_t end_lsn;
	uint32_t number; /* the event's ev */
	bool is_acknowledged;
} Taken;

static struct
{
	Sink base;
	PrefixWindow *window;
	Taken taken[MAX_EVENTS];
	int count;
	int wait_percent;
	Random *random;
} memory;

static void
memory_frame(Sink *sink, const FrameHeader *header, PrefixSpan span)
{
}

static SinkStatus
memory_event(Sink *sink, const SinkEvent *event, Error *err)
{
	Taken *taken = &memory.taken[memory.count];

	if ((int) random_below(memory.random, 100) < memory.wait_percent)
		return SINK_WAIT;
	assert_true(memory.count < MAX_EVENTS);
	*taken = (Taken){ .span = event->span,
					  .end_lsn = event->header->end_lsn,
					  .number = (uint32_t) event->event->ev };
	memory.count++;
	prefix_window_add(memory.window, event->span);
	sink->in_flight_records++;
	return SINK_OK;
}

static const SinkOps memory_ops = {
	.name = "memory",
	.frame_begin = memory_frame,
	.event = memory_event,
	.frame_end = memory_frame,
};

static void
acknowledge(int i)
{
	Taken *taken = &memory.taken[i];

	if (taken->is_acknowledged)
		return;
	taken->is_acknowledged = true;
	memory.base.in_flight_records--;
	prefix_window_done(memory.window, taken->span);
}

/* ---- the history that the server sends ---- */

static struct
{
	uint64_t end_lsn[MAX_TRANSACTIONS];
	uint32_t last_event[MAX_TRANSACTIONS]; /* number of its last one */
	int count;
	uint32_t events;
	uint64_t lsn;
} history;

static void
add_frame(const FrameHeader *header, uint32_t first_ordinal)
{
	static const uint8_t some[16] = { 1 };
	Packet *packet = &server.packets[server.count++];
	Buf buf;
	uint8_t head[FRAME_HEADER_SIZE];

	buf_init(&buf);
	frame_write_header(head, header);
	buf_append(&buf, head, sizeof(head));
	for (uint32_t i = 0; i < header->event_count; i++)
	{
		Event event = { .kind = EVENT_MESSAGE,
						.key = some,
						.id = some,
						.ev = ++history.events,
						.seq = 1,
						.rev = 1,
						.json = "{}",
						.json_len = 2 };
		uint8_t size[8];

		bytes_put_u32(size, first_ordinal + i);
		bytes_put_u32(size + 4, (uint32_t) event_size(&event));
		buf_append(&buf, size, 8);
		event_write((uint8_t *) buf_reserve(&buf, event_size(&event)), &event);
		buf.len += event_size(&event);
	}
	assert_true(server.count <= MAX_PACKETS);
	packet->bytes = buf.data;
	packet->len = buf.len;
	packet->wal_end = header->end_lsn;
}

static void
add_transaction(Random *random)
{
	int frames = random_below(random, 10) == 0 ? 3 : 1;
	FrameHeader header = { 0 };
	uint32_t ordinal = 0;

	history.lsn += 100 + random_below(random, 100);
	header.commit_lsn = history.lsn;
	history.lsn += 50;
	header.end_lsn = history.lsn;
	for (int i = 0; i < frames; i++)
	{
		header.flags = (uint8_t) ((i == 0 ? FRAME_FIRST : 0) |
								  (i == frames - 1 ? FRAME_LAST : 0));
		header.event_count = 1 + (uint32_t) random_below(random, 4);
		if (i == 2)
			header.event_count = 0; /* a frame that only says LAST */
		add_frame(&header, ordinal);
		ordinal += header.event_count;
	}
	history.end_lsn[history.count] = header.end_lsn;
	history.last_event[history.count++] = history.events;
}

static void
add_keepalive(Random *random)
{
	Packet *packet = &server.packets[server.count++];

	history.lsn += random_below(random, 200000);
	packet->bytes = NULL;
	packet->wal_end = history.lsn;
	packet->wants_reply = random_below(random, 2) == 0;
}

/* S8: nothing at or before the LSN is unacknowledged; and it is on record. */
static void
check_confirmed(uint64_t confirmed)
{
	uint32_t needed = 0;
	uint32_t prefix = 0;

	for (int i = 0; i < history.count && history.end_lsn[i] <= confirmed; i++)
		needed = history.last_event[i];
	while (prefix < (uint32_t) memory.count &&
		   memory.taken[prefix].is_acknowledged)
		prefix++;
	assert_true(prefix >= needed);
	assert_true(confirmed >= server.confirmed);
	assert_true(confirmed <= ledger.row.confirmed_lsn);
}

/* ---- the loop around it ---- */

static RelayMetrics metrics;
static int64_t now_us;

static Relay *
relay_begin(Random *random, bool is_repaired)
{
	Relay *relay = calloc(1, sizeof(*relay));

	for (int i = 0; i < server.count; i++)
		free(server.packets[i].bytes);
	memset(&server, 0, sizeof(server));
	memset(&ledger, 0, sizeof(ledger));
	memset(&memory, 0, sizeof(memory));
	memset(&history, 0, sizeof(history));
	history.lsn = 5000;
	memory.base.ops = &memory_ops;
	memory.random = random;
	memory.window = prefix_window_new(0, 64);
	relay_metrics_init(&metrics, "memory");
	relay->spec.name = "test";
	relay->spec.sink = &memory.base;
	relay->spec.metrics = &metrics;
	relay->exit_code = -1;
	relay->window = memory.window;
	relay->base_lsn = 1000;
	relay->row = (StreamRow){ .exists = true,
							  .confirmed_lsn = 1000,
							  .is_repaired = is_repaired };
	ledger.row = relay->row;
	now_us = 1000000;
	relay->now_us = now_us;
	relay_stream_begin(relay);
	return relay;
}

static void
relay_end(Relay *relay)
{
	prefix_window_free(&memory.window);
	free(relay);
}

/* What relay.c's chores do around the streaming ones. */
static void
turn(Relay *relay, bool ledger_answers)
{
	clock_set(now_us, now_us);
	relay->now_us = now_us;
	relay->wait_until_us = now_us + 1000000;
	relay->answered = LEDGER_NOTHING;
	relay->call_failed = false;
	if (ledger_answers && ledger.call != LEDGER_NOTHING)
	{
		relay->answered = ledger.call;
		relay->call_failed = ledger.fails;
		if (ledger.call == LEDGER_REPORT && !ledger.fails)
		{
			ledger.reports++;
			ledger.row = ledger.reporting;
		}
		ledger.call = LEDGER_NOTHING;
	}
	relay_stream_receive(relay);
	relay_stream_report(relay);
	relay_stream_repair(relay);
	relay_stream_feedback(relay);
}

#endif
