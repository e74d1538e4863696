#include "conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "clock.h"
#include "conn_queue.h"
#include "xalloc.h"

#define EVENTS_PER_TURN 256
#define LINGER_BYTES    (1024 * 1024) /* of the peer's, then it is cut off */
#define LINGER_WRITE_MS 60000
#define TLS_GATHER      (16 * 1024) /* a record */
#define TICK_US         INT64_C(250000)

struct Conn
{
	int fd;
	uint32_t events; /* watched for */
	Conns *conns;
	const ConnHandler *handler;
	void *user;
	TlsStream *tls;
	ConnQueue out;
	Conn *next_dirty;
	Conn *next; /* of all; of the dead */
	Conn *prev;
	Conn *next_timed;
	Conn *prev_timed;
	uint32_t deadline; /* in ticks; 0: none */
	uint32_t discarded;
	Address address;
	bool is_dirty : 1;
	bool is_choked : 1;
	bool is_paused : 1;
	bool is_handshaking : 1;
	bool is_read_choked : 1; /* TLS reads only when it may write */
	bool is_counted : 1;
	bool is_lingering : 1;
	bool is_shut : 1;
	bool is_dead : 1;
};

struct Conns
{
	uv_poll_t poll;
	uv_prepare_t turn_end;
	uv_timer_t timer;
	int epoll_fd;
	int open_handles;
	int count;
	int handshakes_left; /* of this turn */
	Conn *all;
	Conn *dirty;
	Conn *timed;
	Conn *dead;
	void (*freed)(void *arg, const Address *address);
	void *arg;
	ConnsCounts counts;
	unsigned char *buffer; /* what every socket is read into */
};

static void on_ready(uv_poll_t *poll, int status, int events);
static void on_turn_end(uv_prepare_t *prepare);
static void on_timer(uv_timer_t *timer);
static void on_closed(uv_handle_t *handle);
static void on_conn(Conn *conn, uint32_t events);
static void handshake(Conn *conn);
static void take_bytes(Conn *conn);
static void give_bytes(Conn *conn, size_t len);
static void flush(Conn *conn);
static bool flush_plain(Conn *conn);
static bool flush_tls(Conn *conn);
static void flushed(Conn *conn);
static void ended(Conn *conn);
static void watch(Conn *conn);
static void bury(Conn *conn);
static void reap(Conns *conns);
static void linger_shut(Conn *conn);

Conns *
conns_open(uv_loop_t *loop, void (*freed)(void *arg, const Address *),
		   void *arg, Error *err)
{
	Conns *conns = xcalloc(1, sizeof(*conns));

	conns->freed = freed;
	conns->arg = arg;
	conns->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (conns->epoll_fd < 0)
	{
		error_set(err, "could not watch sockets: %s", strerror(errno));
		free(conns);
		return NULL;
	}
	conns->buffer = xmalloc(CONN_READ_BYTES);
	uv_poll_init(loop, &conns->poll, conns->epoll_fd);
	uv_prepare_init(loop, &conns->turn_end);
	uv_timer_init(loop, &conns->timer);
	conns->poll.data = conns;
	conns->turn_end.data = conns;
	conns->timer.data = conns;
	conns->open_handles = 3;
	uv_poll_start(&conns->poll, UV_READABLE, on_ready);

	/*
	 * Handles that begin later run earlier: so this one, which never stops,
	 * comes after everybody who writes at the end of a turn.
	 */
	uv_prepare_start(&conns->turn_end, on_turn_end);
	uv_timer_start(&conns->timer, on_timer, CONN_TICK_MS, CONN_TICK_MS);
	uv_unref((uv_handle_t *) &conns->poll);
	uv_unref((uv_handle_t *) &conns->turn_end);
	uv_unref((uv_handle_t *) &conns->timer);
	return conns;
}

void
conns_close(Conns **conns_ref)
{
	Conns *conns = *conns_ref;

	if (conns == NULL)
		return;
	*conns_ref = NULL;
	conns_flush(conns);
	while (conns->all != NULL)
		bury(conns->all);
	reap(conns);
	uv_close((uv_handle_t *) &conns->poll, on_closed);
	uv_close((uv_handle_t *) &conns->turn_end, on_closed);
	uv_close((uv_handle_t *) &conns->timer, on_closed);
}

int
conns_count(const Conns *conns)
{
	return conns->count;
}

const ConnsCounts *
conns_counts(const Conns *conns)
{
	return &conns->counts;
}

