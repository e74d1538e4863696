#include "live.h"

#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "live_frame.h"
#include "live_metrics.h"
#include "live_tracker.h"
#include "log.h"
#include "redis_conn.h"
#include "xalloc.h"

#define RESUBSCRIBE_US (2 * 1000 * 1000)

/* One descriptor on the loop; outlives the connection until uv let it go. */
typedef struct LivePoll
{
	uv_poll_t handle;
	Live *live;
	int fd;
	short events;
} LivePoll;

struct Live
{
	uv_loop_t *loop;
	LiveCallbacks callbacks;
	void *arg;
	LiveMetrics metrics;
	LiveTracker *tracker;

	RedisUrl url;
	RedisConn *conn; /* NULL: none is configured */
	LivePoll *poll;  /* NULL: nothing to wait for */
	bool is_subscribed[LIVE_CHANNELS];
	int64_t subscribe_at_us; /* again, after a refusal; 0: no need */
	bool has_events;         /* handed on in this turn */
	bool is_down_told;       /* retries are for the debug log */
};

static void turn(Live *live, short revents);
static void wait_for_more(Live *live);
static void on_readable(uv_poll_t *handle, int status, int events);
static void on_ready(void *arg);
static void on_down(void *arg, const char *why, int64_t retry_ms);
static void on_push(void *arg, const char *name, size_t name_len,
					const char *bytes, size_t len);
static void on_close_fd(void *arg, int fd);
static void subscribe(Live *live);
static void on_subscribed(void *arg, const RedisValue *reply);
static void free_handle(uv_handle_t *handle);

static const RedisCallbacks redis_callbacks = {
	.on_ready = on_ready,
	.on_down = on_down,
	.on_push = on_push,
	.on_close_fd = on_close_fd,
};

Live *
live_open(uv_loop_t *loop, const LiveConfig *config,
		  const LiveCallbacks *callbacks, void *arg, Error *err)
{
	Live *live = xcalloc(1, sizeof(*live));
	RedisConnOptions options = redis_conn_defaults;

	if (config->redis_url != NULL &&
		(!redis_url_parse(config->redis_url, &live->url, err) ||
		 (config->redis_password_file != NULL &&
		  !redis_url_read_password(&live->url, config->redis_password_file,
								   err))))
	{
		free(live);
		return NULL;
	}
	live->loop = loop;
	live->callbacks = *callbacks;
	live->arg = arg;
	live_metrics_init(&live->metrics);
	live->tracker = live_tracker_new(callbacks, arg, &live->metrics);
	if (config->redis_url == NULL)
		return live;

	options.name = "chemchat-gateway";
	options.is_subscriber = true;
	live->conn = redis_conn_new(&live->url, &options, &redis_callbacks, live);
	return live;
}

void
live_tick(Live *live)
{
	if (live->conn != NULL)
		turn(live, 0);
}

void
live_set_system_id(Live *live, uint64_t system_id)
{
	live_tracker_set_system_id(live->tracker, system_id);
}

bool
live_is_live(const Live *live)
{
	return live_tracker_is_live(live->tracker);
}

uint64_t
live_heard_lsn(const Live *live)
{
	return live_tracker_heard_lsn(live->tracker);
}

void
live_close(Live **live)
{
	Live *old = *live;

	if (old == NULL)
		return;
	redis_conn_free(&old->conn);
	live_tracker_free(&old->tracker);
	explicit_bzero(old->url.password, sizeof(old->url.password));
	free(old);
	*live = NULL;
}

static void
turn(Live *live, short revents)
{
	int64_t now_us = clock_now_us();

	live->has_events = false;
	redis_conn_turn(live->conn, revents, now_us);
	live_tracker_tick(live->tracker, now_us);
	if (live->subscribe_at_us != 0 && now_us >= live->subscribe_at_us &&
		redis_conn_is_ready(live->conn))
		subscribe(live);
	wait_for_more(live);
	if (live->has_events && live->callbacks.on_turn_end != NULL)
		live->callbacks.on_turn_end(live->arg);
}

