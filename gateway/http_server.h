/*
 * http_server - HTTP/1.1 on connections: requests in, answers out, in order
 *
 * Reads heads and bodies within their times and sizes, answers what the door
 * answers itself (files, refusals, CORS), hands upgrades and requests of the
 * REST API on.  One request at a time per connection: what a client pipelines
 * waits, and beyond one read is left with the kernel.
 *
 * An idle connection is kept HTTP_IDLE_MS.  When there are as many as may be,
 * the one that has waited longest for its client makes room.
 *
 * One thread.  Owns its connections.
 */
#ifndef CHEMCHAT_HTTP_SERVER_H
#define CHEMCHAT_HTTP_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "address_limit.h"
#include "conn.h"
#include "http_request.h"
#include "static_files.h"

#define HTTP_HEAD_MS   9500 /* with TLS's handshake; closed within 10 s */
#define HTTP_BODY_MS   29500
#define HTTP_IDLE_MS   60000
#define HTTP_ANSWER_MS 120000 /* to be read */
#define HTTP_STATUSES  600
#define HTTP_ROOM_MS   1000 /* who waits for less is not sent away */

typedef struct HttpServer HttpServer;

typedef struct HttpServerConfig
{
	const StaticFiles *files;    /* or NULL */
	const char *allowed_origins; /* comma-separated, or NULL */
	const AddressRanges *trusted;
	AddressLimit *limit;
	int max_connections;

	/* May there be one WebSocket more?  Then it is theirs; they take all. */
	bool (*may_upgrade)(void *arg);
	void (*upgrade)(void *arg, Conn *take_conn, const char *key,
					char *take_token);

	/* NULL: nothing under /v1/ is served. */
	void (*request)(void *arg, HttpRequest *take_request);

	/* The methods of a path of the API, for OPTIONS; or NULL. */
	void (*methods)(Slice path, char out[HTTP_METHODS_SIZE]);
	void *arg;
} HttpServerConfig;

typedef struct HttpCounts
{
	uint64_t answers[HTTP_STATUSES]; /* by status */
	uint64_t requests;               /* handed over */
	uint64_t gone;                   /* whose client did not wait */
	uint64_t upgrades;
	uint64_t timed_out;
	uint64_t sent_away; /* to make room */
} HttpCounts;

HttpServer *http_server_new(const HttpServerConfig *config);

/* Requests under way become gone. */
void http_server_free(HttpServer **server);

/* A new connection, plain or in its handshake. */
void http_server_take(HttpServer *server, Conn *take_conn);

/* False: full, of connections that are busy or new. */
bool http_server_make_room(HttpServer *server);

/* Every answer is the last of its connection; the idle ones go now. */
void http_server_stop(HttpServer *server);

int http_server_count(const HttpServer *server);

/* Requests and answers under way. */
int http_server_busy(const HttpServer *server);
const HttpCounts *http_server_counts(const HttpServer *server);

#endif
