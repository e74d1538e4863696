/*
 * fake_postgres - a server that fails when it is told to
 *
 * A thread behind a unix socket that speaks as much of PostgreSQL's protocol
 * (version 3) as common/pg needs.  Every statement has one text parameter and
 * answers one row with it; the parameter says what else happens:
 *
 *   fail     an error of the statement (QC003, COLUMN body)
 *   commit   an error when the transaction ends
 *   drop     the connection is cut, once, before any answer
 *   hang     no answer until fake_postgres_release()
 *   stale    0A000, once
 *
 * A statement named "absent" cannot be prepared.
 */
#ifndef CHEMCHAT_TEST_FAKE_POSTGRES_H
#define CHEMCHAT_TEST_FAKE_POSTGRES_H

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

typedef struct FakePostgres
{
	char folder[64];
	char conninfo[160];
	int listener;
	pthread_t thread;
	atomic_int connection; /* descriptor, or -1 */
	atomic_int connections;
	atomic_int statements;
	atomic_int later_prepared; /* the statement of that name */
	atomic_bool is_released;
	bool was_dropped;
	bool was_stale;
	char said[64][16]; /* parameters in the order they came */
} FakePostgres;

static void
fake_put(int fd, char type, const void *body, size_t len)
{
	char head[5] = { type };
	uint32_t size = htonl((uint32_t) len + 4);

	memcpy(head + 1, &size, 4);
	if (write(fd, head, 5) == 5 && len > 0 &&
		write(fd, body, len) != (ssize_t) len)
		return;
}

static void
fake_error(int fd, const char *state)
{
	char body[128];
	int len = snprintf(body, sizeof(body),
					   "SERROR%cVERROR%cC%s%cMno such thing%ccbody%c%c", 0, 0,
					   state, 0, 0, 0, 0);

	fake_put(fd, 'E', body, (size_t) len);
}

static bool
fake_get(int fd, void *out, size_t len)
{
	char *at = out;

	while (len > 0)
	{
		ssize_t got = read(fd, at, len);

		if (got <= 0)
			return false;
		at += got;
		len -= (size_t) got;
	}
	return true;
}

/* The one parameter of a Bind message. */
static void
fake_parameter(const char *body, char out[16])
{
	const char *at = body + strlen(body) + 1;
	uint16_t formats;
	uint32_t len;

	at += strlen(at) + 1;
	memcpy(&formats, at, 2);
	at += 2 + 2 * ntohs(formats) + 2;
	memcpy(&len, at, 4);
	len = ntohl(len);
	len = len < 15 ? len : 15;
	memcpy(out, at + 4, len);
	out[len] = '\0';
}

static void
fake_row(int fd, const char *text)
{
	static const char columns[] = "\0\1x\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\xff"
								  "\xff\xff\xff\0\1";
	char row[32] = { 0, 1 };
	uint32_t len = htonl((uint32_t) strlen(text));

	fake_put(fd, 'T', columns, sizeof(columns) - 1);
	memcpy(row + 2, &len, 4);
	memcpy(row + 6, text, strlen(text));
	fake_put(fd, 'D', row, 6 + strlen(text));
	fake_put(fd, 'C', "SELECT 1", 9);
}

