#include "redis_conn.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <hiredis/hiredis.h>

#include "buf.h"
#include "clock.h"
#include "redis_command.h"
#include "redis_dial.h"
#include "xalloc.h"

#define READ_CHUNK           (64 * 1024)
#define READ_CHUNKS_PER_TURN 8

typedef enum State
{
	STATE_WAITING,  /* for retry_at_us */
	STATE_DIALLING, /* look-up and connect */
	STATE_GREETING, /* AUTH, SELECT, PING under way */
	STATE_READY
} State;

typedef struct Pending
{
	RedisReplyFn fn;
	void *arg;
} Pending;

struct RedisConn
{
	RedisUrl url;
	RedisConnOptions options;
	RedisCallbacks callbacks;
	void *arg;

	State state;
	int fd;
	RedisDial *dial;
	redisReader *reader;
	Buf out;
	Pending *pending; /* ring of max_pending */
	size_t pending_head;
	size_t pending_count;

	int64_t now_us; /* of this turn */
	int64_t retry_at_us;
	int64_t connect_until_us;
	int64_t heard_us;  /* last byte from the server */
	int64_t pinged_us; /* 0: nothing is being waited for */
	int failures;      /* in a row */
	uint64_t random;
};

const RedisConnOptions redis_conn_defaults = {
	.name = "chemchat",
	.connect_ms = 2000,
	.ping_ms = 1000,
	.dead_ms = 2000,
	.backoff_min_ms = 50,
	.backoff_max_ms = 2000,
	.max_out_bytes = 8 * 1024 * 1024,
	.max_pending = 16384,
	.max_reply_bytes = 16 * 1024 * 1024,
};

static void dial(RedisConn *conn, short revents);
static void greet(RedisConn *conn);
static void on_greeting(void *arg, const RedisValue *reply);
static void on_last_greeting(void *arg, const RedisValue *reply);
static void read_some(RedisConn *conn);
static void take_replies(RedisConn *conn);
static bool take_push(RedisConn *conn, const RedisValue *reply);
static void check_heartbeat(RedisConn *conn);
static void go_down(RedisConn *conn, const char *why);
static void close_fd(RedisConn *conn);
static void drop_pending(RedisConn *conn);
static int64_t backoff_ms(RedisConn *conn);
static bool queue_command(RedisConn *conn, int argc, const char *const *argv,
						  const size_t *argv_len, RedisReplyFn fn, void *arg);

RedisConn *
redis_conn_new(const RedisUrl *url, const RedisConnOptions *options,
			   const RedisCallbacks *callbacks, void *arg)
{
	RedisConn *conn = xcalloc(1, sizeof(*conn));

	conn->url = *url;
	conn->options = *options;
	conn->callbacks = *callbacks;
	conn->arg = arg;
	conn->fd = -1;
	conn->pending = xcalloc(options->max_pending, sizeof(Pending));
	buf_init(&conn->out);
	if (getrandom(&conn->random, sizeof(conn->random), 0) !=
		sizeof(conn->random))
		conn->random = (uint64_t) clock_wall_us();
	conn->random |= 1;
	conn->retry_at_us = clock_now_us();
	return conn;
}

void
redis_conn_free(RedisConn **conn)
{
	RedisConn *old = *conn;

	if (old == NULL)
		return;
	close_fd(old);
	if (old->reader != NULL)
		redisReaderFree(old->reader);
	buf_fini(&old->out);
	free(old->pending);
	explicit_bzero(old->url.password, sizeof(old->url.password));
	free(old);
	*conn = NULL;
}

bool
redis_conn_is_ready(const RedisConn *conn)
{
	return conn->state == STATE_READY;
}

size_t
redis_conn_unsent(const RedisConn *conn)
{
	return conn->out.len;
}

size_t
redis_conn_pending(const RedisConn *conn)
{
	return conn->pending_count;
}

