#include "redis_resolve.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "xalloc.h"

/* Held by the owner and by the thread; the last one frees it. */
struct RedisResolve
{
	atomic_int holders;
	atomic_bool is_done;
	int fd;
	char *host;
	char port[8];
	int code; /* of getaddrinfo */
	struct addrinfo *addresses;
};

static int look_up(RedisResolve *resolve, int flags);
static bool start_thread(RedisResolve *resolve, Error *err);
static void *run_thread(void *arg);
static void say_done(RedisResolve *resolve);
static void let_go(RedisResolve *resolve);

RedisResolve *
redis_resolve_new(const char *host, int port, Error *err)
{
	RedisResolve *resolve = xcalloc(1, sizeof(*resolve));

	resolve->host = xstrdup(host);
	snprintf(resolve->port, sizeof(resolve->port), "%d", port);
	atomic_init(&resolve->holders, 1);
	resolve->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (resolve->fd < 0)
	{
		error_set(err, "could not make an eventfd: %s", strerror(errno));
		let_go(resolve);
		return NULL;
	}

	resolve->code = look_up(resolve, AI_NUMERICHOST);
	if (resolve->code == 0)
	{
		say_done(resolve);
		return resolve;
	}
	if (!start_thread(resolve, err))
	{
		let_go(resolve);
		return NULL;
	}
	return resolve;
}

void
redis_resolve_free(RedisResolve **resolve)
{
	if (*resolve == NULL)
		return;
	let_go(*resolve);
	*resolve = NULL;
}

int
redis_resolve_fd(const RedisResolve *resolve)
{
	return resolve->fd;
}

RedisResolveState
redis_resolve_get(RedisResolve *resolve, const struct addrinfo **addresses,
				  Error *err)
{
	if (!atomic_load(&resolve->is_done))
		return REDIS_RESOLVE_PENDING;
	if (resolve->code != 0)
	{
		error_set(err, "could not resolve %s: %s", resolve->host,
				  gai_strerror(resolve->code));
		return REDIS_RESOLVE_FAILED;
	}
	*addresses = resolve->addresses;
	return REDIS_RESOLVE_DONE;
}

static int
look_up(RedisResolve *resolve, int flags)
{
	struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = flags | AI_NUMERICSERV,
	};

	return getaddrinfo(resolve->host, resolve->port, &hints,
					   &resolve->addresses);
}

static bool
start_thread(RedisResolve *resolve, Error *err)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all;
	sigset_t old;
	int code;

	/* signals belong to the daemon's own threads */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	atomic_store(&resolve->holders, 2);
	code = pthread_create(&thread, &attr, run_thread, resolve);
	if (code != 0)
		atomic_store(&resolve->holders, 1);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (code != 0)
		return error_set(err, "could not start a thread: %s", strerror(code));
	return true;
}

static void *
run_thread(void *arg)
{
	RedisResolve *resolve = arg;

	resolve->code = look_up(resolve, 0);
	say_done(resolve);
	let_go(resolve);
	return NULL;
}

/* The descriptor is closed by the last holder only, so this write is safe. */
static void
say_done(RedisResolve *resolve)
{
	uint64_t one = 1;

	atomic_store(&resolve->is_done, true);
	if (write(resolve->fd, &one, sizeof(one)) < 0)
		abort();
}

static void
let_go(RedisResolve *resolve)
{
	if (atomic_fetch_sub(&resolve->holders, 1) > 1)
		return;
	if (resolve->addresses != NULL)
		freeaddrinfo(resolve->addresses);
	if (resolve->fd >= 0)
		close(resolve->fd);
	free(resolve->host);
	free(resolve);
}