void
conns_flush(Conns *conns)
{
	while (conns->dirty != NULL)
	{
		Conn *conn = conns->dirty;

		conns->dirty = conn->next_dirty;
		conn->is_dirty = false;
		if (!conn->is_dead)
			flush(conn);
	}
}

Conn *
conn_new(Conns *conns, int take_fd, const ConnHandler *handler, void *user)
{
	Conn *conn = xcalloc(1, sizeof(*conn));
	struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP,
								 .data.ptr = conn };

	if (epoll_ctl(conns->epoll_fd, EPOLL_CTL_ADD, take_fd, &event) != 0)
	{
		close(take_fd);
		free(conn);
		return NULL;
	}
	conn->fd = take_fd;
	conn->events = event.events;
	conn->conns = conns;
	conn->handler = handler;
	conn->user = user;
	conn->next = conns->all;
	if (conns->all != NULL)
		conns->all->prev = conn;
	conns->all = conn;
	conns->count++;
	return conn;
}

void
conn_free(Conn **conn)
{
	bury(*conn);
	*conn = NULL;
}

void
conn_set_handler(Conn *conn, const ConnHandler *handler, void *user)
{
	conn->handler = handler;
	conn->user = user;
}

void
conn_start_tls(Conn *conn, Tls *tls)
{
	conn->tls = tls_stream_new(tls, conn->fd);
	conn->is_handshaking = true;
}

bool
conn_is_handshaking(const Conn *conn)
{
	return conn->is_handshaking;
}

bool
conn_is_tls(const Conn *conn)
{
	return conn->tls != NULL;
}

const Address *
conn_address(const Conn *conn)
{
	return &conn->address;
}

void
conn_set_address(Conn *conn, const Address *address, bool is_counted)
{
	conn->address = *address;
	conn->is_counted = is_counted;
}

bool
conn_is_counted(const Conn *conn)
{
	return conn->is_counted;
}

void
conn_pause(Conn *conn, bool is_paused)
{
	conn->is_paused = is_paused;
	watch(conn);
}

void
conn_write(Conn *conn, Payload *take_payload, uint32_t from)
{
	conn_queue_add(&conn->out, take_payload, from);
	if (!conn->is_dirty && !conn->is_choked)
	{
		conn->is_dirty = true;
		conn->next_dirty = conn->conns->dirty;
		conn->conns->dirty = conn;
	}
	if (!conn->is_choked && conn->out.bytes > CONN_EARLY_BYTES)
		flush(conn);
}

bool
conn_is_choked(const Conn *conn)
{
	return conn->is_choked;
}

size_t
conn_unwritten(const Conn *conn)
{
	return conn->out.bytes;
}

void
conn_set_deadline(Conn *conn, int delay_ms)
{
	Conns *conns = conn->conns;
	bool was_timed = conn->deadline != 0;

	conn->deadline =
		delay_ms == 0
			? 0
			: (uint32_t) ((clock_now_us() + delay_ms * INT64_C(1000)) /
						  TICK_US) +
				  1;
	if (was_timed == (delay_ms != 0))
		return;
	if (!was_timed)
	{
		conn->next_timed = conns->timed;
		conn->prev_timed = NULL;
		if (conns->timed != NULL)
			conns->timed->prev_timed = conn;
		conns->timed = conn;
		return;
	}
	if (conn->prev_timed != NULL)
		conn->prev_timed->next_timed = conn->next_timed;
	else
		conns->timed = conn->next_timed;
	if (conn->next_timed != NULL)
		conn->next_timed->prev_timed = conn->prev_timed;
}

bool
conn_has_deadline(const Conn *conn)
{
	return conn->deadline != 0;
}

void
conn_linger(Conn **conn_ref)
{
	static const ConnHandler nobody = { 0 };
	Conn *conn = *conn_ref;

	*conn_ref = NULL;
	conn->handler = &nobody;
	conn->user = NULL;
	conn->is_lingering = true;
	conn_pause(conn, false);
	conn_set_deadline(conn, LINGER_WRITE_MS);
	if (conn->out.bytes == 0)
		linger_shut(conn);
}