bool
redis_conn_command(RedisConn *conn, int argc, const char *const *argv,
				   const size_t *argv_len, RedisReplyFn fn, void *arg)
{
	if (conn->state != STATE_READY)
		return false;
	return queue_command(conn, argc, argv, argv_len, fn, arg);
}

void
redis_conn_flush(RedisConn *conn)
{
	size_t sent = 0;

	if (conn->state < STATE_GREETING)
		return;
	while (sent < conn->out.len)
	{
		ssize_t n = send(conn->fd, conn->out.data + sent, conn->out.len - sent,
						 MSG_NOSIGNAL | MSG_DONTWAIT);

		/* what the socket has to say is read, with its reason, by the turn */
		if (n <= 0)
			break;
		sent += (size_t) n;
	}
	if (sent > 0)
		buf_consume(&conn->out, sent);
}

int
redis_conn_fd(const RedisConn *conn)
{
	return conn->dial != NULL ? redis_dial_fd(conn->dial) : conn->fd;
}

short
redis_conn_events(const RedisConn *conn)
{
	switch (conn->state)
	{
		case STATE_DIALLING:
			return redis_dial_events(conn->dial);
		case STATE_GREETING:
		case STATE_READY:
			return (short) (POLLIN | (conn->out.len > 0 ? POLLOUT : 0));
		case STATE_WAITING:
		default:
			return 0;
	}
}

int64_t
redis_conn_deadline_us(const RedisConn *conn)
{
	if (conn->state == STATE_WAITING)
		return conn->retry_at_us;
	if (conn->state != STATE_READY)
	{
		if (redis_conn_fd(conn) < 0)
			return conn->now_us; /* the next address, at once */
		return conn->connect_until_us;
	}
	if (conn->pinged_us != 0)
		return conn->pinged_us + conn->options.dead_ms * 1000;
	return conn->heard_us + conn->options.ping_ms * 1000;
}

void
redis_conn_turn(RedisConn *conn, short revents, int64_t now_us)
{
	conn->now_us = now_us;
	if (conn->state == STATE_WAITING)
	{
		if (now_us < conn->retry_at_us)
			return;
		conn->connect_until_us = now_us + conn->options.connect_ms * 1000;
		conn->dial =
			redis_dial_new(&conn->url, conn->callbacks.on_close_fd, conn->arg);
		conn->state = STATE_DIALLING;
	}
	else if (conn->state != STATE_READY && now_us >= conn->connect_until_us)
	{
		go_down(conn, conn->state == STATE_GREETING
						  ? "connected, but nothing answers"
						  : "connecting timed out");
		return;
	}

	if (conn->state == STATE_DIALLING)
		dial(conn, revents);
	if (conn->state >= STATE_GREETING &&
		(revents & (POLLIN | POLLERR | POLLHUP)) != 0)
		read_some(conn);
	if (conn->state == STATE_READY)
		check_heartbeat(conn);
	redis_conn_flush(conn);
}

static void
dial(RedisConn *conn, short revents)
{
	Error err;

	switch (redis_dial_turn(conn->dial, revents, &err))
	{
		case REDIS_DIAL_PENDING:
			return;
		case REDIS_DIAL_FAILED:
			go_down(conn, err.text);
			return;
		case REDIS_DIAL_DONE:
			break;
	}
	conn->fd = redis_dial_take_fd(conn->dial);
	redis_dial_free(&conn->dial);
	greet(conn);
}

