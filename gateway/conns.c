#include "conn_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "clock.h"
#include "xalloc.h"

#define EVENTS_PER_TURN 256

static void on_ready(uv_poll_t *poll, int status, int events);
static void on_turn_end(uv_prepare_t *prepare);
static void on_timer(uv_timer_t *timer);
static void on_closed(uv_handle_t *handle);
static void reap(Conns *conns);

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
	for (Conn *conn = conns->all, *next; conn != NULL; conn = next)
	{
		next = conn->next;
		conn_bury(conn);
	}
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
			conn_flush(conn);
	}
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
			conn_ready(conn, ready[i].events);
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
	uint32_t now = (uint32_t) (clock_now_us() / CONN_TICK_US);

	/* A callback frees its own connection at most; the dead wait for reap. */
	for (Conn *conn = conns->timed, *next; conn != NULL; conn = next)
	{
		next = conn->next_timed;
		if ((int32_t) (now - conn->deadline) < 0)
			continue;
		conn_time_is_up(conn);
	}
	reap(conns);
	if (conns->timed == NULL)
		uv_timer_stop(&conns->timer);
}

void
conns_watch_time(Conns *conns)
{
	if (!uv_is_active((uv_handle_t *) &conns->timer))
		uv_timer_start(&conns->timer, on_timer, CONN_TICK_MS, CONN_TICK_MS);
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
