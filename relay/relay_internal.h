/*
 * relay_internal - what relay.c, relay_start.c and relay_stream.c share
 */
#ifndef CHEMCHAT_RELAY_INTERNAL_H
#define CHEMCHAT_RELAY_INTERNAL_H

#include <stdatomic.h>

#include "daemon.h"
#include "decide.h"
#include "frame.h"
#include "ledger.h"
#include "relay.h"
#include "replication.h"

/* Spans under way; sink_kafka keeps a time for as many. */
#define RELAY_MAX_SPANS 16384

typedef enum RelayPhase
{
	PHASE_CONNECT, /* waiting to connect, connecting */
	PHASE_NAME,    /* asking for the slot's name */
	PHASE_LOCK,    /* trying for its lock: standing by */
	PHASE_LOOK,    /* reading the record */
	PHASE_SINK,    /* the sink starts */
	PHASE_FACTS,   /* reading slot and record again, now that Kafka was read */
	PHASE_DROP,
	PHASE_CREATE,
	PHASE_RECORD, /* a repair is put on record before it begins */
	PHASE_START,
	PHASE_STREAM,
	PHASE_DRAIN
} RelayPhase;

/*
 * How events come, and so how they are waited for.  Every wake-up costs more
 * than an event, here, in the walsender, in librdkafka and in the broker.
 */
typedef enum RelayPace
{
	PACE_SINGLE, /* each is sent as it comes */
	PACE_GROUPS, /* some at a time: looked for now and then, sent at once */
	PACE_FLOOD   /* the same, and what was sent waits for company */
} RelayPace;

/* The frame that is being handed to the sink. */
typedef struct CurrentFrame
{
	bool is_here;   /* its bytes are valid */
	bool has_span;  /* its transaction has a span in the window */
	bool has_event; /* `event` was read and not taken yet */
	FrameReader reader;
	SinkEvent event;
	Event parsed;
} CurrentFrame;

struct Relay
{
	RelaySpec spec;
	int stop_fd;
	atomic_bool is_stopping;
	_Atomic(const char *) not_ready;
	_Atomic int64_t turned_us;

	RelayPhase phase;
	int exit_code; /* >= 0 once it is time to return */
	int64_t now_us;
	int64_t wait_until_us; /* lowered by the chores of a turn */
	bool has_more;         /* no need to wait: more is there to be read */

	/* connecting */
	Replication *replication;
	bool is_asking; /* the phase's question was sent */
	int64_t connect_after_us;
	int64_t pause_us;
	int64_t connections;
	int64_t phase_since_us;
	int64_t told_us; /* when the phase last said what it waits for */

	Ledger *ledger;
	LedgerCall answered; /* by the ledger in this turn */
	bool call_failed;

	char slot[64];
	StreamRow row;  /* what is on record */
	StreamRow next; /* what is being put on record */
	SinkFindings found;
	StartDecision decision;

	/* streaming */
	PrefixWindow *window;
	PrefixWindow *next_window; /* the starting sink's */
	CurrentFrame frame;
	bool in_transaction;    /* between FIRST and LAST */
	PrefixSpan span;        /* of that transaction */
	uint64_t commit_lsn;    /* of that transaction */
	uint64_t last_end_lsn;  /* of the last transaction begun */
	uint64_t received_lsn;  /* furthest the server has told of */
	uint64_t base_lsn;      /* where the stream began */
	uint64_t events_before; /* on record when the stream began */
	uint64_t events;        /* taken by the sink since then */
	int64_t heard_us;       /* last byte of the server */
	bool is_blocked;        /* the sink or the window is full */
	RelayPace pace;
	int64_t measured_events; /* of the measurement under way */
	int64_t measured_us;     /* when it began */
	int64_t progress_us;     /* the window last moved, or was empty */
	uint64_t progress_lsn;

	/* report and feedback */
	uint64_t confirmed_lsn; /* may be told to the server */
	uint64_t told_lsn;      /* was told */
	bool wants_reply;
	int64_t reported_us;
	int64_t feedback_us;
	int64_t feedback_interval_us;

	/* repair */
	bool is_repairing;
	char cursor[DECIDE_CURSOR_SIZE];
	bool cursor_moved; /* since the last report */
	int64_t repair_after_us;

	int64_t drain_until_us;
	int64_t metrics_us;
	int64_t pending_us;
};

/* relay.c */
void relay_enter(Relay *relay, RelayPhase phase);
/* Begins again with a pause; err was or is now logged. */
void relay_again(Relay *relay, const char *what, const Error *err);
void relay_named_stop(Relay *relay, const char *name, const char *reason);
void relay_due(Relay *relay, int64_t at_us);

/* relay_start.c: one step towards the stream */
void relay_start_turn(Relay *relay);

/* relay_stream.c: the chores while streaming */
void relay_stream_begin(Relay *relay);
void relay_stream_receive(Relay *relay);
void relay_stream_report(Relay *relay);
void relay_stream_repair(Relay *relay);
void relay_stream_feedback(Relay *relay);
bool relay_stream_is_drained(const Relay *relay);

#endif
