#include "sink_redis.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "live_frame.h"
#include "log.h"
#include "redis_conn.h"
#include "xalloc.h"

/* A message is closed beyond this, so that one reply stays readable. */
#define MESSAGE_TARGET_BYTES (256 * 1024)
#define KEPT_BUF_BYTES       (16 * 1024)
#define CLAIM_LOOK_US        (50 * 1000)
#define CLAIM_RETRY_US       (1000 * 1000)

typedef struct Channel
{
	uint64_t number; /* of the last message */
	Buf message;     /* of the frame at hand; empty: none */
	uint16_t event_count;
	char name[LIVE_CHANNEL_SIZE];
} Channel;

typedef struct SinkRedis
{
	Sink sink;
	const SinkRedisMetrics *metrics;
	RedisUrl url;
	RedisConn *conn;

	uint64_t system_id;
	uint32_t timeline;
	uint64_t seen_lsn;            /* end of the last transaction read */
	uint64_t incarnation;         /* 0: not taken yet */
	uint64_t highest_incarnation; /* ever ours */
	bool is_down_told;            /* retries are for the debug log */
	bool is_claimed;              /* on this connection */
	int64_t claim_at_us;          /* when to ask for it (again) */
	int64_t heartbeat_at_us;

	Channel channel[LIVE_CHANNELS];
	uint8_t touched[LIVE_CHANNELS]; /* channels with a message at hand */
	int touched_count;
} SinkRedis;

/*
 * KEYS[1] the last incarnation; ARGV[1] the one wanted; ARGV[2] '1' when we
 * hold it already and only came back.
 */
static const char claim_script[] =
	"local last = tonumber(redis.call('GET', KEYS[1]) or '0') or 0\n"
	"if last ~= last or last > 9007199254740990 then last = 0 end\n"
	"local mine = tonumber(ARGV[1])\n"
	"if last > mine or (last == mine and ARGV[2] ~= '1') then\n"
	"  mine = last + 1\n"
	"end\n"
	"local text = string.format('%.0f', mine)\n"
	"redis.call('SET', KEYS[1], text)\n"
	"return text\n";

static SinkStatus redis_start(Sink *sink, const SinkIdentity *identity,
							  PrefixWindow *window, SinkFindings *found,
							  Error *err);
static void redis_frame_begin(Sink *sink, const FrameHeader *header,
							  PrefixSpan span);
static SinkStatus redis_event(Sink *sink, const SinkEvent *event, Error *err);
static void redis_frame_end(Sink *sink, const FrameHeader *header,
							PrefixSpan span);
static SinkStatus redis_turn(Sink *sink, int64_t now_us, Error *err);
static int redis_wait(Sink *sink, struct pollfd *fds, int64_t *deadline_us);
static void redis_free(Sink *sink);

static short poll_once(const RedisConn *conn);
static void on_ready(void *arg);
static void on_down(void *arg, const char *why, int64_t retry_ms);
static bool is_hearing(const SinkRedis *redis, int64_t now_us);
static void claim(SinkRedis *redis, int64_t now_us);
static void on_claimed(void *arg, const RedisValue *reply);
static void begin_incarnation(SinkRedis *redis, uint64_t incarnation);
static void send_message(SinkRedis *redis, int channel,
						 const FrameHeader *header);
static void drop_messages(SinkRedis *redis);
static void send_heartbeats(SinkRedis *redis);
static bool publish(SinkRedis *redis, const Channel *channel, const void *bytes,
					size_t len);
static void on_published(void *arg, const RedisValue *reply);
static bool parse_u64(const RedisValue *value, uint64_t *out);

static const SinkOps redis_ops = {
	.name = "redis",
	.start = redis_start,
	.frame_begin = redis_frame_begin,
	.event = redis_event,
	.frame_end = redis_frame_end,
	.turn = redis_turn,
	.wait = redis_wait,
	.free = redis_free,
};

static const RedisCallbacks redis_callbacks = {
	.on_ready = on_ready,
	.on_down = on_down,
};

