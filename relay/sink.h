/*
 * sink - where the events of one slot go
 *
 * A sink takes events in commit order and says, through the prefix_window,
 * which of them are durable on the other side.  Four exist: Kafka, Redis
 * (live delivery), null (measuring raw decode) and memory (unit tests).
 *
 * One relay loop owns one sink; every call comes from that loop's thread and
 * none may block for long (start: 1 s; all others: not at all).  The order:
 *
 *   start                        until SINK_OK; again after each reconnect
 *   { frame_begin event* frame_end }*    one frame of one transaction
 *   turn                         once per loop turn, also while starting
 *   free                         what is in flight is given up
 *
 * The relay begins and seals spans; the sink calls prefix_window_add for each
 * part (record) it takes for the given span, and prefix_window_done when
 * that part is acknowledged.  An event for which it adds no part counts as
 * finished as soon as its transaction was read (live delivery).  What is not
 * done is repeated after a restart; what is done never is lost.
 */
#ifndef CHEMCHAT_SINK_H
#define CHEMCHAT_SINK_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "frame.h"
#include "prefix_window.h"

#define SINK_MAX_FDS       4
#define SINK_MAX_HISTORIES 8
#define SINK_LAYOUT_SIZE   16384

typedef enum SinkStatus
{
	SINK_OK,
	SINK_WAIT,    /* not now: take a turn, then the same call again */
	SINK_RESTART, /* in-flight is lost: reconnect at the confirmed LSN, start */
	SINK_STOP     /* end the process by sink->stop_name; *err says more */
} SinkStatus;

/*
 * Whose events these are, and what was recorded of this sink before (in
 * chemchat.stream).  The sink compares: topics that changed are a SINK_STOP,
 * or, when adopts_change, found->is_changed.
 */
typedef struct SinkIdentity
{
	uint64_t system_id;
	uint32_t timeline;
	const char *recorded_layout; /* NULL: nothing was ever recorded */
	bool adopts_change;
	int64_t connection; /* what was found for another one is stale */
} SinkIdentity;

/* The furthest position of one history (system id, timeline) in the sink. */
typedef struct SinkPosition
{
	uint64_t system_id;
	uint32_t timeline;
	uint64_t commit_lsn;
} SinkPosition;

/* What start() found over there; the relay compares it with the stream row. */
typedef struct SinkFindings
{
	/* JSON, as layout.h says for Kafka; "{}" where there is nothing to say */
	char layout[SINK_LAYOUT_SIZE];
	bool is_changed; /* not the recorded one, and adopted */
	SinkPosition last[SINK_MAX_HISTORIES];
	int last_count;
} SinkFindings;

/* One event, all of it borrowed until the call returns. */
typedef struct SinkEvent
{
	const FrameHeader *header; /* of its frame: commit LSN, end LSN, time */
	uint32_t ordinal;
	const Event *event;
	const uint8_t *record; /* the event record as in the WAL (event.h) */
	uint32_t record_len;
	PrefixSpan span;
} SinkEvent;

typedef struct Sink Sink;

typedef struct SinkOps
{
	const char *name; /* "kafka", "redis", "null", "memory" */

	/*
	 * Connects, prepares and looks around; *found is filled with SINK_OK.
	 * SINK_WAIT: not there yet, err says why (for the log and /readyz).
	 * Whatever an earlier start had in flight is forgotten first; `window`
	 * is the one to report to from now on, borrowed until the next start.
	 */
	SinkStatus (*start)(Sink *sink, const SinkIdentity *identity,
						PrefixWindow *window, SinkFindings *found, Error *err);

	/* A frame begins; header->flags say whether a transaction does. */
	void (*frame_begin)(Sink *sink, const FrameHeader *header, PrefixSpan span);

	/*
	 * Takes one event.  SINK_WAIT: bounds are reached and nothing of it was
	 * taken; the same event comes again after a turn.
	 */
	SinkStatus (*event)(Sink *sink, const SinkEvent *event, Error *err);

	/* The frame's last event was taken. */
	void (*frame_end)(Sink *sink, const FrameHeader *header, PrefixSpan span);

	/*
	 * No more events are at hand and they come slowly: send what waits for
	 * company.  NULL: nothing ever waits.
	 */
	void (*hurry)(Sink *sink);

	/*
	 * What is to be put on record of the other side by now, as found.layout.
	 * NULL: that stays.
	 */
	void (*layout)(const Sink *sink, char out[SINK_LAYOUT_SIZE]);

	/*
	 * Does what is due: I/O, acknowledgements, heartbeats.  Called when one of
	 * its descriptors is ready, its deadline has come, or the loop turns.
	 */
	SinkStatus (*turn)(Sink *sink, int64_t now_us, Error *err);

	/*
	 * What to wait for: fills fds (events set, at most SINK_MAX_FDS) and
	 * returns their number; *deadline_us (clock_now_us) is lowered when the
	 * sink wants a turn by then.
	 */
	int (*wait)(Sink *sink, struct pollfd *fds, int64_t *deadline_us);

	/* Ends and frees; the pointer is cleared by sink_free. */
	void (*free)(Sink *sink);
} SinkOps;

/* First member of every sink's own struct. */
struct Sink
{
	const SinkOps *ops;

	/* Kept by the sink, read by the relay: taken and not acknowledged. */
	size_t in_flight_records;
	size_t in_flight_bytes;

	const char *stop_name; /* static text, with SINK_STOP: "TOPIC_DELETED" */

	/*
	 * Kept by the relay, read by the sink: when the server was last heard on
	 * the stream (clock_now_us); 0 while nothing is streaming.
	 */
	int64_t heard_us;
};

static inline void
sink_free(Sink **sink)
{
	if (*sink == NULL)
		return;
	(*sink)->ops->free(*sink);
	*sink = NULL;
}

/* Takes everything and acknowledges at once: measures raw decode. */
Sink *sink_null_new(void);

#endif
