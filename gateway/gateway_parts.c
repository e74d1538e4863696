#include <string.h>

#include "accounts_rest.h"
#include "clock.h"
#include "command.h"
#include "frames.h"
#include "gateway_private.h"
#include "log.h"
#include "secret_file.h"
#include "uv_pg.h"
#include "xalloc.h"

#define PULL_ROWS 200

static char *read_password(const char *path, Error *err);
static void on_turn_end(uv_prepare_t *prepare);
static void on_revoked(void *arg);
static void close_revoked(void *arg, Session *session);
static void on_db_state(void *arg, bool is_up, const Error *err);
static void on_position(void *arg, const DbError *error, const HeadRows *rows,
						const Position *position);
static void on_committed(void *arg, const Uuid *conversation_id, uint64_t ev);
static void on_joined(void *arg, const Uuid *user_id);
static void on_send_done(void *arg, int64_t took_us);
static void *ws_opened(void *arg, WsSocket *socket, char *take_token);
static void ws_message(void *arg, void *user, const char *text, size_t len);
static void ws_writable(void *arg, void *user);
static void ws_heard(void *arg, void *user);
static void ws_closed(void *arg, void *user);
static bool may_upgrade(void *arg);
static void upgrade(void *arg, Conn *take_conn, const char *key,
					char *take_token);
static void request(void *arg, HttpRequest *take_request);
static void port_pull(void *arg, const Uuid *conversation_id,
					  uint64_t after_ev);
static void port_look(void *arg, const Uuid *user_id, int64_t delay_ms);
static bool hears(Session *session);
static void port_deliver(void *arg, Seat *seat, Payload *frame,
						 const Uuid *conversation_id);
static void port_tell(void *arg, Seat *seat, Payload *frame);
static void port_dirty(void *arg);
static void on_pulled(void *arg, const Pulled *pulled);
static void state_deliver(void *arg, Seat *seat, Payload *frame);
static void state_ask(void *arg, const Uuid *users, int user_count,
					  const Uuid *conversations, int conversation_count);
static void state_broken(void *arg);
static void live_event(void *arg, int channel, const Event *event,
					   const char *position);
static void live_broken(void *arg, int channel, LiveBreak why);
static void live_mode(void *arg, bool is_live);
static void live_turn_end(void *arg);

static const FanoutPorts fanout_ports = {
	.pull = port_pull,
	.look = port_look,
	.deliver = port_deliver,
	.tell = port_tell,
	.dirty = port_dirty,
};

static const FanoutStatePorts state_ports = {
	.deliver = state_deliver,
	.tell = port_tell,
	.ask = state_ask,
	.broken = state_broken,
};

static const LiveCallbacks live_callbacks = {
	.on_event = live_event,
	.on_broken = live_broken,
	.on_mode = live_mode,
	.on_turn_end = live_turn_end,
};

bool
gateway_open_chat(Gateway *gateway, Error *err)
{
	const GatewayConfig *config = gateway->config;
	Chat *chat = &gateway->chat;
	PgLoop pg = uv_pg_loop(&gateway->loop);
	LiveConfig live = { .redis_url = config->redis_url,
						.redis_password_file = config->redis_password_file };
	AuthConfig auth = { .secret_file = config->jwt_secret_file,
						.issuer = config->jwt_issuer,
						.audience = config->jwt_audience,
						.issuers_file = config->issuers_file,
						.loop = &gateway->loop,
						.on_revoked = on_revoked,
						.arg = gateway };
	DbConfig db = { .send_connections = (int) config->pg_send_connections,
					.read_connections = (int) config->pg_read_connections,
					.write_connections = (int) config->pg_write_connections,
					.send_queue_max = (int) config->send_queue,
					.on_state = on_db_state,
					.on_committed = on_committed,
					.on_joined = on_joined,
					.arg = gateway };

	if (config->pg_password_file != NULL &&
		(gateway->password = read_password(config->pg_password_file, err)) ==
			NULL)
		return false;
	db.conninfo = config->pg;
	db.password = gateway->password;
	chat->db = db_open(&pg, &db);
	auth.db = chat->db;
	chat->auth = auth_open(&auth, err);
	if (chat->auth == NULL)
		return false;
	gateway->awaited = awaited_new();
	chat->registry = registry_new();
	chat->sessions = sessions_new(chat->registry, &ws_transport);
	chat->polls = polls_new(chat);
	chat->fanout = fanout_new(chat->registry, &fanout_ports, gateway);
	chat->roster =
		roster_new(chat->db, chat->registry, config->poll_rows_per_second);
	roster_set_fanout(chat->roster, chat->fanout);
	chat->state = fanout_state_new(chat->registry, &state_ports, gateway);
	chat->roster_state = roster_state_new(chat->db, chat->registry, chat->state,
										  config->poll_rows_per_second / 2,
										  (int) config->receipt_members);
	chat->send_rule.per_second = config->send_rate;
	chat->send_rule.burst = config->send_burst;
	chat->admission.reads_max = (int) config->read_queue;
	chat->admission.entries_max = (int) config->hello_queue;
	chat->ask_rule.per_second = config->request_rate;
	chat->ask_rule.burst = config->request_burst;
	chat->limits = user_limits_new();
	gateway->rest = rest_new(chat);
	chat->accounts = accounts_open(&gateway->loop, chat->db, chat->auth,
								   config->local_accounts,
								   config->session_ttl_ms / 1000, err);
	if (chat->accounts == NULL)
		return false;
	accounts_rest_open(gateway->rest);
	chat->user_connections_max = (int) config->user_connections;
	chat->on_send_done = on_send_done;
	chat->arg = gateway;
	gateway->live =
		live_open(&gateway->loop, &live, &live_callbacks, gateway, err);
	return gateway->live != NULL;
}