void
sink_redis_metrics_init(SinkRedisMetrics *metrics)
{
	metrics->published = metric_counter("chemchat_live_published_total",
										"Live messages handed to Redis.", NULL);
	metrics->events = metric_counter("chemchat_live_published_events_total",
									 "Events in them.", NULL);
	metrics->dropped =
		metric_counter("chemchat_live_dropped_total",
					   "Live messages dropped, Redis being away or slow; "
					   "gateways repair from the database.",
					   NULL);
	metrics->refused = metric_counter("chemchat_live_refused_total",
									  "Live messages Redis refused.", NULL);
	metrics->heartbeats =
		metric_counter("chemchat_live_heartbeats_total",
					   "Rounds of heartbeats on every live channel.", NULL);
	metrics->is_connected = metric_gauge("chemchat_live_redis_connected",
										 "1 while Redis answers.", NULL);
	metrics->disconnects =
		metric_counter("chemchat_live_redis_disconnects_total",
					   "Connections to Redis that ended or never came.", NULL);
	metrics->delay =
		metric_histogram("chemchat_live_publish_delay_seconds",
						 "From the commit's time to the hand-over.", NULL);
}

Sink *
sink_redis_new(const SinkRedisConfig *config, Error *err)
{
	SinkRedis *redis = xcalloc(1, sizeof(*redis));
	RedisConnOptions options = redis_conn_defaults;
	bool is_ok;

	is_ok = redis_url_parse(config->url, &redis->url, err) &&
			(config->password_file == NULL ||
			 redis_url_read_password(&redis->url, config->password_file, err));
	if (!is_ok)
	{
		free(redis);
		return NULL;
	}
	redis->sink.ops = &redis_ops;
	redis->metrics = config->metrics;
	for (int i = 0; i < LIVE_CHANNELS; i++)
	{
		live_channel_name(i, redis->channel[i].name);
		buf_init(&redis->channel[i].message);
	}
	options.name = "chemchat-live";
	redis->conn =
		redis_conn_new(&redis->url, &options, &redis_callbacks, redis);
	return &redis->sink;
}

static void
redis_free(Sink *sink)
{
	SinkRedis *redis = (SinkRedis *) sink;

	metric_set(redis->metrics->is_connected, 0);
	redis_conn_free(&redis->conn);
	for (int i = 0; i < LIVE_CHANNELS; i++)
		buf_fini(&redis->channel[i].message);
	explicit_bzero(redis->url.password, sizeof(redis->url.password));
	free(redis);
}

static SinkStatus
redis_start(Sink *sink, const SinkIdentity *identity, PrefixWindow *window,
			SinkFindings *found, Error *err)
{
	SinkRedis *redis = (SinkRedis *) sink;

	(void) window;
	(void) err;
	redis->system_id = identity->system_id;
	redis->timeline = identity->timeline;
	redis->seen_lsn = 0;
	redis->incarnation = 0;
	redis->is_claimed = false;
	redis->claim_at_us = 0;
	drop_messages(redis);
	memset(found, 0, sizeof(*found));
	snprintf(found->layout, sizeof(found->layout), "{}");
	return SINK_OK;
}

static void
redis_frame_begin(Sink *sink, const FrameHeader *header, PrefixSpan span)
{
	SinkRedis *redis = (SinkRedis *) sink;

	(void) header;
	(void) span;
	drop_messages(redis);
}

static SinkStatus
redis_event(Sink *sink, const SinkEvent *event, Error *err)
{
	SinkRedis *redis = (SinkRedis *) sink;
	int number = live_channel_of(event->event->key);
	Channel *channel = &redis->channel[number];
	uint8_t len[LIVE_EVENT_OVERHEAD];

	(void) err;

	/* told again by republish(): old to whoever listens now */
	if ((event->event->flags & EVENT_REPLAY) != 0)
		return SINK_OK;
	if (channel->message.len > 0 &&
		(channel->event_count == UINT16_MAX ||
		 channel->message.len + event->record_len > MESSAGE_TARGET_BYTES))
		send_message(redis, number, event->header);
	if (channel->message.len == 0)
	{
		buf_reserve(&channel->message, LIVE_HEADER_SIZE);
		channel->message.len = LIVE_HEADER_SIZE;
		redis->touched[redis->touched_count++] = (uint8_t) number;
	}
	bytes_put_u32(len, event->record_len);
	buf_append(&channel->message, len, sizeof(len));
	buf_append(&channel->message, event->record, event->record_len);
	channel->event_count++;
	return SINK_OK;
}

