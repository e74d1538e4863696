/*
 * long_poll - events over plain HTTP: GET /v1/events, answered when there are any
 *
 * Behind each client stands a session like a socket's, with a seat in the
 * registry; its transport gathers frames instead of writing them.  A poll is
 * given what was gathered, with a cursor; the frames it was given are kept
 * until the next poll brings that cursor back, so an answer that got lost is
 * given again, and none twice to who comes with what she was told.
 *
 * A cursor that this gateway does not know (another gateway's, or not asked
 * for POLL_IDLE_MS) begins a new session: the answer says `resync`, and the
 * client asks `heads` and `changes` as after a reconnect.  What waits is
 * bounded like a slow socket's: POLL_BYTES here, then the session's queue, then
 * `lag`.
 *
 * One thread.  Times from clock_now_us.
 */
#ifndef CHEMCHAT_LONG_POLL_H
#define CHEMCHAT_LONG_POLL_H

#include "rest.h"

#define POLL_IDLE_MS 60000
#define POLL_BYTES   (256 * 1024)
#define POLL_MAX     10000

Polls *polls_new(Chat *chat);

/* Ends all; those that wait are answered. */
void polls_free(Polls **polls);

/* VERB_EVENTS; of the chat's polls. */
void rest_events(RestCall *take_call);

/* Every 5 to 10 ms: gives what came, ends what is over. */
void polls_turn(Polls *polls);

/* About once a second. */
void polls_tick(Polls *polls);

int polls_count(const Polls *polls);

/* What is gathered for them, and was given and may be asked for again. */
size_t polls_bytes(const Polls *polls);
Sessions *polls_sessions(const Polls *polls);

#endif
