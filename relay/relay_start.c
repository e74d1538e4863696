#include "relay_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "lsn.h"

#define LOCK_EVERY_US 200000
#define TELL_FIRST_US 2000000
#define TELL_EVERY_US 10000000

/* True at most every ten seconds of a phase that lasts. */
static bool
is_time_to_tell(Relay *relay)
{
	int64_t due = relay->told_us == 0 ? relay->phase_since_us + TELL_FIRST_US
									  : relay->told_us + TELL_EVERY_US;

	if (relay->now_us < due)
	{
		relay_due(relay, due);
		return false;
	}
	relay->told_us = relay->now_us;
	return true;
}

/* One step of what is under way on the replication connection. */
static PgStep
step(Relay *relay, const char *what)
{
	Error err;
	PgStep result = replication_step(relay->replication, &err);

	if (result == PG_FAILED)
		relay_again(relay, what, &err);
	return result;
}

static void
turn_connect(Relay *relay)
{
	Error err;

	if (relay->replication == NULL)
	{
		if (relay->now_us < relay->connect_after_us)
		{
			relay_due(relay, relay->connect_after_us);
			return;
		}
		if (relay->connections++ > 0)
			metric_add(relay->spec.metrics->reconnects, 1);
		relay->replication = replication_open(&relay->spec.replication, &err);
		if (relay->replication == NULL)
		{
			relay_again(relay, "could not begin to replicate", &err);
			return;
		}
	}
	if (step(relay, "could not begin to replicate") == PG_READY)
		relay_enter(relay, PHASE_NAME);
}

/*
 * Has the record read; true when the answer is there.  The ordinary connection
 * must lead to the server that will stream.
 */
static bool
look(Relay *relay)
{
	const ReplicationServer *server = replication_server(relay->replication);
	Error err;

	if (!relay->is_asking)
	{
		if (ledger_is_idle(relay->ledger))
		{
			ledger_begin_look(relay->ledger);
			relay->is_asking = true;
			relay_due(relay, relay->now_us);
		}
		return false;
	}
	if (relay->answered != LEDGER_LOOK)
		return false;
	relay->is_asking = false;
	if (relay->call_failed)
	{
		error_set(&err, "could not read the record");
		relay_again(relay, "could not begin to replicate", &err);
		return false;
	}
	if (ledger_look(relay->ledger)->system_id != server->system_id)
	{
		error_set(&err, "the two connections lead to different servers");
		relay_again(relay, "could not begin to replicate", &err);
		return false;
	}
	return true;
}

static void
turn_name(Relay *relay)
{
	if (!look(relay))
		return;
	snprintf(relay->slot, sizeof(relay->slot), "%s",
			 ledger_look(relay->ledger)->slot_name);
	relay_enter(relay, PHASE_LOCK);
	relay_due(relay, relay->now_us);
}

static void
turn_lock(Relay *relay)
{
	Error err;

	if (!relay->is_asking)
	{
		if (relay->now_us < relay->connect_after_us)
		{
			relay_due(relay, relay->connect_after_us);
			return;
		}
		if (!replication_begin_lock(relay->replication, relay->slot, &err))
		{
			relay_again(relay, "could not take the lock", &err);
			return;
		}
		relay->is_asking = true;
	}
	if (step(relay, "could not take the lock") != PG_READY)
		return;
	if (replication_has_lock(relay->replication))
	{
		relay_enter(relay, PHASE_LOOK);
		relay_due(relay, relay->now_us);
		return;
	}
	relay->is_asking = false;
	relay->connect_after_us = relay->now_us + LOCK_EVERY_US;
	relay_due(relay, relay->connect_after_us);
	if (relay->told_us == 0)
	{
		relay->told_us = relay->now_us;
		log_info("standing by", "slot=%s", relay->slot);
	}
}

static void
turn_look(Relay *relay)
{
	if (!look(relay))
		return;
	relay->row = ledger_look(relay->ledger)->row;
	relay_enter(relay, PHASE_SINK);
	relay_due(relay, relay->now_us);
}