bool
gateway_open_doors(Gateway *gateway, Error *err)
{
	const GatewayConfig *config = gateway->config;
	WsHandler handler = { .opened = ws_opened,
						  .message = ws_message,
						  .writable = ws_writable,
						  .heard = ws_heard,
						  .closed = ws_closed };
	DoorConfig door = { .host = config->listen_host,
						.port = (int) config->listen_port,
						.allowed_origins = config->allowed_origins,
						.files = gateway->files,
						.tls_cert_file = config->tls_cert_file,
						.tls_key_file = config->tls_key_file,
						.trusted_proxies = config->trusted_proxies,
						.has_proxy_header = config->proxy_protocol,
						.address_connections = config->address_connections,
						.max_http = (int) config->http_connections,
						.may_upgrade = may_upgrade,
						.upgrade = upgrade,
						.request = request,
						.methods = rest_methods,
						.arg = gateway };

	door.address_requests.per_second = config->address_requests;
	door.address_requests.burst = 2 * config->address_requests;
	gateway->ws = ws_new(&handler, gateway, FRAME_TEXT_MAX);
	gateway->door = door_open(&gateway->loop, &door, err);
	return gateway->door != NULL;
}

static char *
read_password(const char *path, Error *err)
{
	char *password = NULL;
	Buf text;

	buf_init(&text);
	if (secret_file_read(path, &text, err))
		password = xstrndup(text.data, strcspn(text.data, "\r\n"));
	secret_file_wipe(&text);
	buf_fini(&text);
	return password;
}

/* Runs before the loop waits: what the turn brought leaves in one frame. */
static void
on_turn_end(uv_prepare_t *prepare)
{
	Gateway *gateway = prepare->data;

	fanout_flush(gateway->chat.fanout);
	uv_prepare_stop(prepare);
}

/* Somebody signed out elsewhere, changed her password, was deactivated. */
static void
on_revoked(void *arg)
{
	Gateway *gateway = arg;

	sessions_each(gateway->chat.sessions, close_revoked, gateway);
	sessions_each(polls_sessions(gateway->chat.polls), close_revoked, gateway);
}

static void
close_revoked(void *arg, Session *session)
{
	Gateway *gateway = arg;
	const Identity *identity = session_identity(session);

	if (identity->expires_s == 0 || auth_is_good(gateway->chat.auth, identity))
		return;
	session_send(session, frame_error("", "invalid_token", "", 0));
	session_close(session, CLOSE_TOKEN, "token withdrawn");
}

static void
on_db_state(void *arg, bool is_up, const Error *err)
{
	Gateway *gateway = arg;

	if (!is_up)
	{
		/* Every try that fails says so: once per reason is enough. */
		if (strcmp(gateway->db_reason.text, err->text) != 0)
			log_warn("the database is away", "reason=%s", log_quote(err->text));
		gateway->db_reason = *err;
		return;
	}
	gateway->db_reason.text[0] = '\0';
	log_info("the database is there", NULL);

	/* Nobody's rows: for the position, which says whose history this is. */
	db_live_heads(gateway->chat.db, NULL, 0, -1, on_position, gateway);
}

static void
on_position(void *arg, const DbError *error, const HeadRows *rows,
			const Position *position)
{
	Gateway *gateway = arg;

	(void) error;
	(void) rows;
	if (position != NULL && gateway->live != NULL)
		live_set_system_id(gateway->live, position->system_id);
}

/*
 * Without live channels nobody else would tell before the next lap; with them
 * somebody should, soon.
 */
static void
on_committed(void *arg, const Uuid *conversation_id, uint64_t ev)
{
	Gateway *gateway = arg;

	if (live_is_live(gateway->live))
		awaited_add(gateway->awaited, conversation_id, ev, clock_now_us());
	else
		fanout_hint(gateway->chat.fanout, conversation_id, ev);
}

