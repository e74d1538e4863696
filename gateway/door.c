#include "door.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "http.h"
#include "log.h"
#include "xalloc.h"

#define ACCEPTS_PER_TURN 128
#define BACKLOG          4096
#define PAUSE_MS         200
#define READ_BYTES       2048

typedef enum KnockState
{
	KNOCK_HEAD,   /* reading */
	KNOCK_ANSWER, /* writing */
	KNOCK_LINGER  /* until the client has read it */
} KnockState;

/* One connection at the door. */
typedef struct Knock
{
	uv_poll_t poll;
	struct Knock *next;
	struct Knock *prev;
	Door *door;
	int fd;
	KnockState state;
	int64_t deadline_us;
	Buf in;
	Buf out;
	size_t written;
} Knock;

struct Door
{
	uv_poll_t poll;
	uv_timer_t pause;
	DoorConfig config;
	int fd;
	int port;
	int open_handles;
	bool is_stopped;
	bool is_closed;
	Knock *knocks;
	int count;
	DoorCounts counts;
};

static int listen_on(const DoorConfig *config, int *port, Error *err);
static void on_listen(uv_poll_t *poll, int status, int events);
static void on_pause(uv_timer_t *timer);
static void on_door_closed(uv_handle_t *handle);
static void knock_new(Door *door, int fd);
static void on_knock(uv_poll_t *poll, int status, int events);
static void knock_read(Knock *knock);
static void knock_decide(Knock *knock);
static void knock_upgrade(Knock *knock, const HttpHead *head);
static void knock_answer(Knock *knock);
static void knock_write(Knock *knock);
static void knock_linger(Knock *knock);
static int knock_release(Knock *knock);
static void knock_end(Knock *knock);
static void on_knock_closed(uv_handle_t *handle);

Door *
door_open(uv_loop_t *loop, const DoorConfig *config, Error *err)
{
	Door *door = xcalloc(1, sizeof(*door));

	door->config = *config;
	door->fd = listen_on(config, &door->port, err);
	if (door->fd < 0)
	{
		free(door);
		return NULL;
	}
	uv_poll_init(loop, &door->poll, door->fd);
	uv_timer_init(loop, &door->pause);
	door->poll.data = door;
	door->pause.data = door;
	door->open_handles = 2;
	uv_poll_start(&door->poll, UV_READABLE, on_listen);
	return door;
}

int
door_port(const Door *door)
{
	return door->port;
}

void
door_stop(Door *door)
{
	if (door->is_stopped)
		return;
	door->is_stopped = true;
	uv_timer_stop(&door->pause);
	uv_poll_stop(&door->poll);
	close(door->fd);
	door->fd = -1;
}

void
door_close(Door **door_ref)
{
	Door *door = *door_ref;

	if (door == NULL)
		return;
	*door_ref = NULL;
	door_stop(door);
	door->is_closed = true;
	while (door->knocks != NULL)
		knock_end(door->knocks);
	uv_close((uv_handle_t *) &door->poll, on_door_closed);
	uv_close((uv_handle_t *) &door->pause, on_door_closed);
}

void
door_tick(Door *door)
{
	int64_t now_us = clock_now_us();

	for (Knock *knock = door->knocks, *next; knock != NULL; knock = next)
	{
		next = knock->next;
		if (knock->deadline_us > now_us)
			continue;
		if (knock->state == KNOCK_HEAD)
			door->counts.timed_out++;
		knock_end(knock);
	}
}

const DoorCounts *
door_counts(const Door *door)
{
	return &door->counts;
}