static void
greet(RedisConn *conn)
{
	const char *auth[] = { "AUTH", conn->url.user, conn->url.password };
	const char *name[] = { "CLIENT", "SETNAME", conn->options.name };
	const char *ping[] = { "PING" };
	char db[16];
	const char *select[] = { "SELECT", db };
	bool is_queued = true;

	conn->state = STATE_GREETING;
	conn->reader = redis_value_reader_new();
	conn->heard_us = conn->now_us;
	conn->pinged_us = 0;
	snprintf(db, sizeof(db), "%d", conn->url.db);

	if (conn->url.password[0] != '\0')
	{
		if (conn->url.user[0] == '\0')
			auth[1] = conn->url.password;
		is_queued &= queue_command(conn, conn->url.user[0] ? 3 : 2, auth, NULL,
								   on_greeting, conn);
	}
	if (conn->url.db != 0)
		is_queued &= queue_command(conn, 2, select, NULL, on_greeting, conn);
	/* an access list may forbid the name: it is only for people who look */
	is_queued &= queue_command(conn, 3, name, NULL, NULL, NULL);
	is_queued &= queue_command(conn, 1, ping, NULL, on_last_greeting, conn);
	if (!is_queued)
		abort();
}

static void
on_greeting(void *arg, const RedisValue *reply)
{
	RedisConn *conn = arg;

	if (reply != NULL && reply->type == REDIS_VALUE_ERROR &&
		conn->state == STATE_GREETING)
		go_down(conn, reply->text);
}

static void
on_last_greeting(void *arg, const RedisValue *reply)
{
	RedisConn *conn = arg;

	if (reply == NULL || conn->state != STATE_GREETING)
		return;
	if (reply->type == REDIS_VALUE_ERROR)
	{
		go_down(conn, reply->text);
		return;
	}
	conn->state = STATE_READY;
	conn->failures = 0;
	if (conn->callbacks.on_ready != NULL)
		conn->callbacks.on_ready(conn->arg);
}