static void
turn_sink(Relay *relay)
{
	const ReplicationServer *server = replication_server(relay->replication);
	Sink *sink = relay->spec.sink;
	SinkIdentity identity = {
		.system_id = server->system_id,
		.timeline = server->timeline,
		.recorded_layout = relay->row.exists ? relay->row.layout : NULL,
		.adopts_change = relay->spec.adopts_change,
		.connection = relay->connections,
	};
	SinkStatus status;
	Error err = { "" };

	/*
	 * The sink may report to the window of the stream before until start is
	 * called; from then on that one is nobody's.
	 */
	if (relay->next_window == NULL)
		relay->next_window = prefix_window_new(0, RELAY_MAX_SPANS);
	status = sink->ops->start(sink, &identity, relay->next_window,
							  &relay->found, &err);
	prefix_window_free(&relay->window);
	switch (status)
	{
		case SINK_OK:
			relay->window = relay->next_window;
			relay->next_window = NULL;
			relay_enter(relay, PHASE_FACTS);
			relay_due(relay, relay->now_us);
			break;
		case SINK_WAIT:
		case SINK_RESTART:
			if (is_time_to_tell(relay))
				log_warn("waiting for the sink", "slot=%s reason=%s",
						 relay->slot, log_quote(err.text));
			break;
		case SINK_STOP:
			relay_named_stop(relay, sink->stop_name, err.text);
			break;
	}
}

static void
enter_after_slot(Relay *relay)
{
	bool is_new = relay->decision.verdict == START_REPAIR;

	relay_enter(relay, is_new ? PHASE_RECORD : PHASE_START);
	relay_due(relay, relay->now_us);
}

static void
turn_facts(Relay *relay)
{
	const ReplicationServer *server = replication_server(relay->replication);
	const LedgerLook *now = ledger_look(relay->ledger);
	StartFacts facts;

	if (!look(relay))
		return;
	relay->row = now->row;
	facts = (StartFacts){
		.system_id = server->system_id,
		.timeline = server->timeline,
		.flush_lsn = now->flush_lsn,
		.shards = relay->spec.shards,
		.row = &relay->row,
		.slot = &now->slot,
		.found = &relay->found,
	};
	relay->decision = relay->spec.is_live ? decide_live_start(&now->slot)
										  : decide_start(&facts);
	if (relay->decision.verdict == START_STOP)
	{
		relay_named_stop(relay, relay->decision.stop_name,
						 relay->decision.reason);
		return;
	}
	log_info(relay->decision.verdict == START_STREAM ? "going on" : "repairing",
			 "slot=%s reason=%s new_slot=%s", relay->slot,
			 log_quote(relay->decision.reason),
			 relay->decision.creates_slot ? "true" : "false");

	relay->base_lsn = now->slot.confirmed_lsn;
	if (relay->spec.is_live)
		relay->base_lsn = now->flush_lsn; /* what is older, nobody awaits */
	if (relay->decision.drops_slot)
		relay_enter(relay, PHASE_DROP);
	else if (relay->decision.creates_slot)
		relay_enter(relay, PHASE_CREATE);
	else
	{
		enter_after_slot(relay);
		return;
	}
	relay_due(relay, relay->now_us);
}

static void
turn_drop(Relay *relay)
{
	Error err;

	if (!relay->is_asking)
	{
		if (!replication_begin_drop(relay->replication, relay->slot, &err))
		{
			relay_again(relay, "could not drop the lost slot", &err);
			return;
		}
		relay->is_asking = true;
	}
	if (step(relay, "could not drop the lost slot") == PG_READY)
	{
		relay_enter(relay, PHASE_CREATE);
		relay_due(relay, relay->now_us);
	}
}

/* Making a slot waits for every open transaction: say for which. */
static void
tell_blockers(Relay *relay)
{
	const ReplicationServer *server = replication_server(relay->replication);

	if (relay->answered == LEDGER_BLOCKERS && !relay->call_failed)
		log_warn("making the slot waits for open transactions",
				 "slot=%s blocking_pids=%s", relay->slot,
				 log_quote(ledger_blockers(relay->ledger)));
	if (ledger_is_idle(relay->ledger) && is_time_to_tell(relay))
		ledger_begin_blockers(relay->ledger, server->backend_pid);
}

