#include "ws.h"

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "log.h"
#include "ws_frame.h"
#include "xalloc.h"

#define KEY_GUID     "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" /* RFC 6455 1.3 */
#define REASON_MAX   60
#define UNREAD_PONGS (256 * 1024) /* then pings are not answered */

static_assert(PAYLOAD_HEADROOM >= WS_SERVER_HEAD, "room for the frame's head");

struct Ws
{
	WsHandler handler;
	void *arg;
	size_t max_bytes;
	int count;
	WsSocket *sockets;
	Payload *ping;
	WsCounts counts;
};

struct WsSocket
{
	Conn *conn;
	Ws *ws;
	void *user;
	WsSocket *next;
	WsSocket *prev;
	WsParser parser;
	uint32_t timed; /* the message that the deadline is for */
	bool is_closing;
};

static void on_bytes(void *user, unsigned char *bytes, size_t len);
static void on_ended(void *user);
static void on_drained(void *user);
static void on_deadline(void *user);
static bool take_event(WsSocket *socket, const WsEvent *event);
static void watch_time(WsSocket *socket);
static WsEnd end_of(uint16_t code);
static void write_frame(WsSocket *socket, WsOpcode opcode, const void *bytes,
						size_t len);
static void write_close(WsSocket *socket, uint16_t code, const char *reason);
static void finish(WsSocket *socket);
static void say_yes(Conn *conn, const char *key);
static bool transport_write(void *socket, Payload *payload);
static void transport_want_write(void *socket);
static void transport_ping(void *socket);
static void transport_set_reading(void *socket, bool is_reading);
static void transport_close(void *socket, uint16_t code, const char *reason);

const Transport ws_transport = {
	.write = transport_write,
	.want_write = transport_want_write,
	.ping = transport_ping,
	.set_reading = transport_set_reading,
	.close = transport_close,
};

static const ConnHandler conn_handler = {
	.bytes = on_bytes,
	.ended = on_ended,
	.drained = on_drained,
	.deadline = on_deadline,
};

Ws *
ws_new(const WsHandler *handler, void *arg, size_t max_bytes)
{
	Ws *ws = xcalloc(1, sizeof(*ws));
	uint8_t ping[WS_SERVER_HEAD];
	size_t len = ws_frame_head(ping, WS_OP_PING, 0);

	ws->handler = *handler;
	ws->arg = arg;
	ws->max_bytes = max_bytes;
	ws->ping = payload_new((const char *) ping, len);
	return ws;
}

void
ws_free(Ws **ws_ref)
{
	Ws *ws = *ws_ref;

	if (ws == NULL)
		return;
	*ws_ref = NULL;
	for (WsSocket *socket = ws->sockets, *next; socket != NULL; socket = next)
	{
		next = socket->next;
		finish(socket);
	}
	payload_drop(ws->ping);
	free(ws);
}

void
ws_adopt(Ws *ws, Conn *take_conn, const char *key, char *take_token)
{
	WsSocket *socket = xcalloc(1, sizeof(*socket));

	socket->conn = take_conn;
	socket->ws = ws;
	ws_parser_init(&socket->parser, ws->max_bytes);
	socket->next = ws->sockets;
	if (ws->sockets != NULL)
		ws->sockets->prev = socket;
	ws->sockets = socket;
	ws->count++;
	conn_set_handler(take_conn, &conn_handler, socket);
	conn_set_deadline(take_conn, 0);
	say_yes(take_conn, key);
	socket->user = ws->handler.opened(ws->arg, socket, take_token);
}

int
ws_count(const Ws *ws)
{
	return ws->count;
}

const WsCounts *
ws_counts(const Ws *ws)
{
	return &ws->counts;
}

static void
on_bytes(void *user, unsigned char *bytes, size_t len)
{
	WsSocket *socket = user;
	WsEvent event;

	do
	{
		ws_parser_next(&socket->parser, &bytes, &len, &event);
		if (!take_event(socket, &event))
		{
			finish(socket);
			return;
		}
	} while (event.kind != WS_MORE);
	watch_time(socket);
}

/* False: nothing more is to be read or written. */
static bool
take_event(WsSocket *socket, const WsEvent *event)
{
	Ws *ws = socket->ws;

	if (socket->is_closing) /* only the answer to our close counts now */
		return event->kind != WS_CLOSE && event->kind != WS_FAIL;
	switch (event->kind)
	{
		case WS_MORE:
			return true;
		case WS_TEXT:
			ws->counts.messages++;
			ws->handler.heard(ws->arg, socket->user);
			ws->handler.message(ws->arg, socket->user, event->text, event->len);
			return true;
		case WS_PING:
			ws->counts.pings++;
			ws->handler.heard(ws->arg, socket->user);
			if (conn_unwritten(socket->conn) < UNREAD_PONGS)
				write_frame(socket, WS_OP_PONG, event->text, event->len);
			return true;
		case WS_PONG:
			ws->handler.heard(ws->arg, socket->user);
			return true;
		case WS_CLOSE:
			ws->counts.ends[WS_END_PEER]++;
			write_close(socket, event->code, "");
			return false;
		case WS_FAIL:
			log_info("closed for what came", "code=%d reason=%s", event->code,
					 log_quote(event->why));
			ws->counts.ends[end_of(event->code)]++;
			write_close(socket, event->code, event->why);
			return false;
	}
	return false;
}

