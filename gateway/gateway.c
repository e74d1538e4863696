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
#include "db_send.h"
#include "frames.h"
#include "gateway_private.h"
#include "log.h"

#define FAST_TICK_MS      5
#define CALM_TICK_MS      LIVE_TICK_MS /* while nobody does anything */
#define CALM_AFTER_MS     1000
#define SLOW_TICK_MS      500
#define CLOSE_WAIT_MS     2500
#define OTHER_DESCRIPTORS 256
#define BYE_MIN_MS        200
#define BYE_SPREAD_MS     2800


static bool start(Gateway *gateway, Error *err);
static void stop(Gateway *gateway);
static bool write_port_file(const char *path, int port, Error *err);
static int64_t raise_descriptor_limit(int64_t connections, int64_t others);

/* loop */
static void on_fast(uv_timer_t *timer);
static void set_pace(Gateway *gateway);
static void on_slow(uv_timer_t *timer);
static void on_wake(uv_poll_t *poll, int status, int events);
static void drain(Gateway *gateway);
static void drain_session(void *arg, Session *session);
static void close_session(void *arg, Session *session);

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

	daemon_set_ready(gateway->daemon, false, "connecting to the database");
	gateway->max_connections = raise_descriptor_limit(config->max_connections,
													  config->http_connections);
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
	gateway->auth_metrics = auth_metrics_new();
	if (config->web_root != NULL &&
		(gateway->files = static_files_load(config->web_root, err)) == NULL)
		return false;
	if (!gateway_open_chat(gateway, err))
		return false;
	gateway->is_configured = true;
	if (!gateway_open_doors(gateway, err))
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

/* Mirrors the start; every part may be missing. */
static void
stop(Gateway *gateway)
{
	Chat *chat = &gateway->chat;

	ws_free(&gateway->ws);
	door_close(&gateway->door);
	if (gateway->live != NULL)
		live_close(&gateway->live);
	uv_close((uv_handle_t *) &gateway->fast, NULL);
	uv_close((uv_handle_t *) &gateway->slow, NULL);
	uv_close((uv_handle_t *) &gateway->turn_end, NULL);
	uv_close((uv_handle_t *) &gateway->wake, NULL);
	if (chat->accounts != NULL)
		accounts_stop(chat->accounts);
	if (chat->auth != NULL)
		auth_stop(chat->auth);
	db_close(&chat->db);
	uv_run(&gateway->loop, UV_RUN_DEFAULT);
	roster_state_free(&chat->roster_state);
	fanout_state_free(&chat->state);
	roster_free(&chat->roster);
	fanout_free(&chat->fanout);
	awaited_free(&gateway->awaited);
	polls_free(&chat->polls);
	sessions_free(&chat->sessions);
	registry_free(&chat->registry);
	accounts_free(&chat->accounts);
	auth_close(&chat->auth);
	rest_free(&gateway->rest);
	user_limits_free(&chat->limits);
	static_files_free(&gateway->files);
	gateway_metrics_free(&gateway->metrics);
	auth_metrics_free(&gateway->auth_metrics);
	if (gateway->password != NULL)
		explicit_bzero(gateway->password, strlen(gateway->password));
	free(gateway->password);
	uv_loop_close(&gateway->loop);
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

/*
 * As many WebSockets as configured, or as there can be descriptors; others:
 * connections that are none.
 */
static int64_t
raise_descriptor_limit(int64_t connections, int64_t others)
{
	struct rlimit limit;
	rlim_t kept = (rlim_t) others + OTHER_DESCRIPTORS;
	rlim_t wanted = (rlim_t) connections + kept;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
		return connections;
	limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
	if (setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= wanted)
		return connections;
	log_info("descriptors bound the connections",
			 "descriptors=%llu max_connections=%lld",
			 (unsigned long long) limit.rlim_cur, (long long) connections);
	return (int64_t) (limit.rlim_cur > 2 * kept ? limit.rlim_cur - kept
												: limit.rlim_cur / 2);
}

static void
on_fast(uv_timer_t *timer)
{
	Gateway *gateway = timer->data;
	Uuid conversation_id;
	uint64_t ev;

	live_tick(gateway->live);
	while (
		awaited_next(gateway->awaited, clock_now_us(), &conversation_id, &ev))
		fanout_hint(gateway->chat.fanout, &conversation_id, ev);
	fanout_tick(gateway->chat.fanout);
	fanout_state_tick(gateway->chat.state);
	roster_tick(gateway->chat.roster);
	roster_state_tick(gateway->chat.roster_state,
					  live_heard_lsn(gateway->live));
	db_send_tick(gateway->chat.db);
	polls_turn(gateway->chat.polls);
	if (gateway->is_draining)
		drain(gateway);
	set_pace(gateway);
}

/*
 * Two hundred wake-ups a second are most of what an idle gateway costs, and
 * only what is under way needs them.
 */
static void
set_pace(Gateway *gateway)
{
	const Chat *chat = &gateway->chat;
	int64_t now_us = clock_now_us();
	uint64_t done = chat->counts.requests +
					fanout_counts(chat->fanout)->events +
					fanout_state_counts(chat->state)->events +
					roster_counts(chat->roster)->rows +
					http_server_counts(door_http(gateway->door))->requests;
	uint64_t pace_ms;

	if (done != gateway->done || db_load(chat->db) > 0 ||
		sessions_requests(chat->sessions) > 0 || door_busy(gateway->door) > 0 ||
		!live_is_live(gateway->live) || gateway->is_draining)
	{
		gateway->done = done;
		gateway->active_us = now_us;
	}
	pace_ms = now_us - gateway->active_us < CALM_AFTER_MS * INT64_C(1000)
				  ? FAST_TICK_MS
				  : CALM_TICK_MS;
	if (uv_timer_get_repeat(&gateway->fast) == pace_ms)
		return;
	uv_timer_set_repeat(&gateway->fast, pace_ms);
	uv_timer_again(&gateway->fast);
}

static void
on_slow(uv_timer_t *timer)
{
	Gateway *gateway = timer->data;

	daemon_turned(gateway->daemon);
	auth_tick(gateway->chat.auth);
	sessions_tick(gateway->chat.sessions);
	polls_tick(gateway->chat.polls);
	if (gateway->door != NULL)
		door_tick(gateway->door);
	auth_metrics_update(gateway->auth_metrics, gateway->chat.auth,
						gateway->chat.accounts);
	gateway_metrics_update(gateway->metrics, &gateway->chat, gateway->door,
						   gateway->ws);
	if (!db_is_up(gateway->chat.db))
		daemon_set_ready(gateway->daemon, false, "the database is away");
	else if (!auth_is_ready(gateway->chat.auth))
		daemon_set_ready(gateway->daemon, false, "asking what is withdrawn");
	else
		daemon_set_ready(gateway->daemon, true, NULL);
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

	sessions_each(polls_sessions(gateway->chat.polls), close_session, gateway);
	if (took_ms < gateway->config->drain_timeout_ms)
		sessions_each(gateway->chat.sessions, drain_session, gateway);
	else
		sessions_each(gateway->chat.sessions, close_session, gateway);
	if ((ws_count(gateway->ws) == 0 && door_busy(gateway->door) == 0) ||
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
