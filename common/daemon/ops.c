#include "ops.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "ops_conn.h"
#include "xalloc.h"

#define MAX_CONNS 8
#define TICK_MS   1000

struct Ops
{
	pthread_t thread;
	int listen_fd;
	int stop_fd;
	int signal_fd; /* borrowed */
	int port;
	OpsHooks hooks;
	OpsConn *conns[MAX_CONNS];
	int64_t paused_until_us; /* no descriptor was left: accept later */
};

static int listen_on(const char *host, int64_t port, Error *err);
static int port_of(int fd);
static bool write_port_file(const char *path, int port, Error *err);
static void *ops_thread(void *context);
static void accept_one(Ops *ops, int64_t now_us);
static bool has_room(const Ops *ops);

Ops *
ops_start(const char *host, int64_t port, const char *port_file, int signal_fd,
		  const OpsHooks *hooks, Error *err)
{
	Ops *ops = xcalloc(1, sizeof *ops);
	int rc;

	ops->hooks = *hooks;
	ops->signal_fd = signal_fd;
	ops->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ops->listen_fd = -1;
	if (ops->stop_fd < 0)
	{
		error_set(err, "could not create an event descriptor: %s",
				  strerror(errno));
		goto failed;
	}
	ops->listen_fd = listen_on(host, port, err);
	if (ops->listen_fd < 0)
		goto failed;
	ops->port = port_of(ops->listen_fd);
	if (port_file != NULL && port_file[0] != '\0' &&
		!write_port_file(port_file, ops->port, err))
		goto failed;

	rc = pthread_create(&ops->thread, NULL, ops_thread, ops);
	if (rc != 0)
	{
		error_set(err, "could not start the operations thread: %s",
				  strerror(rc));
		goto failed;
	}
	return ops;

failed:
	if (ops->listen_fd >= 0)
		(void) close(ops->listen_fd);
	if (ops->stop_fd >= 0)
		(void) close(ops->stop_fd);
	free(ops);
	return NULL;
}

int
ops_port(const Ops *ops)
{
	return ops->port;
}

void
ops_stop(Ops **ops)
{
	uint64_t one = 1;
	ssize_t ignored;

	if (*ops == NULL)
		return;
	ignored = write((*ops)->stop_fd, &one, sizeof one);
	(void) ignored; /* an event counter that is full is readable too */
	(void) pthread_join((*ops)->thread, NULL);
	for (size_t i = 0; i < MAX_CONNS; i++)
		ops_conn_free(&(*ops)->conns[i]);
	(void) close((*ops)->listen_fd);
	(void) close((*ops)->stop_fd);
	free(*ops);
	*ops = NULL;
}

static int
listen_on(const char *host, int64_t port, Error *err)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
							  .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	struct addrinfo *found = NULL;
	char service[24];
	int on = 1;
	int fd = -1;
	int rc;

	(void) snprintf(service, sizeof service, "%lld", (long long) port);
	rc = getaddrinfo(host, service, &hints, &found);
	if (rc != 0)
	{
		error_set(err, "could not resolve \"%s\": %s", host, gai_strerror(rc));
		return -1;
	}
	fd =
		socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
		bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, 64) != 0)
	{
		error_set(err, "could not listen on %s port %s: %s", host, service,
				  strerror(errno));
		if (fd >= 0)
			(void) close(fd);
		fd = -1;
	}
	freeaddrinfo(found);
	return fd;
}

static int
port_of(int fd)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof address;
	char service[NI_MAXSERV];

	if (getsockname(fd, (struct sockaddr *) &address, &len) != 0 ||
		getnameinfo((struct sockaddr *) &address, len, NULL, 0, service,
					sizeof service, NI_NUMERICSERV) != 0)
		return 0;
	return (int) strtol(service, NULL, 10);
}

/* Renamed into place: who reads the file sees all of it or none. */
static bool
write_port_file(const char *path, int port, Error *err)
{
	char aside[4096];
	FILE *file;
	bool is_written;

	if (snprintf(aside, sizeof aside, "%s.new", path) >= (int) sizeof aside)
		return error_set(err, "the name of the port file is too long");
	file = fopen(aside, "we");
	if (file == NULL)
		return error_set(err, "could not create \"%s\": %s", aside,
						 strerror(errno));
	is_written = fprintf(file, "%d\n", port) > 0;
	is_written = fclose(file) == 0 && is_written;
	if (!is_written || rename(aside, path) != 0)
	{
		error_set(err, "could not write \"%s\": %s", path, strerror(errno));
		(void) unlink(aside);
		return false;
	}
	return true;
}

static void *
ops_thread(void *context)
{
	Ops *ops = context;
	int64_t next_tick_us = clock_now_us();

	for (;;)
	{
		struct pollfd fds[3 + MAX_CONNS];
		int64_t now_us;

		fds[0] = (struct pollfd){ .fd = ops->stop_fd, .events = POLLIN };
		fds[1] = (struct pollfd){ .fd = ops->signal_fd, .events = POLLIN };
		fds[2] = (struct pollfd){ .fd = -1, .events = POLLIN };
		if (has_room(ops) && clock_now_us() >= ops->paused_until_us)
			fds[2].fd = ops->listen_fd;
		for (size_t i = 0; i < MAX_CONNS; i++)
		{
			OpsConn *conn = ops->conns[i];

			fds[3 + i] = (struct pollfd){ .fd = -1 };
			if (conn != NULL)
				fds[3 + i] = (struct pollfd){ .fd = ops_conn_fd(conn),
											  .events = ops_conn_events(conn) };
		}
		(void) poll(fds, sizeof fds / sizeof fds[0], TICK_MS);
		now_us = clock_now_us();

		if (fds[0].revents != 0)
			return NULL;
		if (fds[1].revents != 0)
			ops->hooks.signalled(ops->hooks.context);
		for (size_t i = 0; i < MAX_CONNS; i++)
		{
			if (ops->conns[i] != NULL &&
				!ops_conn_turn(ops->conns[i], fds[3 + i].revents != 0, now_us,
							   &ops->hooks))
				ops_conn_free(&ops->conns[i]);
		}
		if (fds[2].revents != 0)
			accept_one(ops, now_us);
		if (now_us >= next_tick_us)
		{
			ops->hooks.tick(ops->hooks.context);
			next_tick_us = now_us + TICK_MS * 1000;
		}
	}
}

static void
accept_one(Ops *ops, int64_t now_us)
{
	int fd = accept4(ops->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
	{
		/* out of descriptors: the socket stays readable, so do not spin */
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			ops->paused_until_us = now_us + TICK_MS * 1000;
		return;
	}
	for (size_t i = 0; i < MAX_CONNS; i++)
	{
		if (ops->conns[i] == NULL)
		{
			ops->conns[i] = ops_conn_new(fd, now_us);
			return;
		}
	}
	(void) close(fd); /* not reached: accepted only with room */
}

static bool
has_room(const Ops *ops)
{
	for (size_t i = 0; i < MAX_CONNS; i++)
	{
		if (ops->conns[i] == NULL)
			return true;
	}
	return false;
}