static int
listen_on(const DoorConfig *config, int *port, Error *err)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
							   .sin6_port = htons((uint16_t) config->port) };
	struct sockaddr_in v4 = { .sin_family = AF_INET,
							  .sin_port = htons((uint16_t) config->port) };
	bool is_v6 = inet_pton(AF_INET6, config->host, &v6.sin6_addr) == 1;
	struct sockaddr *address =
		is_v6 ? (struct sockaddr *) &v6 : (struct sockaddr *) &v4;
	socklen_t size = is_v6 ? sizeof(v6) : sizeof(v4);
	int on = 1;
	int fd;

	if (!is_v6 && inet_pton(AF_INET, config->host, &v4.sin_addr) != 1)
	{
		error_set(err, "listen_host is no address: %s", config->host);
		return -1;
	}
	fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
				0);
	if (fd < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
		bind(fd, address, size) != 0 || listen(fd, BACKLOG) != 0 ||
		getsockname(fd, address, &size) != 0)
	{
		error_set(err, "could not listen on %s port %d: %s", config->host,
				  config->port, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	*port = ntohs(is_v6 ? v6.sin6_port : v4.sin_port);
	return fd;
}

static void
on_listen(uv_poll_t *poll, int status, int events)
{
	Door *door = poll->data;

	(void) status;
	(void) events;
	for (int i = 0; i < ACCEPTS_PER_TURN; i++)
	{
		int fd;

		if (door->count >= DOOR_WAITING_MAX)
			errno = EMFILE;
		fd = door->count >= DOOR_WAITING_MAX
				 ? -1
				 : accept4(door->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0)
		{
			knock_new(door, fd);
			continue;
		}
		if (errno == EINTR || errno == ECONNABORTED)
			continue;
		if (errno == EAGAIN)
			return;

		/* EMFILE, ENFILE, ENOBUFS, ENOMEM: the backlog waits for us. */
		log_warn("accepting pauses", "reason=%s", log_quote(strerror(errno)));
		door->counts.pauses++;
		uv_poll_stop(&door->poll);
		uv_timer_start(&door->pause, on_pause, PAUSE_MS, 0);
		return;
	}
}

static void
on_pause(uv_timer_t *timer)
{
	Door *door = timer->data;

	if (!door->is_stopped)
		uv_poll_start(&door->poll, UV_READABLE, on_listen);
}

static void
on_door_closed(uv_handle_t *handle)
{
	Door *door = handle->data;

	if (--door->open_handles == 0)
		free(door);
}

static void
knock_new(Door *door, int fd)
{
	Knock *knock = xcalloc(1, sizeof(*knock));
	int on = 1;

	(void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	knock->door = door;
	knock->fd = fd;
	knock->deadline_us = clock_now_us() + DOOR_HEAD_MS * 1000;
	buf_init(&knock->in);
	buf_init(&knock->out);
	if (uv_poll_init(door->poll.loop, &knock->poll, fd) != 0)
	{
		close(fd);
		free(knock);
		return;
	}
	knock->poll.data = knock;
	knock->next = door->knocks;
	if (door->knocks != NULL)
		door->knocks->prev = knock;
	door->knocks = knock;
	door->count++;
	door->open_handles++;
	door->counts.accepted++;
	uv_poll_start(&knock->poll, UV_READABLE, on_knock);
}

static void
on_knock(uv_poll_t *poll, int status, int events)
{
	Knock *knock = poll->data;

	(void) events;
	if (status < 0)
		knock_end(knock);
	else if (knock->state == KNOCK_ANSWER)
		knock_write(knock);
	else
		knock_read(knock);
}

static void
knock_read(Knock *knock)
{
	char *room = buf_reserve(&knock->in, READ_BYTES);
	ssize_t got = recv(knock->fd, room, READ_BYTES, 0);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0)
	{
		knock_end(knock);
		return;
	}
	if (knock->state == KNOCK_LINGER)
		return; /* thrown away */
	knock->in.len += (size_t) got;
	knock_decide(knock);
}

static void
knock_decide(Knock *knock)
{
	const DoorConfig *config = &knock->door->config;
	const char *reason;
	HttpHead head;
	int verdict =
		http_head_parse(knock->in.data, knock->in.len, &head, &reason);

	if (verdict == HTTP_MORE)
		return;
	if (verdict == HTTP_OK && head.size != knock->in.len)
	{
		verdict = 400;
		reason = "bytes after the head";
	}
	if (verdict == HTTP_OK && head.is_upgrade)
	{
		if (strcmp(head.path, "/v1/ws") != 0)
		{
			verdict = 404;
			reason = "nothing here";
		}
		else if (!http_origin_is_allowed(&head, config->allowed_origins))
		{
			verdict = 403;
			reason = "this origin is not allowed";
		}
		else if (knock->door->is_stopped || !config->may_upgrade(config->arg))
		{
			verdict = 503;
			reason = "full, or going down";
		}
		else
		{
			knock_upgrade(knock, &head);
			return;
		}
	}
	else if (verdict == HTTP_OK && strcmp(head.path, "/v1/ws") == 0)
	{
		verdict = 426;
		reason = "this is a WebSocket";
	}
	if (verdict == HTTP_OK)
	{
		knock->door->counts.answered++;
		http_answer(config->files, &head, &knock->out);
	}
	else
	{
		knock->door->counts.refused++;
		log_info("request refused", "status=%d reason=%s", verdict,
				 log_quote(reason));
		http_refuse(verdict, reason, &knock->out);
	}
	knock_answer(knock);
}

static void
knock_upgrade(Knock *knock, const HttpHead *head)
{
	const DoorConfig *config = &knock->door->config;
	char *token =
		head->token.len > 0 ? xstrndup(head->token.at, head->token.len) : NULL;
	char key[25];
	int fd;

	memcpy(key, head->websocket_key.at, 24);
	key[24] = '\0';
	fd = knock_release(knock);
	config->upgrade(config->arg, fd, key, token);
}

static void
knock_answer(Knock *knock)
{
	knock->state = KNOCK_ANSWER;
	knock->deadline_us = clock_now_us() + DOOR_ANSWER_MS * 1000;
	knock_write(knock);
}

static void
knock_write(Knock *knock)
{
	while (knock->written < knock->out.len)
	{
		ssize_t put = send(knock->fd, knock->out.data + knock->written,
						   knock->out.len - knock->written, MSG_NOSIGNAL);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0 && errno == EAGAIN)
		{
			uv_poll_start(&knock->poll, UV_WRITABLE, on_knock);
			return;
		}
		if (put < 0)
		{
			knock_end(knock);
			return;
		}
		knock->written += (size_t) put;
	}
	knock_linger(knock);
}

/* Closing with unread bytes would reset the answer away. */
static void
knock_linger(Knock *knock)
{
	knock->state = KNOCK_LINGER;
	knock->deadline_us = clock_now_us() + 2000000;
	buf_reset(&knock->in);
	if (shutdown(knock->fd, SHUT_WR) != 0)
	{
		knock_end(knock);
		return;
	}
	uv_poll_start(&knock->poll, UV_READABLE, on_knock);
}

/* Ends the knock without its descriptor. */
static int
knock_release(Knock *knock)
{
	Door *door = knock->door;
	int fd = knock->fd;

	if (knock->prev != NULL)
		knock->prev->next = knock->next;
	else
		door->knocks = knock->next;
	if (knock->next != NULL)
		knock->next->prev = knock->prev;
	door->count--;
	uv_poll_stop(&knock->poll);
	uv_close((uv_handle_t *) &knock->poll, on_knock_closed);
	return fd;
}

static void
knock_end(Knock *knock)
{
	close(knock_release(knock));
}

static void
on_knock_closed(uv_handle_t *handle)
{
	Knock *knock = handle->data;
	Door *door = knock->door;

	buf_fini(&knock->in);
	buf_fini(&knock->out);
	free(knock);
	if (--door->open_handles == 0)
		free(door);
}
