/*
 * door - listens, and reads the first head of every connection
 *
 * Until a request's head is complete and proper nobody else sees the socket:
 * at most DOOR_HEAD_MS for the head, HTTP_HEAD_MAX bytes, DOOR_WAITING_MAX
 * connections at this stage.  Then it is either answered here (http.h) and
 * closed, or it is an upgrade and handed on with its key and token.
 *
 * When descriptors run out, accepting pauses; it never spins.
 */
#ifndef CHEMCHAT_DOOR_H
#define CHEMCHAT_DOOR_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "error.h"
#include "static_files.h"

#define DOOR_HEAD_MS     10000
#define DOOR_ANSWER_MS   10000
#define DOOR_WAITING_MAX 8192

typedef struct Door Door;

typedef struct DoorConfig
{
	const char *host;            /* an address */
	int port;                    /* 0: a free one */
	const char *allowed_origins; /* comma-separated, or NULL */
	const StaticFiles *files;    /* or NULL */

	/* The connection is theirs now; false: full, answer 503.  Takes both. */
	bool (*may_upgrade)(void *arg);
	void (*upgrade)(void *arg, int take_fd, const char *key, char *take_token);
	void *arg;
} DoorConfig;

typedef struct DoorCounts
{
	uint64_t accepted;
	uint64_t answered; /* with a file */
	uint64_t refused;  /* with 4xx or 5xx */
	uint64_t timed_out;
	uint64_t pauses; /* of accepting, for want of descriptors */
} DoorCounts;

Door *door_open(uv_loop_t *loop, const DoorConfig *config,
				Error *err) MUST_CHECK;
int door_port(const Door *door);

/* No new connections; those at the door may still finish. */
void door_stop(Door *door);

/* The memory goes with the loop's close callbacks. */
void door_close(Door **door);

/* About once a second: deadlines. */
void door_tick(Door *door);

const DoorCounts *door_counts(const Door *door);

#endif
