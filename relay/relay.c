#include "relay.h"
#include "relay_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/eventfd.h>

#include "clock.h"
#include "log.h"
#include "lsn.h"
#include "xalloc.h"

#define LONGEST_WAIT_US  1000000
#define FIRST_PAUSE_US   100000
#define LONGEST_PAUSE_US 2000000
#define GAUGES_EVERY_US  250000
#define PENDING_EVERY_US 15000000
#define STALLED_US       8000000

/*
 * From a certain rate on packets are awaited by a nap instead of poll().  In a
 * flood it is as short as the socket's buffer; below, what is gathered spares
 * Kafka's side more than the relay (seen at 5,000/s on two cores: p99 of
 * commit to append 49-105 ms without, 8-12 with it).  Live delivery does not
 * gather: people wait for it.
 */
#define FLOOD_NAP_US 100
#define GROUP_NAP_US 2000

Relay *
relay_new(const RelaySpec *spec)
{
	Relay *relay = xcalloc(1, sizeof(*relay));

	relay->spec = *spec;
	relay->stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (relay->stop_fd < 0)
		abort(); /* no descriptor at start: as out of memory */
	relay->exit_code = -1;
	relay->pause_us = FIRST_PAUSE_US;
	relay->not_ready = "starting";
	relay->turned_us = clock_now_us();
	relay->ledger = ledger_new(&relay->spec.ordinary, spec->is_live,
							   spec->shard, spec->shards);
	relay_enter(relay, PHASE_CONNECT);
	return relay;
}

static void
drop_stream(Relay *relay)
{
	replication_close(&relay->replication);
	memset(&relay->frame, 0, sizeof(relay->frame));
	relay->in_transaction = false;
	relay->is_blocked = false;
	relay->pace = PACE_SINGLE;
	relay->is_repairing = false;
	relay->is_asking = false;
}

void
relay_free(Relay **relay_ref)
{
	Relay *relay = *relay_ref;

	if (relay == NULL)
		return;
	*relay_ref = NULL;
	drop_stream(relay);
	sink_free(&relay->spec.sink);
	ledger_free(&relay->ledger);
	prefix_window_free(&relay->window);
	prefix_window_free(&relay->next_window);
	close(relay->stop_fd);
	free(relay);
}

void
relay_stop(Relay *relay)
{
	uint64_t one = 1;

	atomic_store(&relay->is_stopping, true);
	if (write(relay->stop_fd, &one, sizeof(one)) < 0)
		abort(); /* an eventfd takes one more, always */
}

const char *
relay_not_ready(const Relay *relay)
{
	return atomic_load(&relay->not_ready);
}

int64_t
relay_turned_us(const Relay *relay)
{
	return atomic_load(&relay->turned_us);
}

void
relay_enter(Relay *relay, RelayPhase phase)
{
	relay->phase = phase;
	relay->is_asking = false;
	relay->phase_since_us = clock_now_us();
	relay->told_us = 0;
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
	bool was_streaming = relay->phase >= PHASE_STREAM;

	if (atomic_load(&relay->is_stopping))
	{
		relay->exit_code = EXIT_OK;
		return;
	}
	/* what worked for a while begins again at once */
	if (was_streaming &&
		relay->now_us - relay->phase_since_us > LONGEST_PAUSE_US)
		relay->pause_us = FIRST_PAUSE_US;
	log_warn(what, "slot=%s reason=%s again_in_ms=%" PRId64,
			 relay->slot[0] != '\0' ? relay->slot : relay->spec.name,
			 log_quote(err->text), relay->pause_us / 1000);
	drop_stream(relay);
	relay->connect_after_us = relay->now_us + relay->pause_us / 2 +
							  random() % (relay->pause_us / 2 + 1);
	relay->pause_us *= 2;
	if (relay->pause_us > LONGEST_PAUSE_US)
		relay->pause_us = LONGEST_PAUSE_US;
	relay_enter(relay, PHASE_CONNECT);
}

void
relay_named_stop(Relay *relay, const char *name, const char *reason)
{
	log_error("stopped", "stop=%s slot=%s reason=%s", name,
			  relay->slot[0] != '\0' ? relay->slot : relay->spec.name,
			  log_quote(reason));
	relay->exit_code = EXIT_NAMED_STOP;
}

/* ---- the chores of a turn, in their order ---- */

