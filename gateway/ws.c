#include "ws.h"

#include <assert.h>
#include <libwebsockets.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "log.h"
#include "utf8.h"
#include "xalloc.h"

/*
 * Small reads keep an idle connection small.  Unless told otherwise the
 * library takes the same size for writes, and cuts every frame into as many
 * calls of send() and turns of the loop.
 */
#define RX_BYTES         256
#define TX_BYTES         (4 * 1024 * 1024)
#define CLOSE_WAIT_S     2
#define CLOSE_REASON_MAX 60
#define CLOSE_CODE_MAX   4999

static_assert(PAYLOAD_HEADROOM >= LWS_PRE, "room for the frame's header");

struct Ws
{
	struct lws_context *context;
	struct lws_vhost *vhost;
	WsHandler handler;
	void *arg;
	size_t max_bytes;
	int count;
	char *token; /* of the socket being adopted */
};

/* Per connection, owned by the library's; see the per_session_data_size. */
struct WsSocket
{
	struct lws *wsi;
	Ws *ws;
	void *user;
	Buf *message; /* parts so far; NULL between messages */
	const char *close_reason;
	uint16_t close_code; /* 0: open */
	bool is_close_sent;
	bool is_peer_closing;
	bool is_ping_due;
};

static int on_event(struct lws *wsi, enum lws_callback_reasons reason,
					void *user, void *in, size_t len);
static int established(struct lws *wsi, WsSocket *socket);
static int receive(WsSocket *socket, const char *bytes, size_t len);
static void message(WsSocket *socket, const char *text, size_t len);
static int writeable(WsSocket *socket);
static int peer_closes(WsSocket *socket, const char *payload, size_t len);
static int send_close(WsSocket *socket, uint16_t code, const char *reason);
static void last_words(WsSocket *socket);
static void closed(WsSocket *socket);
static void log_library(int level, const char *line);
static bool transport_write(void *socket, Payload *payload);
static void transport_want_write(void *socket);
static void transport_ping(void *socket);
static void transport_close(void *socket, uint16_t code, const char *reason);

const Transport ws_transport = {
	.write = transport_write,
	.want_write = transport_want_write,
	.ping = transport_ping,
	.close = transport_close,
};

static const struct lws_protocols protocols[] = {
	{
		.name = "chemchat.v1.json",
		.callback = on_event,
		.per_session_data_size = sizeof(WsSocket),
		.rx_buffer_size = RX_BYTES,
		.tx_packet_size = TX_BYTES,
	},
	{ 0 },
};

/* Pings are the sessions' business (sessions.h). */
static const lws_retry_bo_t no_pings = {
	.secs_since_valid_ping = 0,
	.secs_since_valid_hangup = 0,
};

#if defined(__SANITIZE_ADDRESS__)
/*
 * On a foreign loop the library keeps eight blocks of its context for good,
 * whatever was connected; nothing of ours is among them.
 */
const char *__lsan_default_suppressions(void)
	__attribute__((visibility("default")));

const char *
__lsan_default_suppressions(void)
{
	return "leak:libwebsockets.so\n";
}
#endif

Ws *
ws_open(uv_loop_t *loop, const WsHandler *handler, void *arg, size_t max_bytes,
		Error *err)
{
	Ws *ws = xcalloc(1, sizeof(*ws));
	void *loops[1] = { loop };
	struct lws_context_creation_info info;

	ws->handler = *handler;
	ws->arg = arg;
	ws->max_bytes = max_bytes;
	lws_set_log_level(LLL_ERR | LLL_WARN, log_library);

	memset(&info, 0, sizeof(info));
	info.port = CONTEXT_PORT_NO_LISTEN;
	info.protocols = protocols;
	info.options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
	info.foreign_loops = loops;
	info.gid = (gid_t) -1;
	info.uid = (uid_t) -1;
	info.user = ws;
	info.retry_and_idle_policy = &no_pings;
	info.timeout_secs = 5;
	info.server_string = "";
	ws->context = lws_create_context(&info);
	if (ws->context == NULL)
	{
		error_set(err, "could not start libwebsockets with libuv: is its "
					   "plugin (libwebsockets-evlib-uv) installed?");
		ws_shutdown(ws);
		ws_free(&ws);
		return NULL;
	}
	ws->vhost = lws_create_vhost(ws->context, &info);
	if (ws->vhost == NULL)
	{
		error_set(err, "could not start libwebsockets");
		ws_shutdown(ws);
		ws_free(&ws);
		return NULL;
	}
	return ws;
}

void
ws_shutdown(Ws *ws)
{
	if (ws->context != NULL)
		lws_context_destroy(ws->context);
	ws->context = NULL;
}

void
ws_free(Ws **ws)
{
	free(*ws);
	*ws = NULL;
}

