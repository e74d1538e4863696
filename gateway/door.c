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
#include "log.h"
#include "proxy_header.h"
#include "xalloc.h"

#define ACCEPTS_PER_TURN 128
#define BACKLOG          4096
#define PAUSE_MS         200
#define CERTIFICATE_US   INT64_C(10000000) /* looked at that often */

/* A connection that has yet to say for whom it is. */
typedef struct Knock
{
	Door *door;
	Conn *conn;
	struct Knock *next;
	struct Knock *prev;
	size_t len;
	unsigned char bytes[PROXY_HEADER_MAX];
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
	Tls *tls;
	AddressRanges trusted;
	AddressLimit *limit;
	HttpServer *http;
	Conns *conns;
	Knock *knocks;
	int64_t looked_us; /* at the certificate */
	DoorCounts counts;
};

static int listen_on(const DoorConfig *config, int *port, Error *err);
static void on_listen(uv_poll_t *poll, int status, int events);
static void pause_accepting(Door *door, const char *why);
static void on_pause(uv_timer_t *timer);
static void on_door_closed(uv_handle_t *handle);
static void come_in(Door *door, int fd, const struct sockaddr *from);
static bool count_in(Door *door, Conn *conn, const Address *address);
static void hand_on(Door *door, Conn *take_conn);
static void on_freed(void *arg, const Address *address);
static void on_readable(void *user, int fd);
static void on_knock_ended(void *user);
static Conn *knock_release(Knock *knock);
static void refresh_certificate(Door *door);
static void door_free(Door *door);

static const ConnHandler knock_handler = {
	.readable = on_readable,
	.ended = on_knock_ended,
	.deadline = on_knock_ended,
};

Door *
door_open(uv_loop_t *loop, const DoorConfig *config, Error *err)
{
	Door *door = xcalloc(1, sizeof(*door));
	HttpServerConfig http = { .files = config->files,
							  .allowed_origins = config->allowed_origins,
							  .trusted = &door->trusted,
							  .max_connections = config->max_http,
							  .may_upgrade = config->may_upgrade,
							  .upgrade = config->upgrade,
							  .request = config->request,
							  .methods = config->methods,
							  .arg = config->arg };

	door->config = *config;
	door->fd = -1;
	door->limit = address_limit_new(config->address_connections,
									&config->address_requests);
	http.limit = door->limit;
	if (!address_ranges_parse(config->trusted_proxies, &door->trusted, err))
		goto cleanup;
	if (config->tls_cert_file != NULL &&
		(door->tls = tls_open(config->tls_cert_file, config->tls_key_file,
							  err)) == NULL)
		goto cleanup;
	door->fd = listen_on(config, &door->port, err);
	if (door->fd < 0)
		goto cleanup;
	door->conns = conns_open(loop, on_freed, door, err);
	if (door->conns == NULL)
		goto cleanup;
	door->http = http_server_new(&http);
	uv_poll_init(loop, &door->poll, door->fd);
	uv_timer_init(loop, &door->pause);
	door->poll.data = door;
	door->pause.data = door;
	door->open_handles = 2;
	uv_poll_start(&door->poll, UV_READABLE, on_listen);
	return door;

cleanup:
	door_free(door);
	return NULL;
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
	http_server_stop(door->http);
}

void
door_close(Door **door_ref)
{
	Door *door = *door_ref;

	if (door == NULL)
		return;
	*door_ref = NULL;
	door_stop(door);
	for (Knock *knock = door->knocks, *next; knock != NULL; knock = next)
	{
		next = knock->next;
		on_knock_ended(knock);
	}
	http_server_free(&door->http);
	conns_close(&door->conns);
	uv_close((uv_handle_t *) &door->poll, on_door_closed);
	uv_close((uv_handle_t *) &door->pause, on_door_closed);
}

void
door_tick(Door *door)
{
	int64_t now_us = clock_now_us();

	address_limit_sweep(door->limit, now_us);
	if (door->tls == NULL || now_us - door->looked_us < CERTIFICATE_US)
		return;
	door->looked_us = now_us;
	refresh_certificate(door);
}

int
door_busy(const Door *door)
{
	return http_server_busy(door->http);
}

const DoorCounts *
door_counts(const Door *door)
{
	return &door->counts;
}

const HttpServer *
door_http(const Door *door)
{
	return door->http;
}

const Conns *
door_conns(const Door *door)
{
	return door->conns;
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
		struct sockaddr_storage from;
		socklen_t size = sizeof(from);
		int fd;

		if (!http_server_make_room(door->http))
		{
			pause_accepting(door, "all places at the door are taken");
			return;
		}
		fd = accept4(door->fd, (struct sockaddr *) &from, &size,
					 SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0)
			come_in(door, fd, (const struct sockaddr *) &from);
		else if (errno == EAGAIN)
			return;
		else if (errno != EINTR && errno != ECONNABORTED)
		{
			/* EMFILE, ENFILE, ENOBUFS, ENOMEM: the backlog waits for us. */
			pause_accepting(door, strerror(errno));
			return;
		}
	}
}