static void
chore_stop(Relay *relay)
{
	if (!atomic_load(&relay->is_stopping) || relay->phase == PHASE_DRAIN)
		return;
	if (relay->phase != PHASE_STREAM)
	{
		relay->exit_code = EXIT_OK; /* nothing of ours is under way */
		return;
	}
	relay_enter(relay, PHASE_DRAIN);
	relay->drain_until_us = relay->now_us + relay->spec.drain_timeout_ms * 1000;
	log_info("draining", "slot=%s in_flight=%zu", relay->slot,
			 relay->spec.sink->in_flight_records);
}

static void
chore_ledger(Relay *relay)
{
	Error err;

	relay->answered = LEDGER_NOTHING;
	relay->call_failed = false;
	switch (ledger_turn(relay->ledger, relay->now_us, &err))
	{
		case LEDGER_BUSY:
		case LEDGER_IDLE:
			return;
		case LEDGER_DONE:
			relay->answered = ledger_last_call(relay->ledger);
			return;
		case LEDGER_FAILED:
			break;
	}
	relay->answered = ledger_last_call(relay->ledger);
	relay->call_failed = true;
	log_warn("ordinary connection", "slot=%s reason=%s",
			 relay->slot[0] != '\0' ? relay->slot : relay->spec.name,
			 log_quote(err.text));

	/*
	 * A server that shuts down waits until its walsenders have everything
	 * confirmed, and we cannot confirm what we cannot put on record: leave,
	 * or it waits for wal_sender_timeout.
	 */
	if (ledger_server_stops(relay->ledger) && relay->replication != NULL)
		relay_again(relay, "server shuts down", &err);
}

static void
chore_sink(Relay *relay)
{
	Sink *sink = relay->spec.sink;
	Error err;

	sink->heard_us = relay->phase >= PHASE_STREAM ? relay->heard_us : 0;
	switch (sink->ops->turn(sink, relay->now_us, &err))
	{
		case SINK_OK:
		case SINK_WAIT:
			break;
		case SINK_RESTART:
			metric_add(relay->spec.metrics->sink_restarts, 1);
			relay_again(relay, "sink begins again", &err);
			break;
		case SINK_STOP:
			relay_named_stop(relay, sink->stop_name, err.text);
			break;
	}
}

static void
chore_drained(Relay *relay)
{
	if (relay->phase != PHASE_DRAIN)
		return;
	if (relay_stream_is_drained(relay))
		log_info("drained", "slot=%s confirmed=%" PRIX64 "/%" PRIX64,
				 relay->slot, relay->confirmed_lsn >> 32,
				 relay->confirmed_lsn & 0xffffffff);
	else if (relay->now_us >= relay->drain_until_us)
		log_warn("drain timed out", "slot=%s in_flight=%zu", relay->slot,
				 relay->spec.sink->in_flight_records);
	else
	{
		relay_due(relay, relay->drain_until_us);
		return;
	}
	relay->exit_code = EXIT_OK;
}

static void
chore_pending(Relay *relay)
{
	const RelayMetrics *metrics = relay->spec.metrics;

	if (relay->answered == LEDGER_PENDING && !relay->call_failed)
		metric_set(metrics->pending, ledger_pending(relay->ledger));
	if (relay->spec.is_live || relay->phase != PHASE_STREAM ||
		relay->now_us - relay->pending_us < PENDING_EVERY_US)
		return;
	if (relay->confirmed_lsn >= relay->last_end_lsn &&
		relay->received_lsn - relay->confirmed_lsn < 64 * 1024)
	{
		/* all that was sent is confirmed: no need to read the WAL */
		metric_set(metrics->pending, 0);
		relay->pending_us = relay->now_us;
	}
	else if (ledger_is_idle(relay->ledger))
	{
		ledger_begin_pending(relay->ledger, relay->slot);
		relay->pending_us = relay->now_us;
	}
}

static void
chore_gauges(Relay *relay)
{
	const RelayMetrics *metrics = relay->spec.metrics;
	const Sink *sink = relay->spec.sink;
	bool is_streaming = relay->phase >= PHASE_STREAM;

	if (relay->now_us - relay->metrics_us < GAUGES_EVERY_US)
		return;
	relay->metrics_us = relay->now_us;
	metric_set(metrics->is_streaming, is_streaming);
	metric_set(metrics->in_flight_records, (int64_t) sink->in_flight_records);
	metric_set(metrics->in_flight_bytes, (int64_t) sink->in_flight_bytes);
	if (!is_streaming)
	{
		/* the sum over replicas is the outbox's: whoever streams tells it */
		metric_set(metrics->pending, 0);
		metric_set(metrics->lag_bytes, 0);
		return;
	}
	metric_set(metrics->confirmed_lsn, (int64_t) relay->confirmed_lsn);
	metric_set(metrics->lag_bytes,
			   relay->received_lsn > relay->confirmed_lsn
				   ? (int64_t) (relay->received_lsn - relay->confirmed_lsn)
				   : 0);
}

