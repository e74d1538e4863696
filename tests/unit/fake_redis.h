/*
 * fake_redis - a Redis that the test plays
 *
 * Listens on a unix socket in a folder of its own; commands are read with the
 * same reader as replies, since both are arrays of bulk strings.  Fails the
 * test when something of that does not work.
 */
#ifndef CHEMCHAT_FAKE_REDIS_H
#define CHEMCHAT_FAKE_REDIS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <hiredis/hiredis.h>

#include "redis_value.h"

typedef struct FakeRedis
{
	char folder[32];
	char path[48];
	char url[64];
	int listener;
	int socket; /* to its one client; -1: none */
	redisReader *reader;
} FakeRedis;

static inline void
fake_redis_open(FakeRedis *redis)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(redis->folder, sizeof(redis->folder), "/tmp/fake_redis.XXXXXX");
	assert_non_null(mkdtemp(redis->folder));
	snprintf(redis->path, sizeof(redis->path), "%s/s", redis->folder);
	snprintf(redis->url, sizeof(redis->url), "unix://%s", redis->path);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", redis->path);
	redis->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(redis->listener, (struct sockaddr *) &address,
						  sizeof(address)),
					 0);
	assert_int_equal(listen(redis->listener, 4), 0);
	redis->socket = -1;
	redis->reader = redis_value_reader_new();
}

/* Ends the connection, if there is one. */
static inline void
fake_redis_hang_up(FakeRedis *redis)
{
	if (redis->socket >= 0)
		close(redis->socket);
	redis->socket = -1;
	redisReaderFree(redis->reader);
	redis->reader = redis_value_reader_new();
}

static inline void
fake_redis_close(FakeRedis *redis)
{
	fake_redis_hang_up(redis);
	redisReaderFree(redis->reader);
	close(redis->listener);
	unlink(redis->path);
	rmdir(redis->folder);
}

/* Accepts, and reads what has come. */
static inline void
fake_redis_listen(FakeRedis *redis)
{
	char bytes[65536];
	ssize_t n;

	if (redis->socket < 0)
		redis->socket = accept4(redis->listener, NULL, NULL, SOCK_NONBLOCK);
	while ((n = recv(redis->socket, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		assert_int_equal(redisReaderFeed(redis->reader, bytes, (size_t) n),
						 REDIS_OK);
}

/* The next command, to be freed; NULL when there is none. */
static inline RedisValue *
fake_redis_next(FakeRedis *redis)
{
	void *command = NULL;

	assert_int_equal(redisReaderGetReply(redis->reader, &command), REDIS_OK);
	return command;
}

static inline void
fake_redis_say(FakeRedis *redis, const char *bytes, size_t len)
{
	assert_int_equal(send(redis->socket, bytes, len, MSG_NOSIGNAL), len);
}

#endif
