/*
 * ws - WebSocket frames on sockets (RFC 6455), by libwebsockets
 *
 * Takes over sockets whose upgrade request was read and checked already
 * (door.c): the library sees a request of our own making with the client's
 * key in it, and nothing else a client wrote before the first frame.  Whole
 * text messages go up, bounded by max_bytes; what a session writes goes down.
 *
 * Runs on the caller's libuv loop, through the library's event plugin; without
 * that plugin it refuses to start.  One per process.
 */
#ifndef CHEMCHAT_WS_H
#define CHEMCHAT_WS_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "error.h"
#include "transport.h"

typedef struct Ws Ws;
typedef struct WsSocket WsSocket;

typedef struct WsHandler
{
	/*
	 * A client is there; returns what the other calls are given, or NULL to
	 * close.  take_token: what ws_adopt was given.
	 */
	void *(*opened)(void *arg, WsSocket *socket, char *take_token);
	void (*message)(void *arg, void *user, const char *text, size_t len);
	void (*writable)(void *arg, void *user);
	void (*heard)(void *arg, void *user);  /* a pong, or part of a message */
	void (*closed)(void *arg, void *user); /* the last call */
} WsHandler;

extern const Transport ws_transport; /* its sockets are WsSocket */

Ws *ws_open(uv_loop_t *loop, const WsHandler *handler, void *arg,
			size_t max_bytes, Error *err) MUST_CHECK;

/*
 * Closes what is left and lets go of the loop, which has to run until nothing
 * is left on it; then ws_free.
 */
void ws_shutdown(Ws *ws);
void ws_free(Ws **ws);

/*
 * Takes the descriptor (also when it fails: then it is closed) and the token
 * (may be NULL).  key: 24 characters.
 */
bool ws_adopt(Ws *ws, int take_fd, const char *key, char *take_token);

int ws_count(const Ws *ws);

#endif
