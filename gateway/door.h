/*
 * door - listens, and finds out who is there
 *
 * Accepts, counts each address's connections, reads a PROXY header from the
 * neighbours that must send one, begins TLS, and gives the connection to
 * http_server.  Nobody above sees a socket before its request is whole and
 * proper.
 *
 * When descriptors run out, or there is no room, accepting pauses; it never
 * spins.
 */
#ifndef CHEMCHAT_DOOR_H
#define CHEMCHAT_DOOR_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "conn.h"
#include "http_server.h"

#define DOOR_PROXY_MS 5000

typedef struct Door Door;

typedef struct DoorConfig
{
	const char *host;            /* an address */
	int port;                    /* 0: a free one */
	const char *allowed_origins; /* comma-separated, or NULL */
	const StaticFiles *files;    /* or NULL */
	const char *tls_cert_file;   /* both, or NULL: no TLS */
	const char *tls_key_file;
	const char *trusted_proxies; /* ranges, or NULL */
	bool has_proxy_header;       /* from trusted ones, always */
	int64_t address_connections; /* of one address; 0: no limit */
	RateRule address_requests;   /* of one address */
	int max_http;                /* connections that are no WebSocket */

	/*
	 * The connection is theirs, with the key and perhaps a token; asked before
	 * whether there is room (else 503).
	 */
	bool (*may_upgrade)(void *arg);
	void (*upgrade)(void *arg, Conn *take_conn, const char *key,
					char *take_token);

	/* What is under /v1/, and the specifications (http_request.h); or NULL. */
	void (*request)(void *arg, HttpRequest *take_request);

	/* The methods of a path of the API, for OPTIONS; or NULL. */
	void (*methods)(Slice path, char out[HTTP_METHODS_SIZE]);
	void *arg;
} DoorConfig;

typedef struct DoorCounts
{
	uint64_t accepted;
	uint64_t crowded; /* closed at once: too many of one address */
	uint64_t bad_proxy;
	uint64_t pauses;       /* of accepting */
	uint64_t certificates; /* taken anew */
} DoorCounts;

Door *door_open(uv_loop_t *loop, const DoorConfig *config,
				Error *err) MUST_CHECK;
int door_port(const Door *door);

/* No new connections; requests under way are answered, idle ones go. */
void door_stop(Door *door);

/* The memory goes with the loop's close callbacks. */
void door_close(Door **door);

/* About once a second: certificates, old addresses. */
void door_tick(Door *door);

/* Requests that are not answered yet. */
int door_busy(const Door *door);

const DoorCounts *door_counts(const Door *door);
const HttpServer *door_http(const Door *door);
const Conns *door_conns(const Door *door);

#endif