static void
redis_frame_end(Sink *sink, const FrameHeader *header, PrefixSpan span)
{
	SinkRedis *redis = (SinkRedis *) sink;

	(void) span;
	redis->seen_lsn = header->end_lsn;
	while (redis->touched_count > 0)
		send_message(redis, redis->touched[redis->touched_count - 1], header);
}

static SinkStatus
redis_turn(Sink *sink, int64_t now_us, Error *err)
{
	SinkRedis *redis = (SinkRedis *) sink;
	short revents = POLLIN;

	(void) err;
	/* while connecting it must be true; later a read says it as cheaply */
	if (!redis_conn_is_ready(redis->conn))
		revents = poll_once(redis->conn);
	redis_conn_turn(redis->conn, revents, now_us);
	if (!redis_conn_is_ready(redis->conn))
		return SINK_OK;
	if (!redis->is_claimed && now_us >= redis->claim_at_us)
	{
		redis->claim_at_us = now_us + CLAIM_LOOK_US;
		if (is_hearing(redis, now_us))
			claim(redis, now_us);
	}
	if (redis->is_claimed && now_us >= redis->heartbeat_at_us)
	{
		if (is_hearing(redis, now_us))
			send_heartbeats(redis);
		redis->heartbeat_at_us = now_us + LIVE_HEARTBEAT_MS * 1000;
	}
	redis_conn_flush(redis->conn);
	return SINK_OK;
}

static short
poll_once(const RedisConn *conn)
{
	struct pollfd pfd = { .fd = redis_conn_fd(conn),
						  .events = redis_conn_events(conn) };

	return pfd.fd >= 0 && poll(&pfd, 1, 0) > 0 ? pfd.revents : 0;
}

static int
redis_wait(Sink *sink, struct pollfd *fds, int64_t *deadline_us)
{
	SinkRedis *redis = (SinkRedis *) sink;
	int64_t deadline = redis_conn_deadline_us(redis->conn);

	if (redis_conn_is_ready(redis->conn) && redis->sink.heard_us != 0)
	{
		int64_t due =
			redis->is_claimed ? redis->heartbeat_at_us : redis->claim_at_us;

		if (due < deadline)
			deadline = due;
	}
	if (deadline < *deadline_us)
		*deadline_us = deadline;
	fds[0].fd = redis_conn_fd(redis->conn);
	fds[0].events = redis_conn_events(redis->conn);
	return fds[0].fd >= 0 ? 1 : 0;
}

static void
on_ready(void *arg)
{
	SinkRedis *redis = arg;
	char text[320];

	log_info("live delivery connected to Redis", "url=%s",
			 redis_url_text(&redis->url, text, sizeof(text)));
	metric_set(redis->metrics->is_connected, 1);
	redis->claim_at_us = 0;
	redis->is_down_told = false;
}

static void
on_down(void *arg, const char *why, int64_t retry_ms)
{
	SinkRedis *redis = arg;

	log_line(redis->is_down_told ? LOG_DEBUG : LOG_WARN,
			 "live delivery lost Redis; gateways poll",
			 "reason=%s retry_ms=%" PRId64, log_quote(why), retry_ms);
	redis->is_down_told = true;
	metric_set(redis->metrics->is_connected, 0);
	metric_add(redis->metrics->disconnects, 1);
	redis->is_claimed = false;
}

/* What is committed reaches us, as far as one can tell. */
static bool
is_hearing(const SinkRedis *redis, int64_t now_us)
{
	return redis->sink.heard_us != 0 &&
		   now_us - redis->sink.heard_us < SINK_REDIS_DEAF_MS * 1000;
}

/*
 * Takes an incarnation, or, after a lost connection, makes sure that ours is
 * still the highest: Redis may have been emptied, or another reader been here.
 */
static void
claim(SinkRedis *redis, int64_t now_us)
{
	char want[24];
	const char *argv[] = { "EVAL", claim_script,
						   "1",    LIVE_INCARNATION_KEY,
						   want,   redis->incarnation != 0 ? "1" : "0" };

	snprintf(want, sizeof(want), "%" PRIu64,
			 redis->incarnation != 0 ? redis->incarnation
									 : (uint64_t) clock_wall_us());
	(void) redis_conn_command(redis->conn, 6, argv, NULL, on_claimed, redis);
	redis->claim_at_us = now_us + CLAIM_RETRY_US;
}