/* Deadlines of the connection are coarse: live_tick does for them. */
static void
wait_for_more(Live *live)
{
	int fd = redis_conn_fd(live->conn);
	short events = redis_conn_events(live->conn);
	int uv_events = (events & POLLIN ? UV_READABLE : 0) |
					(events & POLLOUT ? UV_WRITABLE : 0);
	int code;

	if (fd < 0)
		return;
	if (live->poll == NULL)
	{
		live->poll = xcalloc(1, sizeof(*live->poll));
		live->poll->live = live;
		live->poll->fd = fd;
		code = uv_poll_init(live->loop, &live->poll->handle, fd);
		if (code != 0)
		{
			log_error("could not wait for Redis", "reason=%s",
					  log_quote(uv_strerror(code)));
			free(live->poll);
			live->poll = NULL;
			return;
		}
	}
	if (live->poll->events == events)
		return;
	live->poll->events = events;
	uv_poll_start(&live->poll->handle, uv_events, on_readable);
}

static void
on_readable(uv_poll_t *handle, int status, int events)
{
	LivePoll *poll = (LivePoll *) handle;
	short revents = (short) ((events & UV_READABLE ? POLLIN : 0) |
							 (events & UV_WRITABLE ? POLLOUT : 0));

	turn(poll->live, status < 0 ? POLLERR : revents);
}

static void
on_ready(void *arg)
{
	Live *live = arg;
	char text[320];

	log_info("connected to Redis", "url=%s",
			 redis_url_text(&live->url, text, sizeof(text)));
	live->is_down_told = false;
	memset(live->is_subscribed, 0, sizeof(live->is_subscribed));
	subscribe(live);
}

static void
on_down(void *arg, const char *why, int64_t retry_ms)
{
	Live *live = arg;

	log_line(live->is_down_told ? LOG_DEBUG : LOG_WARN,
			 "no connection to Redis", "reason=%s retry_ms=%" PRId64,
			 log_quote(why), retry_ms);
	live->is_down_told = true;
	metric_add(live->metrics.disconnects, 1);
	live->subscribe_at_us = 0;
	live_tracker_lost(live->tracker);
}

static void
on_push(void *arg, const char *name, size_t name_len, const char *bytes,
		size_t len)
{
	Live *live = arg;

	if (live_tracker_hear(live->tracker, name, name_len, bytes, len,
						  clock_now_us()))
		live->has_events = true;
}

static void
on_close_fd(void *arg, int fd)
{
	Live *live = arg;

	if (live->poll == NULL || live->poll->fd != fd)
		return;
	uv_poll_stop(&live->poll->handle);
	uv_close((uv_handle_t *) &live->poll->handle, free_handle);
	live->poll = NULL;
}

/*
 * One command a channel: in a cluster, channels of several slots in one
 * command are refused.
 */
static void
subscribe(Live *live)
{
	live->subscribe_at_us = 0;
	for (int i = 0; i < LIVE_CHANNELS; i++)
	{
		char name[LIVE_CHANNEL_SIZE];
		const char *argv[] = { "SSUBSCRIBE", name };

		if (live->is_subscribed[i])
			continue;
		live_channel_name(i, name);
		(void) redis_conn_command(live->conn, 2, argv, NULL, on_subscribed,
								  live);
	}
}

/* ["ssubscribe", channel, count], or an error that names no channel. */
static void
on_subscribed(void *arg, const RedisValue *reply)
{
	Live *live = arg;
	int channel;

	if (reply == NULL)
		return;
	if (reply->type == REDIS_VALUE_ARRAY && reply->count == 3 &&
		redis_value_is(reply->element[0], "ssubscribe"))
	{
		channel =
			live_channel_parse(reply->element[1]->text, reply->element[1]->len);
		if (channel >= 0)
			live->is_subscribed[channel] = true;
		return;
	}
	log_warn("Redis refused a live channel", "reply=%s",
			 log_quote(reply->text));
	live->subscribe_at_us = clock_now_us() + RESUBSCRIBE_US;
}

static void
free_handle(uv_handle_t *handle)
{
	free(handle);
}
