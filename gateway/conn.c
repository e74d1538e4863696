#include "conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "clock.h"
#include "conn_private.h"
#include "xalloc.h"

#define LINGER_BYTES    (1024 * 1024) /* of the peer's, then it is cut off */
#define LINGER_WRITE_MS 60000
#define TLS_GATHER      (16 * 1024) /* a record */

static void handshake(Conn *conn);
static void take_bytes(Conn *conn);
static void give_bytes(Conn *conn, size_t len);
static void mark_dirty(Conn *conn);
static bool flush_plain(Conn *conn);
static bool flush_tls(Conn *conn);
static void flushed(Conn *conn);
static void ended(Conn *conn);
static void watch(Conn *conn);
static void linger_shut(Conn *conn);

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
	conn_bury(*conn);
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
	mark_dirty(conn);
	if (!conn->is_choked && conn->out.bytes > CONN_EARLY_BYTES)
		conn_flush(conn);
}

bool
conn_is_choked(const Conn *conn)
{
	return conn->is_choked;
}

void
conn_tell_drained(Conn *conn)
{
	conn->tells_drained = true;
	mark_dirty(conn);
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
						  CONN_TICK_US) +
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
		conns_watch_time(conns);
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

void
conn_ready(Conn *conn, uint32_t events)
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
			conn_flush(conn);
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

void
conn_time_is_up(Conn *conn)
{
	conn_set_deadline(conn, 0);
	if (conn->is_lingering)
		conn_bury(conn);
	else if (conn->handler->deadline != NULL)
		conn->handler->deadline(conn->user);
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
		conn_bury(conn);
}

/* It is flushed at the end of the turn, or when the kernel takes more. */
static void
mark_dirty(Conn *conn)
{
	if (conn->is_dirty || conn->is_choked)
		return;
	conn->is_dirty = true;
	conn->next_dirty = conn->conns->dirty;
	conn->conns->dirty = conn;
}

void
conn_flush(Conn *conn)
{
	bool was_choked = conn->is_choked;

	if (conn->is_handshaking || (conn->out.bytes == 0 && !conn->tells_drained))
		return;
	conn->is_choked = conn->tls != NULL ? flush_tls(conn) : flush_plain(conn);
	if (conn->is_choked && !was_choked)
		conn->conns->counts.chokes++;
	if (conn->is_choked != was_choked)
		watch(conn);
	if (conn->is_choked)
		return;
	was_choked |= conn->tells_drained;
	conn->tells_drained = false;
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
		conn_bury(conn);
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

void
conn_bury(Conn *conn)
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
linger_shut(Conn *conn)
{
	conn->is_shut = true;
	if (conn->tls != NULL)
		tls_say_end(conn->tls);
	if (shutdown(conn->fd, SHUT_WR) != 0)
		conn_bury(conn);
	else
		conn_set_deadline(conn, CONN_LINGER_MS);
}