static void
on_ready(uv_poll_t *poll, int status, int events)
{
	Conns *conns = poll->data;
	struct epoll_event ready[EVENTS_PER_TURN];
	int count = epoll_wait(conns->epoll_fd, ready, EVENTS_PER_TURN, 0);

	(void) status;
	(void) events;
	conns->handshakes_left = CONN_TURN_TLS;
	for (int i = 0; i < count; i++)
	{
		Conn *conn = ready[i].data.ptr;

		if (!conn->is_dead)
			on_conn(conn, ready[i].events);
	}
	reap(conns);
}

static void
on_turn_end(uv_prepare_t *prepare)
{
	Conns *conns = prepare->data;

	conns_flush(conns);
	reap(conns);
}

static void
on_timer(uv_timer_t *timer)
{
	Conns *conns = timer->data;
	uint32_t now = (uint32_t) (clock_now_us() / TICK_US);

	/* A callback frees its own connection at most; the dead wait for reap. */
	for (Conn *conn = conns->timed, *next; conn != NULL; conn = next)
	{
		next = conn->next_timed;
		if ((int32_t) (now - conn->deadline) < 0)
			continue;
		conn_set_deadline(conn, 0);
		if (conn->is_lingering)
			bury(conn);
		else if (conn->handler->deadline != NULL)
			conn->handler->deadline(conn->user);
	}
	reap(conns);
}

static void
on_closed(uv_handle_t *handle)
{
	Conns *conns = handle->data;

	if (--conns->open_handles > 0)
		return;
	close(conns->epoll_fd);
	free(conns->buffer);
	free(conns);
}

static void
on_conn(Conn *conn, uint32_t events)
{
	const uint32_t gone = EPOLLRDHUP | EPOLLHUP | EPOLLERR;

	if (conn->is_handshaking)
	{
		handshake(conn);
		return;
	}
	if ((events & EPOLLOUT) != 0)
	{
		if (conn->is_read_choked)
		{
			conn->is_read_choked = false;
			watch(conn);
			events |= EPOLLIN;
		}
		if (conn->is_choked)
			flush(conn);
		if (conn->is_dead)
			return;
	}
	if (conn->is_paused)
	{
		if ((events & gone) != 0)
			ended(conn);
	}
	else if ((events & (EPOLLIN | gone)) == 0)
		return;
	else if (conn->handler->readable != NULL)
		conn->handler->readable(conn->user, conn->fd);
	else
		take_bytes(conn);
}

static void
handshake(Conn *conn)
{
	/* The others come again: epoll tells as long as there is something. */
	if (conn->conns->handshakes_left == 0)
		return;
	conn->conns->handshakes_left--;
	switch (tls_handshake(conn->tls))
	{
		case TLS_DONE:
			conn->is_handshaking = false;
			conn->is_choked = false;
			conn->conns->counts.tls_handshakes++;
			watch(conn);
			take_bytes(conn); /* the first may have come along */
			return;
		case TLS_WANT_READ:
		case TLS_WANT_WRITE:
			/* What a handshake writes is small: the kernel takes it. */
			return;
		case TLS_ENDED:
		case TLS_FAILED:
			conn->conns->counts.tls_failed++;
			ended(conn);
			return;
	}
}

/* One read a turn and socket: a busy one does not starve the others. */
static void
take_bytes(Conn *conn)
{
	size_t got = 0;

	if (conn->tls != NULL)
	{
		switch (tls_read(conn->tls, conn->conns->buffer, CONN_READ_BYTES, &got))
		{
			case TLS_DONE:
				give_bytes(conn, got);
				return;
			case TLS_WANT_READ:
				return;
			case TLS_WANT_WRITE:
				conn->is_read_choked = true;
				watch(conn);
				return;
			case TLS_ENDED:
			case TLS_FAILED:
				ended(conn);
				return;
		}
	}
	for (;;)
	{
		ssize_t n = recv(conn->fd, conn->conns->buffer, CONN_READ_BYTES, 0);

		if (n > 0)
			give_bytes(conn, (size_t) n);
		else if (n < 0 && errno == EINTR)
			continue;
		else if (n == 0 || errno != EAGAIN)
			ended(conn);
		return;
	}
}

static void
give_bytes(Conn *conn, size_t len)
{
	if (!conn->is_lingering)
	{
		conn->handler->bytes(conn->user, conn->conns->buffer, len);
		return;
	}
	conn->discarded += (uint32_t) len;
	if (conn->discarded > LINGER_BYTES)
		bury(conn);
}

