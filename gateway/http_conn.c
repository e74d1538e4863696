#include "http_conn.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "http.h"
#include "http_request_private.h"
#include "log.h"
#include "xalloc.h"

typedef enum Step
{
	STEP_AGAIN, /* answered: there may be another */
	STEP_WAIT,  /* for the client, or for whoever answers */
	STEP_GONE   /* the connection is somebody else's, or ended */
} Step;

static void on_bytes(void *user, unsigned char *bytes, size_t len);
static void on_ended(void *user);
static void on_drained(void *user);
static void on_deadline(void *user);
static void advance(HttpConn *http);
static Step step(HttpConn *http);
static Step judge(HttpConn *http, const HttpHead *head);
static Step upgrade(HttpConn *http, const HttpHead *head);
static Step complete(HttpConn *http, const HttpHead *head);
static Step hand_over(HttpConn *http, const HttpHead *head);
static void answered(HttpConn *http, const HttpAnswer *answer, const Buf *body);
static Step refuse(HttpConn *http, const HttpHead *head, int status,
				   const char *reason, int64_t retry_after_ms);
static HttpAnswer answer_to(const HttpConn *http, const HttpHead *head);
static Step sent(HttpConn *http, int status, size_t used);
static void write_out(HttpConn *http, const Buf *out);
static void settle(HttpConn *http);
static void set_time(HttpConn *http, HttpTime what, int ms);
static void set_state(HttpConn *http, HttpState state);
static void let_go(HttpConn *http);
static void cut(HttpConn *http);
static bool is_api(Slice path);

static const ConnHandler conn_handler = {
	.bytes = on_bytes,
	.ended = on_ended,
	.drained = on_drained,
	.deadline = on_deadline,
};

void
http_conn_begin(HttpServer *server, Conn *take_conn)
{
	HttpConn *http = xcalloc(1, sizeof(*http));

	http->conn = take_conn;
	http->server = server;
	http_server_add(http, true);
	server->count++;
	conn_set_handler(take_conn, &conn_handler, http);
	set_time(http, TIME_HEAD, HTTP_HEAD_MS);
}

void
http_conn_hang_up(HttpConn *http)
{
	HttpRequest *request = http->request;

	if (http->state == STATE_BUSY)
		http->server->counts.gone++;
	http->request = NULL;
	http_conn_end(http);
	if (request != NULL)
		http_request_set_gone(request);
}

static void
on_ended(void *user)
{
	http_conn_hang_up(user);
}

static void
on_bytes(void *user, unsigned char *bytes, size_t len)
{
	HttpConn *http = user;

	buf_append(&http->in, bytes, len);
	if (http->state == STATE_HEAD || http->state == STATE_BODY)
		advance(http);
	else
		conn_pause(http->conn, true); /* one read ahead is enough */
}

static void
on_drained(void *user)
{
	HttpConn *http = user;

	if (http->state != STATE_ANSWER)
		return;
	set_state(http, STATE_HEAD);
	conn_pause(http->conn, false);
	settle(http);
	advance(http);
}

static void
on_deadline(void *user)
{
	HttpConn *http = user;
	HttpTime what = (HttpTime) http->time;

	http->time = TIME_NONE;
	if (what == TIME_IDLE && conn_unwritten(http->conn) > 0)
	{
		set_time(http, TIME_ANSWER, HTTP_ANSWER_MS - HTTP_IDLE_MS);
		return;
	}
	if (what != TIME_IDLE)
		http->server->counts.timed_out++;
	if ((what == TIME_HEAD || what == TIME_BODY) && http->in.len > 0)
		(void) refuse(http, NULL, 408,
					  what == TIME_HEAD ? "the head took too long"
										: "the body took too long",
					  0);
	else if (what == TIME_ANSWER)
		cut(http);
	else
		http_conn_end(http);
}

static void
advance(HttpConn *http)
{
	Step what = STEP_AGAIN;

	while (what == STEP_AGAIN && http->in.len > 0)
	{
		if (conn_is_choked(http->conn))
		{
			set_state(http, STATE_ANSWER);
			conn_pause(http->conn, true);
			set_time(http, TIME_ANSWER, HTTP_ANSWER_MS);
			return;
		}
		what = step(http);
	}
	if (what != STEP_GONE)
		settle(http);
}

/* A request or, when it is not whole yet, none. */
static Step
step(HttpConn *http)
{
	const char *reason;
	HttpHead head;
	int verdict = http_head_parse(http->in.data, http->in.len, &head, &reason);

	if (verdict == HTTP_MORE)
		return STEP_WAIT;
	if (verdict != HTTP_OK)
		return refuse(http, NULL, verdict, reason, 0);
	http->is_last = head.is_last || http->server->is_stopped;
	if (http->state == STATE_HEAD)
	{
		Step what = judge(http, &head);

		if (what != STEP_WAIT)
			return what;
	}
	if (http->in.len < head.size + head.body_len)
		return STEP_WAIT;
	return complete(http, &head);
}

