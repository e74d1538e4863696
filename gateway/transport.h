/*
 * transport - what a session asks of the socket it sits on
 *
 * Implemented by ws.c, and by the fake sockets of the tests.  None of these
 * calls back into the session: closing happens later, from the loop.
 */
#ifndef CHEMCHAT_TRANSPORT_H
#define CHEMCHAT_TRANSPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "payload.h"

typedef struct Transport
{
	/* False when the socket takes nothing now: want_write, then again. */
	bool (*write)(void *socket, Payload *payload);
	void (*want_write)(void *socket);
	void (*ping)(void *socket);

	/* False: read nothing more from the client until true. */
	void (*set_reading)(void *socket, bool is_reading);

	/* reason: static text for the close frame. */
	void (*close)(void *socket, uint16_t code, const char *reason);
} Transport;

typedef enum CloseCode
{
	CLOSE_BYE = 1000,
	CLOSE_AWAY = 1001,
	CLOSE_PROTOCOL = 1002,
	CLOSE_BINARY = 1003,
	CLOSE_BAD_TEXT = 1007,
	CLOSE_POLICY = 1008,
	CLOSE_TOO_BIG = 1009,
	CLOSE_TOKEN = 4401,
	CLOSE_NO_PONG = 4408,
	CLOSE_TOO_MANY = 4429
} CloseCode;

#endif