static void
pause_accepting(Door *door, const char *why)
{
	log_warn("accepting pauses", "reason=%s", log_quote(why));
	door->counts.pauses++;
	uv_poll_stop(&door->poll);
	uv_timer_start(&door->pause, on_pause, PAUSE_MS, 0);
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
		door_free(door);
}

static void
come_in(Door *door, int fd, const struct sockaddr *from)
{
	Address address;
	Knock *knock;
	Conn *conn;
	int on = 1;

	door->counts.accepted++;
	(void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	address_of_socket(from, &address);
	conn = conn_new(door->conns, fd, &knock_handler, NULL);
	if (conn == NULL)
		return;
	conn_set_address(conn, &address, false);
	if (!address_ranges_have(&door->trusted, &address))
	{
		if (count_in(door, conn, &address))
			hand_on(door, conn);
		return;
	}
	if (!door->config.has_proxy_header)
	{
		hand_on(door, conn);
		return;
	}
	knock = xcalloc(1, sizeof(*knock));
	knock->door = door;
	knock->conn = conn;
	knock->next = door->knocks;
	if (door->knocks != NULL)
		door->knocks->prev = knock;
	door->knocks = knock;
	conn_set_handler(conn, &knock_handler, knock);
	conn_set_deadline(conn, DOOR_PROXY_MS);
}

/* False: there are too many of them, and this one is closed. */
static bool
count_in(Door *door, Conn *conn, const Address *address)
{
	bool is_in = address_limit_enter(door->limit, address);

	conn_set_address(conn, address, is_in);
	if (is_in)
		return true;
	door->counts.crowded++;
	conn_free(&conn);
	return false;
}

static void
hand_on(Door *door, Conn *take_conn)
{
	if (door->tls != NULL)
		conn_start_tls(take_conn, door->tls);
	http_server_take(door->http, take_conn);
}

static void
on_freed(void *arg, const Address *address)
{
	Door *door = arg;

	address_limit_leave(door->limit, address);
}

/*
 * Looks at what is there and takes only the header's bytes: what follows may
 * be TLS's.  All that is looked at and belongs to it is taken, so the socket
 * does not stay readable for bytes already seen.
 */
static void
on_readable(void *user, int fd)
{
	Knock *knock = user;
	Door *door = knock->door;
	Address address;
	ProxyVerdict verdict;
	size_t size;
	Conn *conn;
	ssize_t got = recv(fd, knock->bytes + knock->len,
					   sizeof(knock->bytes) - knock->len, MSG_PEEK);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0)
	{
		on_knock_ended(knock);
		return;
	}
	verdict = proxy_header_parse(knock->bytes, knock->len + (size_t) got,
								 &address, &size);
	if (verdict == PROXY_BAD ||
		recv(fd, knock->bytes + knock->len, size - knock->len, 0) !=
			(ssize_t) (size - knock->len))
	{
		log_info("no PROXY header from a trusted proxy", NULL);
		door->counts.bad_proxy++;
		on_knock_ended(knock);
		return;
	}
	knock->len = size;
	if (verdict == PROXY_MORE)
		return;
	conn = knock_release(knock);
	conn_set_deadline(conn, 0);
	if (verdict == PROXY_LOCAL || address_ranges_have(&door->trusted, &address))
		hand_on(door, conn); /* the proxy's own check, or another's */
	else if (count_in(door, conn, &address))
		hand_on(door, conn);
}

static void
on_knock_ended(void *user)
{
	Conn *conn = knock_release(user);

	conn_free(&conn);
}

static Conn *
knock_release(Knock *knock)
{
	Conn *conn = knock->conn;

	if (knock->prev != NULL)
		knock->prev->next = knock->next;
	else
		knock->door->knocks = knock->next;
	if (knock->next != NULL)
		knock->next->prev = knock->prev;
	free(knock);
	return conn;
}

/* Connections keep the certificate they began with. */
static void
refresh_certificate(Door *door)
{
	bool is_new;
	Error err;

	if (!tls_refresh(door->tls, &is_new, &err))
		log_warn("the new certificate is not taken", "reason=%s",
				 log_quote(err.text));
	else if (is_new)
	{
		door->counts.certificates++;
		log_info("a new certificate is taken", NULL);
	}
}

static void
door_free(Door *door)
{
	if (door->fd >= 0)
		close(door->fd);
	address_ranges_free(&door->trusted);
	address_limit_free(&door->limit);
	tls_free(&door->tls);
	free(door);
}