bool
ws_adopt(Ws *ws, int take_fd, const char *key, char *take_token)
{
	struct lws *wsi;
	char request[400];
	int len = snprintf(request, sizeof(request),
					   "GET /v1/ws HTTP/1.1\r\n"
					   "Host: chemchat\r\n"
					   "Upgrade: websocket\r\n"
					   "Connection: Upgrade\r\n"
					   "Sec-WebSocket-Version: 13\r\n"
					   "Sec-WebSocket-Protocol: chemchat.v1.json\r\n"
					   "Sec-WebSocket-Key: %.24s\r\n\r\n",
					   key);

	/* It may be a WebSocket, and gone again, before this returns. */
	ws->token = take_token;
	wsi = lws_adopt_socket_vhost_readbuf(ws->vhost, take_fd, request,
										 (size_t) len);
	if (wsi != NULL)
		lws_set_opaque_user_data(wsi, ws->token);
	else
		free(ws->token); /* the library has closed the descriptor */
	ws->token = NULL;
	return wsi != NULL;
}

int
ws_count(const Ws *ws)
{
	return ws->count;
}

static int
on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user,
		 void *in, size_t len)
{
	WsSocket *socket = user;

	switch ((int) reason)
	{
		case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
		{
			/* Only what ws_adopt wrote comes here; CVE-2025-11677: not `in`. */
			char upgrade[16];

			if (lws_hdr_copy(wsi, upgrade, sizeof(upgrade), WSI_TOKEN_UPGRADE) <
					0 ||
				strcmp(upgrade, "websocket") != 0)
				return -1;
			return 0;
		}
		case LWS_CALLBACK_HTTP:
			return -1; /* the door answers those */
		case LWS_CALLBACK_ESTABLISHED:
			return established(wsi, socket);
		case LWS_CALLBACK_RECEIVE:
			return receive(socket, in, len);
		case LWS_CALLBACK_RECEIVE_PONG:
			if (socket->close_code == 0)
				socket->ws->handler.heard(socket->ws->arg, socket->user);
			return 0;
		case LWS_CALLBACK_SERVER_WRITEABLE:
			return writeable(socket);
		case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
			return peer_closes(socket, in, len);
		case LWS_CALLBACK_WS_SERVER_DROP_PROTOCOL:
			last_words(socket);
			return 0;
		case LWS_CALLBACK_CLOSED:
			closed(socket);
			return 0;
		case LWS_CALLBACK_WSI_DESTROY:
			/* Gone before it was a WebSocket: the token is still ours. */
			free(lws_get_opaque_user_data(wsi));
			lws_set_opaque_user_data(wsi, NULL);
			return 0;
		default:
			return 0;
	}
}

static int
established(struct lws *wsi, WsSocket *socket)
{
	Ws *ws = lws_context_user(lws_get_context(wsi));
	char *token = ws->token != NULL ? ws->token : lws_get_opaque_user_data(wsi);

	ws->token = NULL;
	lws_set_opaque_user_data(wsi, NULL);
	memset(socket, 0, sizeof(*socket));
	socket->wsi = wsi;
	socket->ws = ws;
	ws->count++;
	socket->user = ws->handler.opened(ws->arg, socket, token);
	return socket->user != NULL ? 0 : -1;
}

/* Part of a message: the library hands over as little as it read. */
static int
receive(WsSocket *socket, const char *bytes, size_t len)
{
	struct lws *wsi = socket->wsi;
	Ws *ws = socket->ws;
	size_t left = lws_remaining_packet_payload(wsi);
	size_t before = socket->message != NULL ? socket->message->len : 0;
	bool is_whole = lws_is_final_fragment(wsi) && left == 0;

	if (socket->close_code != 0)
		return 0;
	if (lws_frame_is_binary(wsi))
	{
		transport_close(socket, CLOSE_POLICY, "text frames only");
		return 0;
	}
	if (len > ws->max_bytes || left > ws->max_bytes ||
		before + len + left > ws->max_bytes)
	{
		transport_close(socket, CLOSE_TOO_BIG, "frame too big");
		return 0;
	}
	if (is_whole && before == 0)
	{
		message(socket, bytes, len);
		return 0;
	}
	if (socket->message == NULL)
	{
		socket->message = xmalloc(sizeof(*socket->message));
		buf_init(socket->message);
	}
	buf_append(socket->message, bytes, len);
	if (!is_whole)
		return 0;
	message(socket, socket->message->data, socket->message->len);
	buf_fini(socket->message);
	free(socket->message);
	socket->message = NULL;
	return 0;
}

static void
message(WsSocket *socket, const char *text, size_t len)
{
	Ws *ws = socket->ws;

	ws->handler.heard(ws->arg, socket->user);
	if (utf8_is_valid(text, len))
		ws->handler.message(ws->arg, socket->user, text, len);
	else
		transport_close(socket, CLOSE_BAD_TEXT, "not UTF-8");
}