/* Until the connection ends; false when it was cut on purpose. */
static void
fake_serve(FakePostgres *fake, int fd)
{
	static const char ok[4] = { 0 };
	bool is_error_at_sync = false;
	bool is_skipping = false;
	char said[16] = "";
	char body[4096];
	uint32_t len;
	char type;

	if (!fake_get(fd, &len, 4) || ntohl(len) > sizeof(body) ||
		!fake_get(fd, body, ntohl(len) - 4))
		return;
	fake_put(fd, 'R', ok, 4);
	fake_put(fd, 'Z', "I", 1);
	while (fake_get(fd, &type, 1) && fake_get(fd, &len, 4) &&
		   ntohl(len) <= sizeof(body) && fake_get(fd, body, ntohl(len) - 4))
	{
		if (type == 'S')
		{
			if (is_error_at_sync)
				fake_error(fd, "QC007");
			fake_put(fd, 'Z', "I", 1);
			is_error_at_sync = false;
			is_skipping = false;
		}
		else if (is_skipping)
			continue;
		else if (type == 'P' && strcmp(body, "absent") == 0)
		{
			fake_error(fd, "42883");
			is_skipping = true;
		}
		else if (type == 'P')
		{
			if (strcmp(body, "later") == 0)
				atomic_fetch_add(&fake->later_prepared, 1);
			fake_put(fd, '1', NULL, 0);
		}
		else if (type == 'B')
		{
			fake_parameter(body, said);
			fake_put(fd, '2', NULL, 0);
		}
		else if (type == 'E')
		{
			int number = atomic_load(&fake->statements);

			if (strcmp(said, "9000") == 0) /* statement_timeout */
			{
				fake_row(fd, said);
				continue;
			}
			snprintf(fake->said[number % 64], 16, "%s", said);
			atomic_store(&fake->statements, number + 1);
			if (strcmp(said, "drop") == 0 && !fake->was_dropped)
			{
				fake->was_dropped = true;
				return;
			}
			while (strcmp(said, "hang") == 0 &&
				   !atomic_load(&fake->is_released))
				usleep(1000);
			if (strcmp(said, "fail") == 0 ||
				(strcmp(said, "stale") == 0 && !fake->was_stale))
			{
				fake->was_stale = fake->was_stale || said[0] == 's';
				fake_error(fd, said[0] == 's' ? "0A000" : "QC003");
				is_skipping = true;
				continue;
			}
			is_error_at_sync = strcmp(said, "commit") == 0;
			fake_row(fd, said);
		}
	}
}

static void *
fake_run(void *arg)
{
	FakePostgres *fake = arg;
	int fd;

	while ((fd = accept(fake->listener, NULL, NULL)) >= 0)
	{
		atomic_store(&fake->connection, fd);
		atomic_fetch_add(&fake->connections, 1);
		fake_serve(fake, fd);
		atomic_store(&fake->connection, -1);
		close(fd);
	}
	return NULL;
}

static inline void
fake_postgres_release(FakePostgres *fake)
{
	atomic_store(&fake->is_released, true);
}

static inline FakePostgres *
fake_postgres_start(void)
{
	FakePostgres *fake = calloc(1, sizeof(*fake));
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	signal(SIGPIPE, SIG_IGN);
	snprintf(fake->folder, sizeof(fake->folder), "/tmp/fake-pg-XXXXXX");
	if (mkdtemp(fake->folder) == NULL)
		abort();
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/.s.PGSQL.5432",
			 fake->folder);
	snprintf(fake->conninfo, sizeof(fake->conninfo),
			 "host=%s port=5432 user=x dbname=x sslmode=disable "
			 "gssencmode=disable",
			 fake->folder);
	atomic_store(&fake->connection, -1);
	fake->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fake->listener < 0 ||
		bind(fake->listener, (struct sockaddr *) &address, sizeof(address)) !=
			0 ||
		listen(fake->listener, 8) != 0 ||
		pthread_create(&fake->thread, NULL, fake_run, fake) != 0)
		abort();
	return fake;
}

static inline void
fake_postgres_stop(FakePostgres *fake)
{
	char path[128];

	fake_postgres_release(fake);
	shutdown(fake->listener, SHUT_RDWR);
	if (atomic_load(&fake->connection) >= 0)
		shutdown(atomic_load(&fake->connection), SHUT_RDWR);
	pthread_join(fake->thread, NULL);
	close(fake->listener);
	snprintf(path, sizeof(path), "%s/.s.PGSQL.5432", fake->folder);
	unlink(path);
	rmdir(fake->folder);
	free(fake);
}

#endif