static void
read_some(RedisConn *conn)
{
	char bytes[READ_CHUNK];
	Error err;

	for (int i = 0; i < READ_CHUNKS_PER_TURN; i++)
	{
		ssize_t n = recv(conn->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
		{
			error_set(&err, "connection lost: %s", strerror(errno));
			go_down(conn, err.text);
			return;
		}
		if (n == 0)
		{
			go_down(conn, "connection closed by the server");
			return;
		}
		conn->heard_us = conn->now_us;
		conn->pinged_us = 0;
		if (redisReaderFeed(conn->reader, bytes, (size_t) n) != REDIS_OK)
		{
			go_down(conn, "reply could not be read");
			return;
		}
		take_replies(conn);
		if (conn->state < STATE_GREETING || (size_t) n < sizeof(bytes))
			return;
	}
}

static void
take_replies(RedisConn *conn)
{
	void *reply = NULL;
	Error err;

	for (;;)
	{
		RedisReplyFn fn;
		void *arg;

		if (redisReaderGetReply(conn->reader, &reply) != REDIS_OK)
		{
			error_set(&err, "protocol error: %s", conn->reader->errstr);
			go_down(conn, err.text);
			return;
		}
		if (reply == NULL)
			break;
		if (conn->options.is_subscriber && take_push(conn, reply))
		{
			redis_value_free(reply);
			if (conn->state < STATE_GREETING)
				return;
			continue;
		}
		if (conn->pending_count == 0)
		{
			redis_value_free(reply);
			go_down(conn, "protocol error: a reply that nobody asked for");
			return;
		}
		fn = conn->pending[conn->pending_head].fn;
		arg = conn->pending[conn->pending_head].arg;
		conn->pending_head =
			(conn->pending_head + 1) % conn->options.max_pending;
		conn->pending_count--;
		if (fn != NULL)
			fn(arg, reply);
		redis_value_free(reply);
		/* a callback may have ended the connection, and with it the reader */
		if (conn->state < STATE_GREETING)
			return;
	}
	if (conn->reader->len - conn->reader->pos > conn->options.max_reply_bytes)
		go_down(conn, "protocol error: a reply beyond all bounds");
}

/* True when it was a message, or news of a subscription, not an answer. */
static bool
take_push(RedisConn *conn, const RedisValue *reply)
{
	const RedisValue *kind;

	if (reply->type != REDIS_VALUE_ARRAY || reply->count != 3 ||
		reply->element[0]->type != REDIS_VALUE_STRING)
		return false;
	kind = reply->element[0];
	if (redis_value_is(kind, "smessage") || redis_value_is(kind, "message"))
	{
		const RedisValue *channel = reply->element[1];
		const RedisValue *payload = reply->element[2];

		if (conn->callbacks.on_push != NULL)
			conn->callbacks.on_push(conn->arg, channel->text, channel->len,
									payload->text, payload->len);
		return true;
	}
	/* we never unsubscribe: the server gave the channel's slot away */
	if (redis_value_is(kind, "sunsubscribe") ||
		redis_value_is(kind, "unsubscribe"))
	{
		go_down(conn, "the server ended a subscription");
		return true;
	}
	return false;
}

static void
check_heartbeat(RedisConn *conn)
{
	const char *ping[] = { "PING" };

	if (conn->pinged_us != 0)
	{
		if (conn->now_us - conn->pinged_us >= conn->options.dead_ms * 1000)
			go_down(conn, "connected, but nothing answers");
		return;
	}
	if (conn->now_us - conn->heard_us < conn->options.ping_ms * 1000)
		return;
	/*
	 * Refused when the queues are full: then replies are owed anyway, and
	 * their silence counts as well as a missing pong.
	 */
	if (!queue_command(conn, 1, ping, NULL, NULL, NULL) &&
		conn->pending_count == 0)
		return;
	conn->pinged_us = conn->now_us;
}

static void
go_down(RedisConn *conn, const char *why)
{
	int64_t retry_ms = backoff_ms(conn);
	Error text;

	/* why may be text of what is freed below */
	error_set(&text, "%s", why);
	close_fd(conn);
	conn->state = STATE_WAITING;
	conn->retry_at_us = conn->now_us + retry_ms * 1000;
	conn->failures++;
	if (conn->reader != NULL)
		redisReaderFree(conn->reader);
	conn->reader = NULL;
	buf_reset(&conn->out);
	drop_pending(conn);
	if (conn->callbacks.on_down != NULL)
		conn->callbacks.on_down(conn->arg, text.text, retry_ms);
}

static void
close_fd(RedisConn *conn)
{
	redis_dial_free(&conn->dial);
	if (conn->fd < 0)
		return;
	if (conn->callbacks.on_close_fd != NULL)
		conn->callbacks.on_close_fd(conn->arg, conn->fd);
	close(conn->fd);
	conn->fd = -1;
}

static void
drop_pending(RedisConn *conn)
{
	while (conn->pending_count > 0)
	{
		Pending lost = conn->pending[conn->pending_head];

		conn->pending_head =
			(conn->pending_head + 1) % conn->options.max_pending;
		conn->pending_count--;
		if (lost.fn != NULL)
			lost.fn(lost.arg, NULL);
	}
}

/* Full jitter: anything up to the exponential bound, at least the minimum. */
static int64_t
backoff_ms(RedisConn *conn)
{
	int64_t min = conn->options.backoff_min_ms;
	int64_t bound = min;

	for (int i = 0; i < conn->failures && bound < conn->options.backoff_max_ms;
		 i++)
		bound *= 2;
	if (bound > conn->options.backoff_max_ms)
		bound = conn->options.backoff_max_ms;

	/* xorshift64: jitter, not secrecy */
	conn->random ^= conn->random << 13;
	conn->random ^= conn->random >> 7;
	conn->random ^= conn->random << 17;
	return min + (int64_t) (conn->random % (uint64_t) (bound - min + 1));
}

static bool
queue_command(RedisConn *conn, int argc, const char *const *argv,
			  const size_t *argv_len, RedisReplyFn fn, void *arg)
{
	size_t at;

	if (conn->pending_count >= conn->options.max_pending)
		return false;
	if (!redis_command_append(&conn->out, argc, argv, argv_len,
							  conn->options.max_out_bytes))
		return false;
	at = (conn->pending_head + conn->pending_count) % conn->options.max_pending;
	conn->pending[at].fn = fn;
	conn->pending[at].arg = arg;
	conn->pending_count++;
	return true;
}