/* A message has its time from its first byte, whatever comes between. */
static void
watch_time(WsSocket *socket)
{
	if (socket->is_closing)
		return;
	if (ws_parser_is_idle(&socket->parser))
	{
		if (conn_has_deadline(socket->conn))
			conn_set_deadline(socket->conn, 0);
	}
	else if (!conn_has_deadline(socket->conn) ||
			 socket->timed != socket->parser.finished)
	{
		socket->timed = socket->parser.finished;
		conn_set_deadline(socket->conn, WS_MESSAGE_MS);
	}
}

static void
on_ended(void *user)
{
	WsSocket *socket = user;

	if (!socket->is_closing)
		socket->ws->counts.ends[WS_END_LOST]++;
	finish(socket);
}

static void
on_drained(void *user)
{
	WsSocket *socket = user;

	if (!socket->is_closing)
		socket->ws->handler.writable(socket->ws->arg, socket->user);
}

static void
on_deadline(void *user)
{
	WsSocket *socket = user;

	if (!socket->is_closing)
	{
		socket->ws->counts.ends[WS_END_TOO_SLOW]++;
		write_close(socket, CLOSE_POLICY, "a message took too long");
	}
	finish(socket);
}

static WsEnd
end_of(uint16_t code)
{
	switch (code)
	{
		case WS_CODE_NO_BINARY:
			return WS_END_BINARY;
		case WS_CODE_NOT_UTF8:
			return WS_END_NOT_UTF8;
		case WS_CODE_TOO_MANY:
			return WS_END_FRAGMENTS;
		case WS_CODE_TOO_BIG:
			return WS_END_TOO_BIG;
		default:
			return WS_END_PROTOCOL;
	}
}

static void
write_frame(WsSocket *socket, WsOpcode opcode, const void *bytes, size_t len)
{
	uint8_t frame[WS_SERVER_HEAD + WS_CONTROL_MAX];
	size_t head = ws_frame_head(frame, opcode, len);

	assert(len <= WS_CONTROL_MAX);
	if (len > 0)
		memcpy(frame + head, bytes, len);
	conn_write(socket->conn, payload_new((const char *) frame, head + len),
			   PAYLOAD_HEADROOM);
}

/* An empty one when the peer gave no code either. */
static void
write_close(WsSocket *socket, uint16_t code, const char *reason)
{
	uint8_t payload[2 + REASON_MAX];
	size_t len = strlen(reason);

	len = len < REASON_MAX ? len : REASON_MAX;
	payload[0] = (uint8_t) (code >> 8);
	payload[1] = (uint8_t) code;
	memcpy(payload + 2, reason, len);
	write_frame(socket, WS_OP_CLOSE, payload,
				code == WS_CODE_NONE ? 0 : len + 2);
}

static void
finish(WsSocket *socket)
{
	Ws *ws = socket->ws;

	if (socket->prev != NULL)
		socket->prev->next = socket->next;
	else
		ws->sockets = socket->next;
	if (socket->next != NULL)
		socket->next->prev = socket->prev;
	ws->count--;
	ws->handler.closed(ws->arg, socket->user);
	ws_parser_fini(&socket->parser);
	conn_linger(&socket->conn);
	free(socket);
}

static void
say_yes(Conn *conn, const char *key)
{
	unsigned char digest[SHA_DIGEST_LENGTH];
	unsigned char accept[32];
	char joined[64];
	Buf head;
	int len = snprintf(joined, sizeof(joined), "%.24s%s", key, KEY_GUID);

	SHA1((const unsigned char *) joined, (size_t) len, digest);
	EVP_EncodeBlock(accept, digest, sizeof(digest));
	buf_init(&head);
	buf_printf(&head,
			   "HTTP/1.1 101 Switching Protocols\r\n"
			   "Upgrade: websocket\r\n"
			   "Connection: Upgrade\r\n"
			   "Sec-WebSocket-Accept: %s\r\n"
			   "Sec-WebSocket-Protocol: chemchat.v1.json\r\n\r\n",
			   (const char *) accept);
	conn_write(conn, payload_new(head.data, head.len), PAYLOAD_HEADROOM);
	buf_fini(&head);
}

/*
 * The frame's head goes before the text, the same bytes for every socket; the
 * payload itself is shared.
 */
static bool
transport_write(void *arg, Payload *payload)
{
	WsSocket *socket = arg;
	uint8_t head[WS_SERVER_HEAD];
	size_t len;

	if (socket->is_closing)
		return true; /* nobody reads it any more */
	if (conn_is_choked(socket->conn))
		return false;
	len = ws_frame_head(head, WS_OP_TEXT, payload->len);
	memcpy(payload_text(payload) - len, head, len);
	conn_write(socket->conn, payload_take(payload),
			   (uint32_t) (PAYLOAD_HEADROOM - len));
	return true;
}

/* Only a choked socket refuses, and then on_drained comes by itself. */
static void
transport_want_write(void *arg)
{
	(void) arg;
}

static void
transport_ping(void *arg)
{
	WsSocket *socket = arg;

	if (!socket->is_closing)
		conn_write(socket->conn, payload_take(socket->ws->ping),
				   PAYLOAD_HEADROOM);
}

static void
transport_set_reading(void *arg, bool is_reading)
{
	WsSocket *socket = arg;

	if (!socket->is_closing)
		conn_pause(socket->conn, !is_reading);
}

static void
transport_close(void *arg, uint16_t code, const char *reason)
{
	WsSocket *socket = arg;

	if (socket->is_closing)
		return;
	socket->is_closing = true;
	socket->ws->counts.ends[WS_END_OURS]++;
	write_close(socket, code, reason);
	conn_set_deadline(socket->conn, WS_CLOSE_MS);
}
