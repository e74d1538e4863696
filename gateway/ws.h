/*
 * ws - WebSockets: frames to messages, payloads to frames (RFC 6455)
 *
 * Takes over connections whose upgrade request was read and checked already,
 * answers 101 and from there on gives whole text messages up, bounded by
 * max_bytes, and writes what a session writes.  Pings are answered here.  A
 * frame that breaks the protocol closes with the code for it (ws_frame.h); a
 * message that is not whole WS_MESSAGE_MS after its first byte with 1008.
 *
 * One thread.  Owns its connections.
 */
#ifndef CHEMCHAT_WS_H
#define CHEMCHAT_WS_H

#include <stdbool.h>
#include <stddef.h>

#include "conn.h"
#include "transport.h"

#define WS_MESSAGE_MS 30000
#define WS_CLOSE_MS   2000 /* for the answer to our close */

typedef struct Ws Ws;
typedef struct WsSocket WsSocket;

typedef struct WsHandler
{
	/*
	 * A client is there; returns what the other calls are given.  take_token:
	 * what ws_adopt was given.
	 */
	void *(*opened)(void *arg, WsSocket *socket, char *take_token);
	void (*message)(void *arg, void *user, const char *text, size_t len);
	void (*writable)(void *arg, void *user);
	void (*heard)(void *arg, void *user);  /* a message, a ping or a pong */
	void (*closed)(void *arg, void *user); /* the last call */
} WsHandler;

/* How sockets ended, or began to end. */
typedef enum WsEnd
{
	WS_END_PEER,      /* the client's close */
	WS_END_OURS,      /* a session's close: 1000, 1001, 44xx */
	WS_END_LOST,      /* no close at all */
	WS_END_PROTOCOL,  /* 1002 */
	WS_END_BINARY,    /* 1003 */
	WS_END_NOT_UTF8,  /* 1007 */
	WS_END_FRAGMENTS, /* 1008: in too many parts */
	WS_END_TOO_BIG,   /* 1009 */
	WS_END_TOO_SLOW,  /* 1008: not whole in time */
	WS_ENDS
} WsEnd;

typedef struct WsCounts
{
	uint64_t messages;
	uint64_t pings;
	uint64_t ends[WS_ENDS];
} WsCounts;

extern const Transport ws_transport; /* its sockets are WsSocket */

Ws *ws_new(const WsHandler *handler, void *arg, size_t max_bytes);

/* Closes what is left; handler->closed is called for each. */
void ws_free(Ws **ws);

/* token: may be NULL.  key: 24 characters. */
void ws_adopt(Ws *ws, Conn *take_conn, const char *key, char *take_token);

int ws_count(const Ws *ws);
const WsCounts *ws_counts(const Ws *ws);

#endif
