/*
 * door_scene - a door on a free port, and clients that write bytes to it
 *
 * Time is set: what takes a minute is over when the test says so.  Requests of
 * the REST API are kept, and answered when the test wants.
 */
#ifndef CHEMCHAT_TEST_DOOR_SCENE_H
#define CHEMCHAT_TEST_DOOR_SCENE_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "door.h"
#include "log.h"
#include "xalloc.h"

#define SCENE_REQUESTS 16
#define SCENE_WAIT_S   10

typedef struct Scene
{
	uv_loop_t loop;
	uv_timer_t alive; /* as a gateway always has something to do */
	DoorConfig config;
	Door *door;
	int64_t now_us;
	HttpRequest *requests[SCENE_REQUESTS];
	int request_count;
	bool is_answered_at_once;
	bool is_full;
	int upgrades;
	Conn *upgraded;
	char token[64];
	char key[32];
} Scene;

/* A client and what it has been told. */
typedef struct Peer
{
	int fd;
	char in[65536];
	size_t len;
	bool is_ended;
} Peer;

static inline void
scene_request(void *arg, HttpRequest *take_request)
{
	Scene *scene = arg;

	assert_true(scene->request_count < SCENE_REQUESTS);
	if (scene->is_answered_at_once)
		http_request_answer(&take_request, 204, NULL, NULL, 0, NULL);
	else
		scene->requests[scene->request_count++] = take_request;
}

static inline bool
scene_may_upgrade(void *arg)
{
	return !((Scene *) arg)->is_full;
}

static inline void
scene_upgrade(void *arg, Conn *take_conn, const char *key, char *take_token)
{
	Scene *scene = arg;

	scene->upgrades++;
	(void) snprintf(scene->key, sizeof(scene->key), "%s", key);
	(void) snprintf(scene->token, sizeof(scene->token), "%s",
					take_token != NULL ? take_token : "");
	free(take_token);
	if (scene->upgraded != NULL)
		conn_free(&scene->upgraded);
	scene->upgraded = take_conn;
}

static inline void
scene_open(Scene *scene)
{
	Error err;

	scene->config.host = "127.0.0.1";
	scene->config.may_upgrade = scene_may_upgrade;
	scene->config.upgrade = scene_upgrade;
	scene->config.request = scene_request;
	scene->config.arg = scene;
	if (scene->config.max_http == 0)
		scene->config.max_http = 100;
	scene->door = door_open(&scene->loop, &scene->config, &err);
	if (scene->door == NULL)
		fail_msg("%s", err.text);
}

static inline void
scene_nothing(uv_timer_t *timer)
{
	(void) timer;
}

static inline int
scene_begin(void **state)
{
	Scene *scene = xcalloc(1, sizeof(*scene));

	log_init("test", LOG_ERROR, LOG_LOGFMT);
	(void) signal(SIGPIPE, SIG_IGN); /* as a gateway does, for OpenSSL */
	scene->now_us = 1000000000;
	clock_set(scene->now_us, scene->now_us);
	uv_loop_init(&scene->loop);
	uv_timer_init(&scene->loop, &scene->alive);
	uv_timer_start(&scene->alive, scene_nothing, 60000, 60000);
	*state = scene;
	return 0;
}

static inline int
scene_end(void **state)
{
	Scene *scene = *state;

	for (int i = 0; i < scene->request_count; i++)
	{
		if (scene->requests[i] != NULL)
			http_request_answer(&scene->requests[i], 204, NULL, NULL, 0, NULL);
	}
	if (scene->upgraded != NULL)
		conn_free(&scene->upgraded);
	door_close(&scene->door);
	uv_close((uv_handle_t *) &scene->alive, NULL);
	uv_run(&scene->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&scene->loop), 0);
	free(scene);
	clock_unset();
	return 0;
}

/* A turn of the loop, after a moment for the kernel. */
static inline void
scene_turn(Scene *scene)
{
	static const struct timespec moment = { 0, 1000000 };

	(void) nanosleep(&moment, NULL);
	uv_run(&scene->loop, UV_RUN_NOWAIT);
	uv_run(&scene->loop, UV_RUN_NOWAIT); /* what it wrote leaves */
}

/* The loop's timer ticks four times a second of real time. */
static inline void
scene_pass(Scene *scene, int64_t ms)
{
	time_t began = time(NULL);

	scene->now_us += ms * 1000;
	clock_set(scene->now_us, scene->now_us);
	while (time(NULL) - began < 2)
		scene_turn(scene);
}

static inline Peer *
peer_new(Scene *scene)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
								   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	Peer *peer = xcalloc(1, sizeof(*peer));

	address.sin_port = htons((uint16_t) door_port(scene->door));
	peer->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(peer->fd, (struct sockaddr *) &address,
							 sizeof(address)),
					 0);
	scene_turn(scene);
	return peer;
}

static inline void
peer_free(Peer **peer)
{
	close((*peer)->fd);
	free(*peer);
	*peer = NULL;
}

static inline void
peer_write(Scene *scene, Peer *peer, const void *bytes, size_t len)
{
	assert_int_equal(send(peer->fd, bytes, len, MSG_NOSIGNAL), len);
	scene_turn(scene);
}

static inline void
peer_say(Scene *scene, Peer *peer, const char *text)
{
	peer_write(scene, peer, text, strlen(text));
}

static inline void
peer_read(Scene *scene, Peer *peer)
{
	ssize_t got;

	scene_turn(scene);
	do
	{
		got = recv(peer->fd, peer->in + peer->len,
				   sizeof(peer->in) - 1 - peer->len, MSG_DONTWAIT);
		if (got == 0)
			peer->is_ended = true;
		if (got > 0)
			peer->len += (size_t) got;
	} while (got > 0);
	peer->in[peer->len] = '\0';
}

/* Waits until the text has come; forgets all up to its end. */
static inline void
peer_expect(Scene *scene, Peer *peer, const char *text)
{
	time_t began = time(NULL);
	char *at;
	size_t used;

	for (;;)
	{
		peer_read(scene, peer);
		at = memmem(peer->in, peer->len, text, strlen(text));
		if (at != NULL)
			break;
		if (time(NULL) - began > SCENE_WAIT_S)
			fail_msg("no \"%s\" but: %s", text, peer->in);
	}
	used = (size_t) (at - peer->in) + strlen(text);
	memmove(peer->in, peer->in + used, peer->len - used);
	peer->len -= used;
	peer->in[peer->len] = '\0';
}

static inline void
peer_expect_end(Scene *scene, Peer *peer)
{
	time_t began = time(NULL);

	while (!peer->is_ended)
	{
		peer_read(scene, peer);
		if (time(NULL) - began > SCENE_WAIT_S)
			fail_msg("it is still open");
	}
}

static inline void
peer_expect_nothing(Scene *scene, Peer *peer)
{
	for (int i = 0; i < 10; i++)
		peer_read(scene, peer);
	if (peer->len > 0 || peer->is_ended)
		fail_msg("ended %d, said %s", peer->is_ended, peer->in);
}

static inline HttpRequest *
scene_await(Scene *scene, int count)
{
	time_t began = time(NULL);

	while (scene->request_count < count)
	{
		scene_turn(scene);
		if (time(NULL) - began > SCENE_WAIT_S)
			fail_msg("%d requests of %d", scene->request_count, count);
	}
	return scene->requests[count - 1];
}

static inline void
scene_answer(Scene *scene, int which, int status, const char *text)
{
	Buf body;

	buf_init(&body);
	buf_append_str(&body, text);
	http_request_answer(&scene->requests[which], status, "text/plain", NULL, 0,
						&body);
}

#endif
