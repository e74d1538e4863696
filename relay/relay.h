/*
 * relay - carries one slot into one sink
 *
 * The loop, and the only place where replication, ledger, sink and window
 * meet.  It waits for the slot's lock (another process may have it: then it
 * stands by), compares what is on record, makes or repairs what has to be, and
 * then streams: what Kafka acknowledged is put on record, what is on record is
 * confirmed to the server, in this order and never the other way round.
 *
 * Whatever fails, it begins again at the confirmed LSN, with growing pauses.
 * What it cannot mend ends it with a name (docs/operations.md, "Stops").
 *
 * One thread runs a relay; relay_stop and the getters may be called from
 * another.
 */
#ifndef CHEMCHAT_RELAY_H
#define CHEMCHAT_RELAY_H

#include "pg_session.h"
#include "relay_metrics.h"
#include "sink.h"

typedef struct Relay Relay;

typedef struct RelaySpec
{
	const char *name; /* "kafka", "live": for the log */
	bool is_live;     /* from now on, without record, repair or replays */
	PgTarget replication;
	PgTarget ordinary;
	int shard;
	int shards;
	bool adopts_change; /* topics that changed are taken as they are */
	int64_t slot_lock_timeout_ms; /* of one attempt to make the slot */
	int64_t drain_timeout_ms;
	Sink *sink; /* the relay's from now on */
	const RelayMetrics *metrics;
} RelaySpec;

/* The texts in spec are borrowed for the relay's life. */
Relay *relay_new(const RelaySpec *spec);
void relay_free(Relay **relay);

/* Runs until stopped; returns an ExitCode of daemon.h. */
int relay_run(Relay *relay);

/* --- from any thread */

/* Asks it to drain and return. */
void relay_stop(Relay *relay);

/* NULL when ready (streaming, or standing by), else static text. */
const char *relay_not_ready(const Relay *relay);

/* When the loop last turned (clock_now_us). */
int64_t relay_turned_us(const Relay *relay);

#endif