static int
writeable(WsSocket *socket)
{
	if (socket->close_code != 0)
	{
		if (socket->is_close_sent)
			return 0; /* until the answer, or the timeout */
		return send_close(socket, socket->close_code, socket->close_reason);
	}
	if (socket->is_ping_due)
	{
		unsigned char ping[LWS_PRE];

		socket->is_ping_due = false;
		if (lws_write(socket->wsi, ping + LWS_PRE, 0, LWS_WRITE_PING) < 0)
			return -1;
		lws_callback_on_writable(socket->wsi);
		return 0;
	}
	socket->ws->handler.writable(socket->ws->arg, socket->user);
	return 0;
}

/*
 * The answer to ours: done.  Else the library answers with the same; but it
 * lets a few payloads pass that RFC 6455 (5.5.1, 7.4) does not.
 */
static int
peer_closes(WsSocket *socket, const char *payload, size_t len)
{
	uint16_t code = CLOSE_BYE;

	if (len >= 2)
		code = (uint16_t) ((uint8_t) payload[0] << 8 | (uint8_t) payload[1]);
	if (!socket->is_close_sent && (len == 1 || code > CLOSE_CODE_MAX))
		(void) send_close(socket, CLOSE_PROTOCOL, "");
	else if (!socket->is_close_sent && len > 2 &&
			 !utf8_is_valid(payload + 2, len - 2))
		(void) send_close(socket, CLOSE_BAD_TEXT, "");
	socket->is_peer_closing = true;
	return socket->is_close_sent ? -1 : 0;
}

/*
 * The library as Debian builds it closes twice when it runs on libuv, and the
 * second time takes the close frame with it: so we write it ourselves.
 */
static int
send_close(WsSocket *socket, uint16_t code, const char *reason)
{
	unsigned char frame[LWS_PRE + 4 + CLOSE_REASON_MAX];
	unsigned char *at = frame + LWS_PRE;
	size_t len = strlen(reason);

	len = len < CLOSE_REASON_MAX ? len : CLOSE_REASON_MAX;
	at[0] = 0x88; /* FIN, opcode 8; RFC 6455 5.5.1 */
	at[1] = (unsigned char) (len + 2);
	at[2] = (unsigned char) (code >> 8);
	at[3] = (unsigned char) code;
	memcpy(at + 4, reason, len);
	socket->is_close_sent = true;
	return lws_write(socket->wsi, at, len + 4, LWS_WRITE_RAW) < 0 ? -1 : 0;
}

/* The library ends it for a reason of its own: a violation of the protocol. */
static void
last_words(WsSocket *socket)
{
	const unsigned char *payload;
	uint16_t code = CLOSE_PROTOCOL;

	if (socket->ws == NULL || socket->is_close_sent ||
		socket->is_peer_closing || lws_partial_buffered(socket->wsi))
		return;
	if (lws_get_close_length(socket->wsi) >= 2)
	{
		payload = lws_get_close_payload(socket->wsi);
		code = (uint16_t) (payload[0] << 8 | payload[1]);
	}
	(void) send_close(socket, code, "");
}

static void
closed(WsSocket *socket)
{
	if (socket->ws == NULL)
		return; /* never established */
	socket->ws->count--;
	if (socket->user != NULL)
		socket->ws->handler.closed(socket->ws->arg, socket->user);
	if (socket->message != NULL)
	{
		buf_fini(socket->message);
		free(socket->message);
	}
	memset(socket, 0, sizeof(*socket));
}

static void
log_library(int level, const char *line)
{
	Error text;

	/* It tells of every adopted socket as if that were a mistake. */
	if (strncmp(line, "adopt_socket_readbuf:", 21) == 0)
		return;
	error_set(&text, "%.*s", (int) strcspn(line, "\n"), line);
	if (level == LLL_ERR)
		log_error("libwebsockets", "reason=%s", log_quote(text.text));
	else
		log_warn("libwebsockets", "reason=%s", log_quote(text.text));
}

/*
 * Straight from wherever we are: the library keeps what the kernel did not
 * take, and then we hold back until it is gone.
 */
static bool
transport_write(void *arg, Payload *payload)
{
	WsSocket *socket = arg;

	if (socket->close_code != 0)
		return true; /* nobody reads it any more */
	if (lws_partial_buffered(socket->wsi))
		return false;
	if (lws_write(socket->wsi, payload_text(payload), payload->len,
				  LWS_WRITE_TEXT) < 0)
		transport_close(socket, CLOSE_AWAY, "write failed");
	return true;
}

static void
transport_want_write(void *arg)
{
	WsSocket *socket = arg;

	lws_callback_on_writable(socket->wsi);
}

static void
transport_ping(void *arg)
{
	WsSocket *socket = arg;

	socket->is_ping_due = true;
	lws_callback_on_writable(socket->wsi);
}

/* A peer that reads nothing never becomes writable: then the timeout. */
static void
transport_close(void *arg, uint16_t code, const char *reason)
{
	WsSocket *socket = arg;

	if (socket->close_code != 0)
		return;
	socket->close_code = code;
	socket->close_reason = reason;
	lws_set_timeout(socket->wsi, PENDING_TIMEOUT_CLOSE_SEND, CLOSE_WAIT_S);
	lws_callback_on_writable(socket->wsi);
}
