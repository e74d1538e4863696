/*
 * sessions - all of them, and their clocks
 *
 * Each is on one of three lists by what it is waited for: its hello (5 s, else
 * 4401), a sign of life (FRAME_PING_MS, then a ping), its pong (10 s, else
 * 4408).  Lists are in order of time, so a tick looks at those that are due
 * and at none else.  Tokens that run out close their socket with 4401.
 *
 * One thread.  Times from clock_now_us.
 */
#ifndef CHEMCHAT_SESSIONS_H
#define CHEMCHAT_SESSIONS_H

#include "session.h"

#define SESSIONS_HELLO_S 5
#define SESSIONS_PONG_S  10

typedef struct SessionsCounts
{
	uint64_t opened;
	uint64_t frames_out;
	uint64_t bytes_out;
	uint64_t dropped;      /* frames not queued for slow readers */
	uint64_t lags;         /* lag frames sent */
	uint64_t queued_bytes; /* now, for slow readers */
	uint64_t pauses;       /* times nothing more was read from a slow reader */
	uint64_t closed_token;
	uint64_t closed_no_pong;
} SessionsCounts;

Sessions *sessions_new(Registry *registry, const Transport *transport);
void sessions_free(Sessions **sessions);

/* About once a second. */
void sessions_tick(Sessions *sessions);

int sessions_count(const Sessions *sessions);

/* Requests under way over all sessions. */
int sessions_requests(const Sessions *sessions);

/* Calls for each; the callback may close that session. */
void sessions_each(Sessions *sessions,
				   void (*call)(void *arg, Session *session), void *arg);

const SessionsCounts *sessions_counts(const Sessions *sessions);

#endif