static void
on_claimed(void *arg, const RedisValue *reply)
{
	SinkRedis *redis = arg;
	uint64_t incarnation = 0;

	if (reply == NULL)
		return;
	if (!parse_u64(reply, &incarnation))
	{
		log_warn("live delivery got no incarnation from Redis", "reply=%s",
				 log_quote(reply->text));
		return;
	}
	/* asked before the last start: numbers must not begin anew under it */
	if (incarnation != redis->incarnation &&
		incarnation <= redis->highest_incarnation)
		return;
	if (incarnation != redis->incarnation)
		begin_incarnation(redis, incarnation);
	redis->is_claimed = true;
	redis->heartbeat_at_us = 0;
}

static void
begin_incarnation(SinkRedis *redis, uint64_t incarnation)
{
	redis->incarnation = incarnation;
	redis->highest_incarnation = incarnation;
	for (int i = 0; i < LIVE_CHANNELS; i++)
		redis->channel[i].number = 0;
	log_info("live delivery began", "incarnation=%" PRIu64, incarnation);
}

/* Numbers the message at hand; publishes it if that can be done now. */
static void
send_message(SinkRedis *redis, int number, const FrameHeader *header)
{
	Channel *channel = &redis->channel[number];
	Buf *message = &channel->message;
	LiveHeader live = {
		.event_count = channel->event_count,
		.timeline = redis->timeline,
		.incarnation = redis->incarnation,
		.number = ++channel->number,
		.system_id = redis->system_id,
		.end_lsn = header->end_lsn,
	};

	live_frame_write_header((uint8_t *) message->data, &live);
	if (redis->is_claimed &&
		publish(redis, channel, message->data, message->len))
	{
		metric_add(redis->metrics->published, 1);
		metric_add(redis->metrics->events, channel->event_count);
		metric_observe_us(redis->metrics->delay,
						  clock_wall_us() - header->commit_time_us);
	}
	else
		metric_add(redis->metrics->dropped, 1);

	if (message->cap > KEPT_BUF_BYTES)
		buf_fini(message);
	else
		buf_reset(message);
	channel->event_count = 0;
	for (int i = 0; i < redis->touched_count; i++)
	{
		if (redis->touched[i] == number)
		{
			redis->touched[i] = redis->touched[--redis->touched_count];
			break;
		}
	}
}

/* What a frame cut off by a lost connection left behind. */
static void
drop_messages(SinkRedis *redis)
{
	while (redis->touched_count > 0)
	{
		Channel *channel =
			&redis->channel[redis->touched[--redis->touched_count]];

		buf_reset(&channel->message);
		channel->event_count = 0;
	}
}

static void
send_heartbeats(SinkRedis *redis)
{
	uint8_t bytes[LIVE_HEADER_SIZE];

	for (int i = 0; i < LIVE_CHANNELS; i++)
	{
		LiveHeader live = {
			.is_heartbeat = true,
			.timeline = redis->timeline,
			.incarnation = redis->incarnation,
			.number = redis->channel[i].number,
			.system_id = redis->system_id,
			.end_lsn = redis->seen_lsn,
		};

		live_frame_write_header(bytes, &live);
		(void) publish(redis, &redis->channel[i], bytes, sizeof(bytes));
	}
	metric_add(redis->metrics->heartbeats, 1);
}

static bool
publish(SinkRedis *redis, const Channel *channel, const void *bytes, size_t len)
{
	const char *argv[] = { "SPUBLISH", channel->name, bytes };
	size_t argv_len[] = { 8, strlen(channel->name), len };

	return redis_conn_command(redis->conn, 3, argv, argv_len, on_published,
							  redis);
}

static void
on_published(void *arg, const RedisValue *reply)
{
	SinkRedis *redis = arg;

	if (reply == NULL || reply->type != REDIS_VALUE_ERROR)
		return;
	metric_add(redis->metrics->refused, 1);
	log_warn("Redis refused a live message", "reply=%s",
			 log_quote(reply->text));
}

static bool
parse_u64(const RedisValue *value, uint64_t *out)
{
	uint64_t n = 0;

	if (value->type != REDIS_VALUE_STRING || value->len == 0 || value->len > 18)
		return false;
	for (size_t i = 0; i < value->len; i++)
	{
		if (value->text[i] < '0' || value->text[i] > '9')
			return false;
		n = n * 10 + (uint64_t) (value->text[i] - '0');
	}
	*out = n;
	return n > 0;
}