static void
flush(Conn *conn)
{
	bool was_choked = conn->is_choked;

	if (conn->is_handshaking || conn->out.bytes == 0)
		return;
	conn->is_choked = conn->tls != NULL ? flush_tls(conn) : flush_plain(conn);
	if (conn->is_choked && !was_choked)
		conn->conns->counts.chokes++;
	if (conn->is_choked != was_choked)
		watch(conn);
	if (conn->is_choked)
		return;
	if (was_choked && conn->handler->drained != NULL)
		conn->handler->drained(conn->user);
	if (!conn->is_dead)
		flushed(conn);
}

/*
 * True: the kernel does not take all of it now.  A connection that is broken
 * takes everything: that it is gone will be read from it.
 */
static bool
flush_plain(Conn *conn)
{
	while (conn->out.bytes > 0)
	{
		struct iovec parts[CONN_QUEUE_PARTS];
		struct msghdr message = { .msg_iov = parts };
		size_t offered;
		ssize_t put;

		message.msg_iovlen =
			(size_t) conn_queue_parts(&conn->out, parts, &offered);
		put = sendmsg(conn->fd, &message, MSG_NOSIGNAL);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0 && errno == EAGAIN)
			return true;
		if (put < 0)
		{
			conn_queue_clear(&conn->out);
			return false;
		}
		conn->conns->counts.writes++;
		conn_queue_take(&conn->out, (size_t) put);
		if ((size_t) put < offered)
			return true;
	}
	return false;
}

/* Many small payloads make one record. */
static bool
flush_tls(Conn *conn)
{
	static unsigned char gathered[TLS_GATHER];

	while (conn->out.bytes > 0)
	{
		size_t len = conn_queue_copy(&conn->out, gathered, sizeof(gathered));
		size_t put = 0;

		switch (tls_write(conn->tls, gathered, len, &put))
		{
			case TLS_DONE:
				conn->conns->counts.writes++;
				conn_queue_take(&conn->out, put);
				break;
			case TLS_WANT_READ:
			case TLS_WANT_WRITE:
				return true;
			case TLS_ENDED:
			case TLS_FAILED:
				conn_queue_clear(&conn->out);
				return false;
		}
	}
	return false;
}

static void
flushed(Conn *conn)
{
	if (conn->is_lingering && !conn->is_shut)
		linger_shut(conn);
}

/* The last call of a handler but those that follow from its own doing. */
static void
ended(Conn *conn)
{
	if (conn->is_lingering)
		bury(conn);
	else
		conn->handler->ended(conn->user);
}

static void
watch(Conn *conn)
{
	struct epoll_event event = { .data.ptr = conn };

	event.events = EPOLLRDHUP;
	if (!conn->is_paused)
		event.events |= EPOLLIN;
	if (conn->is_choked || conn->is_read_choked)
		event.events |= EPOLLOUT;
	if (event.events == conn->events || conn->is_dead)
		return;
	conn->events = event.events;
	if (epoll_ctl(conn->conns->epoll_fd, EPOLL_CTL_MOD, conn->fd, &event) != 0)
		abort(); /* it is watched, and needs no memory */
}

/* The memory waits: an event of this turn may still name it. */
static void
bury(Conn *conn)
{
	Conns *conns = conn->conns;

	if (conn->prev != NULL)
		conn->prev->next = conn->next;
	else
		conns->all = conn->next;
	if (conn->next != NULL)
		conn->next->prev = conn->prev;
	conn_set_deadline(conn, 0);
	conn->is_dead = true;
	if (conn->tls != NULL)
		tls_stream_free(&conn->tls);
	close(conn->fd);
	conn_queue_clear(&conn->out);
	conns->count--;
	if (conn->is_counted && conns->freed != NULL)
		conns->freed(conns->arg, &conn->address);
	conn->next = conns->dead;
	conns->dead = conn;
}

static void
reap(Conns *conns)
{
	Conn *waiting = NULL;

	while (conns->dead != NULL)
	{
		Conn *conn = conns->dead;

		conns->dead = conn->next;
		if (conn->is_dirty) /* conns_flush passes it first */
		{
			conn->next = waiting;
			waiting = conn;
		}
		else
			free(conn);
	}
	conns->dead = waiting;
}

static void
linger_shut(Conn *conn)
{
	conn->is_shut = true;
	if (conn->tls != NULL)
		tls_say_end(conn->tls);
	if (shutdown(conn->fd, SHUT_WR) != 0)
		bury(conn);
	else
		conn_set_deadline(conn, CONN_LINGER_MS);
}
