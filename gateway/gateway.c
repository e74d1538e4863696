#include "gateway.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

#include "clock.h"
#include "command.h"
#include "db_send.h"
#include "door.h"
#include "frames.h"
#include "gateway_config.h"
#include "gateway_metrics.h"
#include "live.h"
#include "log.h"
#include "secret_file.h"
#include "uv_pg.h"
#include "ws.h"
#include "xalloc.h"

#define FAST_TICK_MS      5
#define SLOW_TICK_MS      500
#define PULL_ROWS         200
#define CLOSE_WAIT_MS     2500
#define OTHER_DESCRIPTORS 256
#define BYE_MIN_MS        200
#define BYE_SPREAD_MS     2800

typedef struct Gateway
{
	Daemon *daemon;
	const GatewayConfig *config;
	uv_loop_t loop;
	uv_timer_t fast;
	uv_timer_t slow;
	uv_prepare_t turn_end;
	uv_poll_t wake;
	char *password;
	StaticFiles *files;
	Door *door;
	Ws *ws;
	Live *live;
	GatewayMetrics *metrics;
	Chat chat;
	Error db_reason;
	bool is_configured; /* what fails from here on is not a setting */
	bool is_draining;
	int64_t drain_began_us;
	int64_t max_connections;
} Gateway;

static bool start(Gateway *gateway, Error *err);
static bool start_chat(Gateway *gateway, Error *err);
static void stop(Gateway *gateway);
static char *read_password(const char *path, Error *err);
static bool write_port_file(const char *path, int port, Error *err);
static int64_t raise_descriptor_limit(int64_t connections);

/* loop */
static void on_fast(uv_timer_t *timer);
static void on_slow(uv_timer_t *timer);
static void on_turn_end(uv_prepare_t *prepare);
static void on_wake(uv_poll_t *poll, int status, int events);
static void drain(Gateway *gateway);
static void drain_session(void *arg, Session *session);
static void close_session(void *arg, Session *session);

/* db, ws, door, fanout, live */
static void on_db_state(void *arg, bool is_up, const Error *err);
static void on_position(void *arg, const DbError *error, const HeadRows *rows,
						const Position *position);
static void on_committed(void *arg, const Uuid *conversation_id, uint64_t ev);
static void on_send_done(void *arg, int64_t took_us);
static void *ws_opened(void *arg, WsSocket *socket, char *take_token);
static void ws_message(void *arg, void *user, const char *text, size_t len);
static void ws_writable(void *arg, void *user);
static void ws_heard(void *arg, void *user);
static void ws_closed(void *arg, void *user);
static bool may_upgrade(void *arg);
static void upgrade(void *arg, int take_fd, const char *key, char *take_token);
static void port_pull(void *arg, const Uuid *conversation_id,
					  uint64_t after_ev);
static void port_look(void *arg, const Uuid *user_id, int64_t delay_ms);
static void port_deliver(void *arg, Seat *seat, Payload *frame,
						 const Uuid *conversation_id);
static void port_tell(void *arg, Seat *seat, Payload *frame);
static void port_dirty(void *arg);
static void on_pulled(void *arg, const Pulled *pulled);
static void live_event(void *arg, int channel, const Event *event,
					   const char *position);
static void live_broken(void *arg, int channel, LiveBreak why);
static void live_mode(void *arg, bool is_live);
static void live_turn_end(void *arg);

int
gateway_run(Daemon *daemon, const void *config)
{
	Gateway gateway = { .daemon = daemon, .config = config };
	Error err;
	int code = EXIT_OK;

	signal(SIGPIPE, SIG_IGN);
	uv_loop_init(&gateway.loop);
	if (!start(&gateway, &err))
	{
		log_error("could not start", "reason=%s", log_quote(err.text));
		code = gateway.is_configured ? EXIT_UNAVAILABLE : EXIT_CONFIG;
	}
	else
		uv_run(&gateway.loop, UV_RUN_DEFAULT);
	stop(&gateway);
	return code;
}