/* The next lap would tell, but she is waiting for it. */
static void
on_joined(void *arg, const Uuid *user_id)
{
	Gateway *gateway = arg;

	if (!live_is_live(gateway->live))
		roster_look(gateway->chat.roster, user_id, 0, NULL, NULL);
}

static void
on_send_done(void *arg, int64_t took_us)
{
	Gateway *gateway = arg;

	gateway_metrics_sent(gateway->metrics, took_us);
}

static void *
ws_opened(void *arg, WsSocket *socket, char *take_token)
{
	Gateway *gateway = arg;

	return session_new(gateway->chat.sessions, socket, take_token);
}

static void
ws_message(void *arg, void *user, const char *text, size_t len)
{
	Gateway *gateway = arg;
	Session *session = user;

	if (session_state(session) != SESSION_CLOSING)
		command_run(&gateway->chat, session, text, len);
}

static void
ws_writable(void *arg, void *user)
{
	(void) arg;
	session_writable(user);
}

static void
ws_heard(void *arg, void *user)
{
	(void) arg;
	session_heard(user);
}

static void
ws_closed(void *arg, void *user)
{
	Session *session = user;

	(void) arg;
	session_gone(&session);
}

static bool
may_upgrade(void *arg)
{
	Gateway *gateway = arg;

	return !gateway->is_draining &&
		   ws_count(gateway->ws) < gateway->max_connections;
}

static void
upgrade(void *arg, Conn *take_conn, const char *key, char *take_token)
{
	Gateway *gateway = arg;

	ws_adopt(gateway->ws, take_conn, key, take_token);
}

static void
request(void *arg, HttpRequest *take_request)
{
	Gateway *gateway = arg;

	rest_request(gateway->rest, take_request);
}

static void
port_pull(void *arg, const Uuid *conversation_id, uint64_t after_ev)
{
	Gateway *gateway = arg;

	db_live_changes(gateway->chat.db, conversation_id, after_ev, PULL_ROWS,
					on_pulled, gateway);
}

static void
on_pulled(void *arg, const Pulled *pulled)
{
	Gateway *gateway = arg;

	fanout_pulled(gateway->chat.fanout, pulled);
}

static void
port_look(void *arg, const Uuid *user_id, int64_t delay_ms)
{
	Gateway *gateway = arg;

	roster_look(gateway->chat.roster, user_id, delay_ms, NULL, NULL);
}

/*
 * Before its welcome a session knows nothing that could have changed; and a
 * token that may not read does not hear either.
 */
static bool
hears(Session *session)
{
	return session_state(session) == SESSION_READY &&
		   auth_allows(session_identity(session), AUTH_READ);
}

static void
port_deliver(void *arg, Seat *seat, Payload *frame, const Uuid *conversation_id)
{
	Session *session = session_of_seat(seat);

	(void) arg;
	if (hears(session))
		session_deliver(session, frame, conversation_id);
}

static void
port_tell(void *arg, Seat *seat, Payload *frame)
{
	Session *session = session_of_seat(seat);

	(void) arg;
	if (hears(session))
		session_send(session, payload_take(frame));
}

static void
state_deliver(void *arg, Seat *seat, Payload *frame)
{
	port_deliver(arg, seat, frame, NULL);
}

static void
state_ask(void *arg, const Uuid *users, int user_count,
		  const Uuid *conversations, int conversation_count)
{
	Gateway *gateway = arg;

	roster_state_ask(gateway->chat.roster_state, users, user_count,
					 conversations, conversation_count);
}

static void
state_broken(void *arg)
{
	Gateway *gateway = arg;

	roster_state_repair(gateway->chat.roster_state, -1);
}

static void
port_dirty(void *arg)
{
	Gateway *gateway = arg;

	uv_prepare_start(&gateway->turn_end, on_turn_end);
}

static void
live_event(void *arg, int channel, const Event *event, const char *position)
{
	Gateway *gateway = arg;

	(void) channel;
	if (event_is_user_scoped(event->kind))
		fanout_state_event(gateway->chat.state, event);
	else
		fanout_event(gateway->chat.fanout, event, position);
}

static void
live_broken(void *arg, int channel, LiveBreak why)
{
	Gateway *gateway = arg;

	(void) why;
	roster_repair(gateway->chat.roster, channel);
	roster_state_repair(gateway->chat.roster_state, channel);
}

static void
live_mode(void *arg, bool is_live)
{
	Gateway *gateway = arg;

	log_info(is_live ? "live channels are whole" : "polling the database",
			 NULL);
	roster_set_polled(gateway->chat.roster, !is_live);
	roster_state_set_polled(gateway->chat.roster_state, !is_live);
}

static void
live_turn_end(void *arg)
{
	Gateway *gateway = arg;

	fanout_flush(gateway->chat.fanout);
}