/* What the head alone decides.  STEP_WAIT: go on with the body. */
static Step
judge(HttpConn *http, const HttpHead *head)
{
	const HttpServerConfig *config = &http->server->config;
	bool is_socket = slice_is(head->path, "/v1/ws");
	int64_t retry_after_ms;

	http->client =
		address_forwarded(config->trusted, conn_address(http->conn),
						  head->forwarded_for, head->forwarded_lines);
	if (!address_ranges_have(config->trusted, &http->client) &&
		!address_limit_take(config->limit, &http->client, clock_now_us(),
							&retry_after_ms))
		return refuse(http, head, 429, "too many requests from this address",
					  retry_after_ms);
	if (head->is_upgrade)
		return is_socket ? upgrade(http, head)
						 : refuse(http, head, 404, "nothing here", 0);
	if (is_socket && head->method != HTTP_OPTIONS)
		return refuse(http, head, 426, "this is a WebSocket", 0);
	if (head->body_len == 0 || http->in.len >= head->size + head->body_len)
		return STEP_WAIT;
	http->state = STATE_BODY;
	set_time(http, TIME_BODY, HTTP_BODY_MS);
	if (head->expects_continue && http->in.len == head->size)
	{
		static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";

		conn_write(http->conn, payload_new(go_on, sizeof(go_on) - 1),
				   PAYLOAD_HEADROOM);
	}
	return STEP_WAIT;
}

static Step
upgrade(HttpConn *http, const HttpHead *head)
{
	HttpServer *server = http->server;
	const HttpServerConfig *config = &server->config;
	Conn *conn = http->conn;
	char *token;
	char key[25];

	if (http->in.len != head->size)
		return refuse(http, head, 400, "bytes after the head", 0);
	if (!http_origin_is_allowed(head, config->allowed_origins))
		return refuse(http, head, 403, "this origin is not allowed", 0);
	if (server->is_stopped || !config->may_upgrade(config->arg))
		return refuse(http, head, 503, "full, or going down", 1000);
	if (!conn_is_counted(conn) &&
		!address_ranges_have(config->trusted, &http->client))
	{
		/* Behind a proxy it is known only now who is there. */
		if (!address_limit_enter(config->limit, &http->client))
			return refuse(http, head, 429,
						  "too many connections from this address", 1000);
		conn_set_address(conn, &http->client, true);
	}
	server->counts.upgrades++;
	token =
		head->token.len > 0 ? xstrndup(head->token.at, head->token.len) : NULL;
	memcpy(key, head->websocket_key.at, 24);
	key[24] = '\0';
	let_go(http);
	config->upgrade(config->arg, conn, key, token);
	return STEP_GONE;
}

static Step
complete(HttpConn *http, const HttpHead *head)
{
	const HttpServerConfig *config = &http->server->config;
	HttpAnswer like = answer_to(http, head);
	size_t used = head->size + head->body_len;
	Payload *body = NULL;
	char methods[HTTP_METHODS_SIZE] = HTTP_FILE_METHODS;
	int status = 204;
	Buf out;

	if (config->request != NULL && is_api(head->path) &&
		head->method != HTTP_OPTIONS)
		return hand_over(http, head);
	buf_init(&out);
	if (head->method != HTTP_OPTIONS)
		status = http_put_file(config->files, head, &like, &out, &body);
	else if (head->field[HTTP_ORIGIN].len > 0 && like.origin.len == 0)
	{
		status = like.status = 403;
		http_put_problem(&like, "this origin is not allowed", 0, &out);
	}
	else
	{
		if (config->methods != NULL && is_api(head->path) &&
			!slice_is(head->path, "/v1/ws"))
			config->methods(head->path, methods);
		http_put_options(&like, methods, &out);
	}
	write_out(http, &out);
	if (body != NULL)
		conn_write(http->conn, payload_take(body), PAYLOAD_HEADROOM);
	buf_fini(&out);
	return sent(http, status, used);
}

/* The bytes go along; what came behind them stays. */
static Step
hand_over(HttpConn *http, const HttpHead *head)
{
	HttpServer *server = http->server;
	size_t used = head->size + head->body_len;
	Buf whole = http->in;

	http->in = (Buf){ 0 };
	if (whole.len > used)
		buf_append(&http->in, whole.data + used, whole.len - used);
	whole.len = used;
	server->counts.requests++;
	http->may_read =
		http_origin_is_allowed(head, server->config.allowed_origins);
	set_state(http, STATE_BUSY);
	set_time(http, TIME_NONE, 0);
	http->request =
		http_request_new(http, answered, &whole, head, &http->client);
	http->is_stepping = true;
	server->config.request(server->config.arg, http->request);
	http->is_stepping = false;
	if (http->state == STATE_BUSY)
	{
		if (http->in.len > 0)
			conn_pause(http->conn, true);
		return STEP_WAIT;
	}
	if (!http->is_last)
		return STEP_AGAIN;
	http_conn_end(http);
	return STEP_GONE;
}

