/*
 * command_scene - a welcomed session and what it can say
 *
 * The commands on a fake socket and a fake database (fake_chat.h), with a real
 * token and a real registry.
 */
#ifndef CHEMCHAT_TEST_COMMAND_SCENE_H
#define CHEMCHAT_TEST_COMMAND_SCENE_H

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define FAKE_DB
#include "clock.h"
#include "fake_chat.h"
#include "frames.h"

#define C     "\"conversationId\":\"00000000-0000-7000-8000-0000000000c1\""
#define M     "\"clientMsgId\":\"00000000-0000-7000-8000-000000000099\""
#define ALICE "00000000-0000-7000-8000-00000000000a"

typedef struct Scene
{
	Chat chat;
	FakeSocket socket;
	JwtKeys keys;
	char token[1024];
} Scene;

static inline void
port_nothing(void *arg)
{
	(void) arg;
}

static inline Auth *
make_auth(Scene *scene)
{
	char path[] = "/tmp/chemchat-test-XXXXXX";
	int fd = mkstemp(path);
	char hex[65];
	Error err;
	AuthConfig config = { .secret_file = path };
	Auth *auth;
	JwtClaims claims = { .expires_s = clock_wall_us() / 1000000 + 600 };
	Buf token;

	memset(hex, 'a', 64);
	hex[64] = '\n';
	assert_int_equal(write(fd, hex, 65), 65);
	close(fd);
	assert_true(jwt_keys_load(path, &scene->keys, &err));
	auth = auth_open(&config, &err);
	assert_non_null(auth);
	unlink(path);
	strncat(claims.subject, ALICE, sizeof(claims.subject) - 1);
	buf_init(&token);
	assert_true(jwt_sign_hs256(&scene->keys.key[0], &claims, &token, &err));
	snprintf(scene->token, sizeof(scene->token), "%s", token.data);
	buf_fini(&token);
	return auth;
}

static inline int
begin(void **state)
{
	static Scene scene;
	FanoutPorts ports = { .dirty = port_nothing };
	Chat *chat = &scene.chat;

	memset(&scene, 0, sizeof(scene));
	memset(&fake_db, 0, sizeof(fake_db));
	chat->auth = make_auth(&scene);
	chat->registry = registry_new();
	chat->sessions = sessions_new(chat->registry, &fake_transport);
	chat->fanout = fanout_new(chat->registry, &ports, NULL);
	chat->roster = roster_new(NULL, chat->registry, 1000);
	roster_set_fanout(chat->roster, chat->fanout);
	chat->limits = user_limits_new();
	chat->send_rule.per_second = 20;
	chat->send_rule.burst = 40;
	chat->user_connections_max = 3;
	chat->admission.reads_max = 100;
	chat->admission.entries_max = 100;
	scene.socket.session = session_new(chat->sessions, &scene.socket, NULL);
	*state = &scene;
	return 0;
}

static inline int
end(void **state)
{
	Scene *scene = *state;

	fake_gone(&scene->socket);
	roster_free(&scene->chat.roster);
	fanout_free(&scene->chat.fanout);
	sessions_free(&scene->chat.sessions);
	registry_free(&scene->chat.registry);
	auth_close(&scene->chat.auth);
	user_limits_free(&scene->chat.limits);
	return 0;
}

static inline void
say_on(Scene *scene, FakeSocket *socket, const char *text)
{
	command_run(&scene->chat, socket->session, text, strlen(text));
}

static inline void
say(Scene *scene, const char *text)
{
	fake_forget(&scene->socket);
	say_on(scene, &scene->socket, text);
}

static inline void
hello_on(Scene *scene, FakeSocket *socket, const char *more)
{
	char text[1500];

	snprintf(text, sizeof(text), "{\"type\":\"hello\",\"token\":\"%s\"%s}",
			 scene->token, more);
	say_on(scene, socket, text);
}

/* live_heads answers: the user exists and is nowhere. */
static inline void
rows_come(bool is_known)
{
	HeadRow row = { .user_id = fake_db.users[0] };
	DbError error = { .code = NULL };
	Position now = { 5, 1, 1000 };
	DbHeadRowsFn done = fake_db.rows;
	HeadRows rows = { .channel = -1 };

	rows.users = fake_db.users;
	rows.user_count = (size_t) fake_db.user_count;
	rows.asked_us = clock_now_us();
	rows.rows = &row;
	rows.row_count = is_known;
	fake_db.rows = NULL;
	assert_non_null(done);
	done(fake_db.rows_arg, &error, &rows, &now);
}

static inline void
welcome(Scene *scene)
{
	hello_on(scene, &scene->socket, "");
	rows_come(true);
	assert_non_null(strstr(fake_last(&scene->socket), "\"welcome\""));
}

#endif