static void
turn_create(Relay *relay)
{
	Error err;
	PgStep result;

	if (!relay->is_asking)
	{
		if (!replication_begin_create(relay->replication, relay->slot,
									  relay->spec.slot_lock_timeout_ms, &err))
		{
			relay_again(relay, "could not make the slot", &err);
			return;
		}
		relay->is_asking = true;
	}
	result = step(relay, "could not make the slot");
	if (result == PG_PENDING)
		tell_blockers(relay);
	if (result != PG_READY)
		return;
	if (!relay->spec.is_live ||
		relay->base_lsn < replication_slot_lsn(relay->replication))
		relay->base_lsn = replication_slot_lsn(relay->replication);
	log_info("slot made", "slot=%s", relay->slot);
	enter_after_slot(relay);
}

/*
 * Before a repair streams its first event, the record says from which LSN, and
 * that the history is not republished yet: so a relay killed now goes on.
 */
static void
turn_record(Relay *relay)
{
	const ReplicationServer *server = replication_server(relay->replication);
	StreamRow *next = &relay->next;
	Error err;

	if (!relay->is_asking)
	{
		if (!ledger_is_idle(relay->ledger))
			return;
		memset(next, 0, sizeof(*next));
		next->exists = true;
		next->system_id = server->system_id;
		next->timeline = server->timeline;
		next->shards = relay->spec.shards;
		memcpy(next->layout, relay->found.layout, sizeof(next->layout));
		next->confirmed_lsn = relay->base_lsn;
		/* of topics made again, nothing is there yet */
		next->events = relay->found.is_changed ? 0 : relay->row.events;
		ledger_begin_report(relay->ledger, relay->slot, next);
		relay->is_asking = true;
		relay_due(relay, relay->now_us);
		return;
	}
	if (relay->answered != LEDGER_REPORT)
		return;
	if (relay->call_failed)
	{
		error_set(&err, "could not write the record");
		relay_again(relay, "could not begin to replicate", &err);
		return;
	}
	relay->row = *next;
	relay_enter(relay, PHASE_START);
	relay_due(relay, relay->now_us);
}

static void
turn_start(Relay *relay)
{
	ReplicationStart start = {
		.slot = relay->slot,
		.lsn = relay->spec.is_live ? relay->base_lsn : 0,
		.shard = relay->spec.shard,
		.shards = relay->spec.shards,
		.with_replays = !relay->spec.is_live,
	};
	Error err;

	if (!relay->is_asking)
	{
		if (!replication_begin_stream(relay->replication, &start, &err))
		{
			relay_again(relay, "could not start the stream", &err);
			return;
		}
		relay->is_asking = true;
	}
	if (step(relay, "could not start the stream") == PG_READY)
		relay_stream_begin(relay);
}

/*
 * While somebody else is asked, the replication connection is idle: that the
 * server ended it has to be seen all the same.
 */
static bool
is_replication_idle(const Relay *relay)
{
	switch (relay->phase)
	{
		case PHASE_NAME:
		case PHASE_LOOK:
		case PHASE_SINK:
		case PHASE_FACTS:
		case PHASE_RECORD:
			return true;
		case PHASE_LOCK:
			return !relay->is_asking;
		case PHASE_CONNECT:
		case PHASE_DROP:
		case PHASE_CREATE:
		case PHASE_START:
		case PHASE_STREAM:
		case PHASE_DRAIN:
			break;
	}
	return false;
}

void
relay_start_turn(Relay *relay)
{
	if (relay->exit_code >= 0)
		return;
	if (is_replication_idle(relay) &&
		step(relay, "could not begin to replicate") == PG_FAILED)
		return;
	switch (relay->phase)
	{
		case PHASE_CONNECT:
			turn_connect(relay);
			break;
		case PHASE_NAME:
			turn_name(relay);
			break;
		case PHASE_LOCK:
			turn_lock(relay);
			break;
		case PHASE_LOOK:
			turn_look(relay);
			break;
		case PHASE_SINK:
			turn_sink(relay);
			break;
		case PHASE_FACTS:
			turn_facts(relay);
			break;
		case PHASE_DROP:
			turn_drop(relay);
			break;
		case PHASE_CREATE:
			turn_create(relay);
			break;
		case PHASE_RECORD:
			turn_record(relay);
			break;
		case PHASE_START:
			turn_start(relay);
			break;
		case PHASE_STREAM:
		case PHASE_DRAIN:
			break;
	}
}
