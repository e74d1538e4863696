/*
 * fanout - from an event to the sockets of those who may see it
 *
 * Holds true, whatever is lost, late or doubled on the way here:
 *   - events of one conversation leave in ev order, each once, and never
 *     across a hole: what follows a hole waits for a pull of what is missing;
 *   - a removal takes effect between the event before it and the event after
 *     it; nothing of the conversation goes to that user any more;
 *   - membership comes from events in their order, and from rows (live_heads)
 *     unless an event that is newer than the rows said otherwise.
 *
 * Events of one turn of the loop leave in one frame per conversation, encoded
 * once: fanout_flush at the turn's end.  A hole wider than FANOUT_PULL_MAX is
 * not pulled: the members are told `lag` and ask for what they care about.
 *
 * Knows neither sockets nor SQL: what it wants done goes through its ports.
 * One thread.  Times from clock_now_us.
 */
#ifndef CHEMCHAT_FANOUT_H
#define CHEMCHAT_FANOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"
#include "payload.h"
#include "registry.h"

#define FANOUT_PULL_MAX      1000
#define FANOUT_PULLS_AT_ONCE 200
#define FANOUT_FRAME_BYTES   (48 * 1024)

/*
 * Rows and events can disagree for a moment: an event may be decoded before
 * its transaction is visible to others.  Within this time the event wins.
 */
#define FANOUT_SETTLE_US 2000000

/* Rows that do not show a join yet are read again, each time twice as late. */
#define FANOUT_AGAIN_MS 10

typedef struct Fanout Fanout;

typedef struct FanoutPorts
{
	/* Ask live_changes after that ev; answer with fanout_pulled. */
	void (*pull)(void *arg, const Uuid *conversation_id, uint64_t after_ev);

	/* Ask live_heads of this user after a while; answer with fanout_rows. */
	void (*look)(void *arg, const Uuid *user_id, int64_t delay_ms);

	/* A frame of a conversation; a slow reader may lose it (`lag`). */
	void (*deliver)(void *arg, Seat *seat, Payload *frame,
					const Uuid *conversation_id);

	/* A frame that must not be lost: added, removed, reset. */
	void (*tell)(void *arg, Seat *seat, Payload *frame);

	/* Something is waiting for fanout_flush. */
	void (*dirty)(void *arg);
} FanoutPorts;

/* One row of live_heads. */
typedef struct HeadRow
{
	Uuid user_id;
	Uuid conversation_id;
	bool has_conversation;
	uint64_t ev;
	uint64_t seq;
} HeadRow;

/* The answer of live_heads: rows grouped by user, in any order of users. */
typedef struct HeadRows
{
	const Uuid *users; /* who was asked for */
	size_t user_count;
	int channel; /* -1: all */
	int64_t asked_us;
	const HeadRow *rows;
	size_t row_count;
} HeadRows;

/* The answer of live_changes. */
typedef struct Pulled
{
	Uuid conversation_id;
	uint64_t after_ev;
	bool is_failed;   /* no answer: it is asked again */
	bool is_left_out; /* and at once: others' answers were large */
	bool is_reset;    /* the server's history is shorter */
	uint64_t upto;
	uint64_t head;
	const char *events; /* a JSON array */
	size_t events_len;
	const char *position;
} Pulled;

typedef struct FanoutCounts
{
	uint64_t delivered; /* frames given to sockets */
	uint64_t events;    /* events applied */
	uint64_t duplicates;
	uint64_t holes;
	uint64_t pulls;
	uint64_t lags; /* holes too wide to pull */
	uint64_t added;
	uint64_t removed;
	uint64_t invited;
} FanoutCounts;

Fanout *fanout_new(Registry *registry, const FanoutPorts *ports, void *arg);
void fanout_free(Fanout **fanout);

/* An event as it was committed, from the live channels. */
void fanout_event(Fanout *fanout, const Event *event, const char *position);

void fanout_pulled(Fanout *fanout, const Pulled *pulled);

/*
 * Applies memberships and heads.  True when something differed from what was
 * known.
 */
bool fanout_rows(Fanout *fanout, const HeadRows *rows);

/* Something says that this conversation has reached ev: pull when behind. */
void fanout_hint(Fanout *fanout, const Uuid *conversation_id, uint64_t ev);

/* Writes what the turn gathered. */
void fanout_flush(Fanout *fanout);

/* Every 10 ms or so: pulls that wait for their time. */
void fanout_tick(Fanout *fanout);

const FanoutCounts *fanout_counts(const Fanout *fanout);

#endif