static bool
start(Gateway *gateway, Error *err)
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
						.may_upgrade = may_upgrade,
						.upgrade = upgrade,
						.arg = gateway };

	daemon_set_ready(gateway->daemon, false, "connecting to the database");
	gateway->max_connections = raise_descriptor_limit(config->max_connections);
	uv_timer_init(&gateway->loop, &gateway->fast);
	uv_timer_init(&gateway->loop, &gateway->slow);
	uv_prepare_init(&gateway->loop, &gateway->turn_end);
	uv_poll_init(&gateway->loop, &gateway->wake,
				 daemon_wake_fd(gateway->daemon));
	gateway->fast.data = gateway;
	gateway->slow.data = gateway;
	gateway->turn_end.data = gateway;
	gateway->wake.data = gateway;

	gateway->metrics = gateway_metrics_new();
	if (config->web_root != NULL &&
		(gateway->files = static_files_load(config->web_root, err)) == NULL)
		return false;
	if (!start_chat(gateway, err))
		return false;
	gateway->is_configured = true;
	gateway->ws =
		ws_open(&gateway->loop, &handler, gateway, FRAME_TEXT_MAX, err);
	if (gateway->ws == NULL)
		return false;
	door.files = gateway->files;
	gateway->door = door_open(&gateway->loop, &door, err);
	if (gateway->door == NULL)
		return false;
	if (config->port_file != NULL &&
		!write_port_file(config->port_file, door_port(gateway->door), err))
		return false;
	log_info("listening", "host=%s port=%d", config->listen_host,
			 door_port(gateway->door));
	uv_timer_start(&gateway->fast, on_fast, FAST_TICK_MS, FAST_TICK_MS);
	uv_timer_start(&gateway->slow, on_slow, SLOW_TICK_MS, SLOW_TICK_MS);
	uv_poll_start(&gateway->wake, UV_READABLE, on_wake);
	return true;
}

static bool
start_chat(Gateway *gateway, Error *err)
{
	const GatewayConfig *config = gateway->config;
	Chat *chat = &gateway->chat;
	PgLoop pg = uv_pg_loop(&gateway->loop);
	FanoutPorts ports = { .pull = port_pull,
						  .look = port_look,
						  .deliver = port_deliver,
						  .tell = port_tell,
						  .dirty = port_dirty };
	LiveConfig live = { .redis_url = config->redis_url,
						.redis_password_file = config->redis_password_file };
	LiveCallbacks callbacks = { .on_event = live_event,
								.on_broken = live_broken,
								.on_mode = live_mode,
								.on_turn_end = live_turn_end };
	DbConfig db = { .send_connections = (int) config->pg_send_connections,
					.read_connections = (int) config->pg_read_connections,
					.send_queue_max = (int) config->send_queue,
					.on_state = on_db_state,
					.on_committed = on_committed,
					.arg = gateway };

	chat->auth = auth_open(config->jwt_secret_file, config->jwt_issuer,
						   config->jwt_audience, err);
	if (chat->auth == NULL)
		return false;
	if (config->pg_password_file != NULL &&
		(gateway->password = read_password(config->pg_password_file, err)) ==
			NULL)
		return false;
	db.conninfo = config->pg;
	db.password = gateway->password;
	chat->db = db_open(&pg, &db);
	chat->registry = registry_new();
	chat->sessions = sessions_new(chat->registry, &ws_transport);
	chat->fanout = fanout_new(chat->registry, &ports, gateway);
	chat->roster =
		roster_new(chat->db, chat->registry, config->poll_rows_per_second);
	roster_set_fanout(chat->roster, chat->fanout);
	chat->send_rule.per_second = config->send_rate;
	chat->send_rule.burst = config->send_burst;
	chat->user_connections_max = (int) config->user_connections;
	chat->on_send_done = on_send_done;
	chat->arg = gateway;
	gateway->live = live_open(&gateway->loop, &live, &callbacks, gateway, err);
	return gateway->live != NULL;
}

/* Mirrors the start; every part may be missing. */
static void
stop(Gateway *gateway)
{
	Chat *chat = &gateway->chat;

	door_close(&gateway->door);
	if (gateway->live != NULL)
		live_close(&gateway->live);
	if (gateway->ws != NULL)
		ws_shutdown(gateway->ws);
	uv_close((uv_handle_t *) &gateway->fast, NULL);
	uv_close((uv_handle_t *) &gateway->slow, NULL);
	uv_close((uv_handle_t *) &gateway->turn_end, NULL);
	uv_close((uv_handle_t *) &gateway->wake, NULL);
	db_close(&chat->db);
	uv_run(&gateway->loop, UV_RUN_DEFAULT);
	ws_free(&gateway->ws);
	roster_free(&chat->roster);
	fanout_free(&chat->fanout);
	sessions_free(&chat->sessions);
	registry_free(&chat->registry);
	auth_close(&chat->auth);
	static_files_free(&gateway->files);
	gateway_metrics_free(&gateway->metrics);
	if (gateway->password != NULL)
		explicit_bzero(gateway->password, strlen(gateway->password));
	free(gateway->password);
	uv_loop_close(&gateway->loop);
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

static bool
write_port_file(const char *path, int port, Error *err)
{
	char temporary[1024];
	char text[16];
	int len = snprintf(text, sizeof(text), "%d\n", port);
	int fd;

	if (snprintf(temporary, sizeof(temporary), "%s.new", path) >=
		(int) sizeof(temporary))
		return error_set(err, "port_file is too long");
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, text, (size_t) len) != len || close(fd) != 0 ||
		rename(temporary, path) != 0)
		return error_set(err, "could not write %s: %s", path, strerror(errno));
	return true;
}