/* By http_request_answer, perhaps from within hand_over. */
static void
answered(HttpConn *http, const HttpAnswer *answer, const Buf *body)
{
	HttpAnswer whole = *answer;
	Buf out;

	assert(answer->status >= 200 && answer->status < HTTP_STATUSES);
	http->request = NULL;
	whole.is_last = http->is_last = http->is_last || http->server->is_stopped;
	if (!http->may_read)
		whole.origin.len = 0;
	buf_init(&out);
	http_put_head(&whole, &out);
	if (body != NULL && !whole.is_body_cut)
		buf_append(&out, body->data, body->len);
	write_out(http, &out);
	buf_fini(&out);
	http->server->counts.answers[whole.status]++;
	set_state(http, STATE_HEAD);
	if (http->is_stepping)
		return;
	if (http->is_last)
	{
		http_conn_end(http);
		return;
	}
	if (http->in.len > 0)
	{
		/* Not from within: whoever answers is in the middle of something. */
		set_state(http, STATE_ANSWER);
		set_time(http, TIME_ANSWER, HTTP_ANSWER_MS);
		conn_tell_drained(http->conn);
		return;
	}
	conn_pause(http->conn, false);
	settle(http);
}

/*
 * head: NULL when it could not be read to its end; then, and when a body would
 * follow, the connection ends with it.
 */
static Step
refuse(HttpConn *http, const HttpHead *head, int status, const char *reason,
	   int64_t retry_after_ms)
{
	static const HttpHead none = { 0 };
	HttpAnswer like;
	Buf out;

	log_info("request refused", "status=%d reason=%s", status,
			 log_quote(reason));
	if (head == NULL || head->body_len > 0 || head->is_upgrade)
		http->is_last = true;
	like = answer_to(http, head != NULL ? head : &none);
	like.status = status;
	buf_init(&out);
	http_put_problem(&like, reason, retry_after_ms, &out);
	write_out(http, &out);
	buf_fini(&out);
	return sent(http, status, head != NULL ? head->size : http->in.len);
}

static HttpAnswer
answer_to(const HttpConn *http, const HttpHead *head)
{
	HttpAnswer answer = { .is_last = http->is_last,
						  .is_body_cut = head->method == HTTP_HEAD };

	if (head->field[HTTP_ORIGIN].len > 0 &&
		http_origin_is_allowed(head, http->server->config.allowed_origins))
		answer.origin = head->field[HTTP_ORIGIN];
	return answer;
}

/* An answer of ours is written; `used` bytes were its request. */
static Step
sent(HttpConn *http, int status, size_t used)
{
	http->server->counts.answers[status]++;
	if (http->is_last)
	{
		http_conn_end(http);
		return STEP_GONE;
	}
	buf_consume(&http->in, used);
	set_state(http, STATE_HEAD);
	return STEP_AGAIN;
}

static void
write_out(HttpConn *http, const Buf *out)
{
	conn_write(http->conn, payload_new(out->data, out->len), PAYLOAD_HEADROOM);
}

/* A head has its time from its first byte, an idle connection from its answer. */
static void
settle(HttpConn *http)
{
	if (http->state != STATE_HEAD)
		return;
	if (http->in.len == 0)
	{
		buf_fini(&http->in); /* an idle one keeps nothing */
		if (http->time != TIME_IDLE)
			set_time(http, TIME_IDLE, HTTP_IDLE_MS);
	}
	else if (http->time != TIME_HEAD)
		set_time(http, TIME_HEAD, HTTP_HEAD_MS);
}

static void
set_time(HttpConn *http, HttpTime what, int ms)
{
	http->time = (uint8_t) what;
	conn_set_deadline(http->conn, ms);
}

/* From an answered request on, the client's time begins anew. */
static void
set_state(HttpConn *http, HttpState state)
{
	bool is_waiting = state == STATE_HEAD || state == STATE_BODY;

	if (http->state == STATE_BUSY)
		http->server->busy--;
	if (state == STATE_BUSY)
		http->server->busy++;
	http->state = (uint8_t) state;
	http->time = TIME_NONE;
	http_server_remove(http);
	http_server_add(http, is_waiting);
}

/* The connection stays: it is another's. */
static void
let_go(HttpConn *http)
{
	http_server_remove(http);
	if (http->state == STATE_BUSY)
		http->server->busy--;
	http->server->count--;
	buf_fini(&http->in);
	free(http);
}

void
http_conn_end(HttpConn *http)
{
	Conn *conn = http->conn;

	if (conn_is_handshaking(conn))
	{
		cut(http);
		return;
	}
	let_go(http);
	conn_linger(&conn);
}

static void
cut(HttpConn *http)
{
	Conn *conn = http->conn;

	let_go(http);
	conn_free(&conn);
}

/* What the REST API answers, and the documents that describe it. */
static bool
is_api(Slice path)
{
	return (path.len >= 4 && memcmp(path.at, "/v1/", 4) == 0) ||
		   (path.len >= 9 && memcmp(path.at, "/schemas/", 9) == 0) ||
		   slice_is(path, "/v1") || slice_is(path, "/openapi.yaml") ||
		   slice_is(path, "/asyncapi.yaml");
}
