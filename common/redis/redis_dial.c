#include "redis_dial.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "redis_resolve.h"
#include "xalloc.h"

struct RedisDial
{
	const RedisUrl *url;
	void (*on_close_fd)(void *arg, int fd);
	void *arg;

	RedisResolve *resolve;
	const struct addrinfo *address; /* being tried; NULL: still looking up */
	int fd;
};

static RedisDialState look_up(RedisDial *dial, Error *err);
static RedisDialState connect_unix(RedisDial *dial, Error *err);
static RedisDialState connect_tcp(RedisDial *dial, Error *err);
static RedisDialState connect_to(RedisDial *dial, const struct sockaddr *to,
								 socklen_t to_len, Error *err);
static RedisDialState finish(RedisDial *dial, Error *err);
static RedisDialState refuse(RedisDial *dial, int code, Error *err);
static void say_closing(RedisDial *dial, int fd);

RedisDial *
redis_dial_new(const RedisUrl *url, void (*on_close_fd)(void *arg, int fd),
			   void *arg)
{
	RedisDial *dial = xcalloc(1, sizeof(*dial));

	dial->url = url;
	dial->on_close_fd = on_close_fd;
	dial->arg = arg;
	dial->fd = -1;
	return dial;
}

void
redis_dial_free(RedisDial **dial)
{
	RedisDial *old = *dial;

	if (old == NULL)
		return;
	if (redis_dial_fd(old) >= 0)
		say_closing(old, redis_dial_fd(old));
	redis_resolve_free(&old->resolve);
	if (old->fd >= 0)
		close(old->fd);
	free(old);
	*dial = NULL;
}

int
redis_dial_fd(const RedisDial *dial)
{
	if (dial->resolve != NULL && dial->address == NULL)
		return redis_resolve_fd(dial->resolve);
	return dial->fd;
}

short
redis_dial_events(const RedisDial *dial)
{
	return dial->fd >= 0 ? POLLOUT : POLLIN;
}

RedisDialState
redis_dial_turn(RedisDial *dial, short revents, Error *err)
{
	if (dial->fd >= 0)
		return (revents & (POLLOUT | POLLERR | POLLHUP)) != 0
				   ? finish(dial, err)
				   : REDIS_DIAL_PENDING;
	if (dial->url->is_unix)
		return connect_unix(dial, err);
	if (dial->address == NULL)
		return look_up(dial, err);
	return connect_tcp(dial, err);
}

int
redis_dial_take_fd(RedisDial *dial)
{
	int fd = dial->fd;

	dial->fd = -1;
	return fd;
}

static RedisDialState
look_up(RedisDial *dial, Error *err)
{
	const struct addrinfo *first = NULL;

	if (dial->resolve == NULL)
	{
		dial->resolve =
			redis_resolve_new(dial->url->host, dial->url->port, err);
		if (dial->resolve == NULL)
			return REDIS_DIAL_FAILED;
	}
	switch (redis_resolve_get(dial->resolve, &first, err))
	{
		case REDIS_RESOLVE_PENDING:
			return REDIS_DIAL_PENDING;
		case REDIS_RESOLVE_FAILED:
			return REDIS_DIAL_FAILED;
		case REDIS_RESOLVE_DONE:
			break;
	}
	/* stays open with the addresses, but has nothing more to say */
	say_closing(dial, redis_resolve_fd(dial->resolve));
	dial->address = first;
	return connect_tcp(dial, err);
}

static RedisDialState
connect_unix(RedisDial *dial, Error *err)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	/* the URL's parser saw to it that it fits */
	memcpy(to.sun_path, dial->url->host,
		   strnlen(dial->url->host, sizeof(to.sun_path) - 1));
	return connect_to(dial, (const struct sockaddr *) &to, sizeof(to), err);
}

static RedisDialState
connect_tcp(RedisDial *dial, Error *err)
{
	return connect_to(dial, dial->address->ai_addr, dial->address->ai_addrlen,
					  err);
}

static RedisDialState
connect_to(RedisDial *dial, const struct sockaddr *to, socklen_t to_len,
		   Error *err)
{
	int on = 1;

	dial->fd =
		socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (dial->fd < 0)
	{
		error_set(err, "could not make a socket: %s", strerror(errno));
		return REDIS_DIAL_FAILED;
	}
	if (to->sa_family != AF_UNIX)
	{
		setsockopt(dial->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		setsockopt(dial->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	}
	if (connect(dial->fd, to, to_len) == 0)
		return REDIS_DIAL_DONE;
	if (errno == EINPROGRESS)
		return REDIS_DIAL_PENDING;
	return refuse(dial, errno, err);
}

static RedisDialState
finish(RedisDial *dial, Error *err)
{
	int code = 0;
	socklen_t len = sizeof(code);

	if (getsockopt(dial->fd, SOL_SOCKET, SO_ERROR, &code, &len) != 0)
		code = errno;
	return code == 0 ? REDIS_DIAL_DONE : refuse(dial, code, err);
}

/* The next address, in the next turn; FAILED when there is none. */
static RedisDialState
refuse(RedisDial *dial, int code, Error *err)
{
	say_closing(dial, dial->fd);
	close(dial->fd);
	dial->fd = -1;
	if (dial->address != NULL && dial->address->ai_next != NULL)
	{
		dial->address = dial->address->ai_next;
		return REDIS_DIAL_PENDING;
	}
	error_set(err, "could not connect: %s", strerror(code));
	return REDIS_DIAL_FAILED;
}

static void
say_closing(RedisDial *dial, int fd)
{
	if (dial->on_close_fd != NULL)
		dial->on_close_fd(dial->arg, fd);
}