/* Why it is not ready, as static text; NULL when it is. */
static const char *
not_ready_reason(const Relay *relay)
{
	switch (relay->phase)
	{
		case PHASE_CONNECT:
			return "connecting to PostgreSQL";
		case PHASE_NAME:
		case PHASE_LOOK:
		case PHASE_FACTS:
		case PHASE_RECORD:
			return "asking PostgreSQL";
		case PHASE_SINK:
			return relay->spec.is_live ? "starting" : "looking at the topics";
		case PHASE_DROP:
		case PHASE_CREATE:
			return "making the slot";
		case PHASE_START:
			return "starting the stream";
		case PHASE_LOCK:
		case PHASE_STREAM:
		case PHASE_DRAIN:
			break;
	}
	if (relay->phase == PHASE_LOCK)
		return NULL; /* standing by is a job */
	if (relay->now_us - relay->progress_us > STALLED_US)
		return "the sink does not acknowledge";
	return NULL;
}

static void
chore_ready(Relay *relay)
{
	atomic_store(&relay->not_ready, not_ready_reason(relay));
}

/* For how long to wait without looking; 0: wait by poll(). */
static int64_t
nap_us(const Relay *relay)
{
	if (relay->phase != PHASE_STREAM || relay->is_blocked)
		return 0;
	switch (relay->pace)
	{
		case PACE_FLOOD:
			return FLOOD_NAP_US;
		case PACE_GROUPS:
			return relay->spec.is_live ? 0 : GROUP_NAP_US;
		case PACE_SINGLE:
			break;
	}
	return 0;
}

static void
chore_wait(Relay *relay)
{
	struct pollfd fds[3 + SINK_MAX_FDS];
	const PgSession *session;
	nfds_t count = 0;
	int64_t wait_us;

	fds[count++] = (struct pollfd){ .fd = atomic_load(&relay->is_stopping)
											  ? -1
											  : relay->stop_fd,
									.events = POLLIN };
	if (relay->replication != NULL)
	{
		short events;

		session = replication_session(relay->replication);
		events = pg_session_events(session);
		if (pg_session_is_copying(session))
		{
			/* what the sink cannot take stays in the socket */
			events = (short) (events & ~POLLIN);
			if (relay->phase == PHASE_STREAM && !relay->is_blocked)
				events = (short) (events | POLLIN);
		}
		relay_due(relay, pg_session_deadline_us(session));
		fds[count++] =
			(struct pollfd){ .fd = pg_session_fd(session), .events = events };
	}
	count +=
		(nfds_t) ledger_wait(relay->ledger, &fds[count], &relay->wait_until_us);
	count += (nfds_t) relay->spec.sink->ops->wait(relay->spec.sink, &fds[count],
												  &relay->wait_until_us);
	wait_us = relay->wait_until_us - clock_now_us();
	if (relay->has_more || wait_us <= 0)
		return; /* the chores look at everything by themselves */
	if (nap_us(relay) > 0)
		(void) nanosleep(&(struct timespec){ .tv_nsec = nap_us(relay) * 1000 },
						 NULL);
	else
		(void) poll(fds, count, (int) ((wait_us + 999) / 1000));
}

static void
turn(Relay *relay)
{
	relay->now_us = clock_now_us();
	relay->wait_until_us = relay->now_us + LONGEST_WAIT_US;
	relay->has_more = false;
	atomic_store(&relay->turned_us, relay->now_us);

	chore_stop(relay);
	chore_ledger(relay);
	chore_sink(relay);
	relay_start_turn(relay);
	relay_stream_receive(relay);
	relay_stream_report(relay);
	relay_stream_repair(relay);
	relay_stream_feedback(relay);
	chore_drained(relay);
	chore_pending(relay);
	chore_gauges(relay);
	chore_ready(relay);
	if (relay->exit_code < 0)
		chore_wait(relay);
}

int
relay_run(Relay *relay)
{
	while (relay->exit_code < 0)
		turn(relay);
	drop_stream(relay);
	return relay->exit_code;
}