/* As many connections as configured, or as there can be descriptors. */
static int64_t
raise_descriptor_limit(int64_t connections)
{
	struct rlimit limit;
	rlim_t wanted = (rlim_t) connections + OTHER_DESCRIPTORS;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
		return connections;
	limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
	if (setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= wanted)
		return connections;
	log_info("descriptors bound the connections",
			 "descriptors=%llu max_connections=%lld",
			 (unsigned long long) limit.rlim_cur, (long long) connections);
	return limit.rlim_cur > 2 * OTHER_DESCRIPTORS
			   ? (int64_t) limit.rlim_cur - OTHER_DESCRIPTORS
			   : OTHER_DESCRIPTORS;
}

static void
on_fast(uv_timer_t *timer)
{
	Gateway *gateway = timer->data;

	fanout_tick(gateway->chat.fanout);
	roster_tick(gateway->chat.roster);
	db_send_tick(gateway->chat.db);
	if (gateway->is_draining)
		drain(gateway);
}

static void
on_slow(uv_timer_t *timer)
{
	Gateway *gateway = timer->data;

	daemon_turned(gateway->daemon);
	sessions_tick(gateway->chat.sessions);
	if (gateway->door != NULL)
		door_tick(gateway->door);
	gateway_metrics_update(gateway->metrics, &gateway->chat, gateway->door,
						   ws_count(gateway->ws));
	if (db_is_up(gateway->chat.db))
		daemon_set_ready(gateway->daemon, true, NULL);
	else
		daemon_set_ready(gateway->daemon, false, "the database is away");
}

/* Runs before the loop waits: what the turn brought leaves in one frame. */
static void
on_turn_end(uv_prepare_t *prepare)
{
	Gateway *gateway = prepare->data;

	fanout_flush(gateway->chat.fanout);
	uv_prepare_stop(prepare);
}

static void
on_wake(uv_poll_t *poll, int status, int events)
{
	Gateway *gateway = poll->data;

	(void) status;
	(void) events;
	if (!daemon_is_draining(gateway->daemon))
		return;
	uv_poll_stop(poll);
	log_info("draining", "connections=%d requests=%d", ws_count(gateway->ws),
			 sessions_requests(gateway->chat.sessions));
	gateway->is_draining = true;
	gateway->chat.is_draining = true;
	gateway->drain_began_us = clock_now_us();
	door_stop(gateway->door);
	drain(gateway);
}

/* Each client goes when its last request is answered. */
static void
drain(Gateway *gateway)
{
	int64_t took_ms = (clock_now_us() - gateway->drain_began_us) / 1000;

	if (took_ms < gateway->config->drain_timeout_ms)
		sessions_each(gateway->chat.sessions, drain_session, gateway);
	else
		sessions_each(gateway->chat.sessions, close_session, gateway);
	if (ws_count(gateway->ws) == 0 ||
		took_ms > gateway->config->drain_timeout_ms + CLOSE_WAIT_MS)
		uv_stop(&gateway->loop);
}

static void
drain_session(void *arg, Session *session)
{
	if (session_requests(session) == 0)
		close_session(arg, session);
}

static void
close_session(void *arg, Session *session)
{
	(void) arg;
	session_send(session,
				 frame_bye("drain", BYE_MIN_MS + random() % BYE_SPREAD_MS));
	session_close(session, CLOSE_AWAY, "drain");
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

/* Without live channels nobody else would tell before the next lap. */
static void
on_committed(void *arg, const Uuid *conversation_id, uint64_t ev)
{
	Gateway *gateway = arg;

	if (!live_is_live(gateway->live))
		fanout_hint(gateway->chat.fanout, conversation_id, ev);
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
upgrade(void *arg, int take_fd, const char *key, char *take_token)
{
	Gateway *gateway = arg;

	if (!ws_adopt(gateway->ws, take_fd, key, take_token))
		log_warn("could not take over a connection", NULL);
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

static void
port_deliver(void *arg, Seat *seat, Payload *frame, const Uuid *conversation_id)
{
	Session *session = session_of_seat(seat);

	(void) arg;
	if (session_state(session) == SESSION_READY)
		session_deliver(session, frame, conversation_id);
}

/* Before its welcome a session knows nothing that could have changed. */
static void
port_tell(void *arg, Seat *seat, Payload *frame)
{
	Session *session = session_of_seat(seat);

	(void) arg;
	if (session_state(session) == SESSION_READY)
		session_send(session, payload_take(frame));
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
	fanout_event(gateway->chat.fanout, event, position);
}

static void
live_broken(void *arg, int channel, LiveBreak why)
{
	Gateway *gateway = arg;

	(void) why;
	roster_repair(gateway->chat.roster, channel);
}

static void
live_mode(void *arg, bool is_live)
{
	Gateway *gateway = arg;

	log_info(is_live ? "live channels are whole" : "polling the database",
			 NULL);
	roster_set_polled(gateway->chat.roster, !is_live);
}

static void
live_turn_end(void *arg)
{
	Gateway *gateway = arg;

	fanout_flush(gateway->chat.fanout);
}
