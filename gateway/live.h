/*
 * live - events as they are committed, through Redis
 *
 * Listens on the 64 numbered channels of the relay's live slot (contract 6,
 * redis_keys.h) and tells the fan-out what it hears.  It promises only to
 * notice: every frame that was published and not heard, be it the last one,
 * ends in on_broken for its channel or in on_mode(false), within
 * LIVE_SILENCE_MS plus a tick.  What is missing comes from the database.
 *
 * What the fan-out must do:
 *   on_event   deliver when ev follows what it knows of that conversation;
 *              drop what it has; else ask live_changes first.  Events go on
 *              coming while a repair is under way: nothing is held here, since
 *              that same check keeps newer from passing older.
 *   on_broken  compare live_heads(local users, channel) with what it knows,
 *              pull what differs, apply membership from the rows.  Called
 *              again LIVE_SECOND_LOOK_MS later: an event can be decoded a
 *              moment before its transaction is visible to other snapshots.
 *   on_mode    true: live, no polling needed.  false: poll all channels in
 *              laps.  It starts as false, and there is no call until it
 *              changes.  Before on_mode(true) every channel that is not known
 *              to be whole has had its on_broken.
 *
 * Without a Redis URL nothing is opened: the mode stays polled.  A Redis that
 * is away, answers nothing or refuses is retried for ever with backoff.
 *
 * One thread: that of the loop.  Callbacks come from the loop and from
 * live_tick, which the owner calls at least every LIVE_TICK_MS: it has a timer
 * already, and each more is a wake-up of an idle gateway.  Never blocks.
 */
#ifndef CHEMCHAT_LIVE_H
#define CHEMCHAT_LIVE_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "error.h"
#include "event.h"

#define LIVE_SECOND_LOOK_MS 1500
#define LIVE_TICK_MS        100

typedef struct Live Live;

typedef enum LiveBreak
{
	LIVE_BREAK_FIRST,       /* first frame heard, or first after a silence */
	LIVE_BREAK_HOLE,        /* a number is missing */
	LIVE_BREAK_INCARNATION, /* another reader publishes */
	LIVE_BREAK_HISTORY,     /* another timeline: numbers may have gone back */
	LIVE_BREAK_BAD_FRAME,   /* what was heard is no frame of ours */
	LIVE_BREAK_SECOND_LOOK  /* LIVE_SECOND_LOOK_MS after any of these */
} LiveBreak;

typedef struct LiveCallbacks
{
	/* event and position ("<system id>:<timeline>:<lsn>") are borrowed. */
	void (*on_event)(void *arg, int channel, const Event *event,
					 const char *position);
	void (*on_broken)(void *arg, int channel, LiveBreak why);
	void (*on_mode)(void *arg, bool is_live);

	/* After the events of one turn: time to write to sockets.  May be NULL. */
	void (*on_turn_end)(void *arg);
} LiveCallbacks;

typedef struct LiveConfig
{
	const char *redis_url;           /* redis:// or unix://; NULL: polled */
	const char *redis_password_file; /* NULL: none */
} LiveConfig;

/* NULL with err set when the configuration is wrong; never for a Redis away. */
Live *live_open(uv_loop_t *loop, const LiveConfig *config,
				const LiveCallbacks *callbacks, void *arg,
				Error *err) MUST_CHECK;

/* Connects, retries, and notices what is late. */
void live_tick(Live *live);

/*
 * Which database this gateway serves (chemchat.position()): frames of another
 * one on the same Redis are counted and passed over.  0, the default: any.
 */
void live_set_system_id(Live *live, uint64_t system_id);

bool live_is_live(const Live *live);

/*
 * Every channel was heard up to there: what was committed before it has been
 * handed on, or is in a channel that was told as broken since.  0: not live.
 */
uint64_t live_heard_lsn(const Live *live);

/*
 * Closes the connection and the loop handles; no callback follows.  The
 * memory is given back by the loop's own close callbacks: run it once more.
 */
void live_close(Live **live);

#endif
