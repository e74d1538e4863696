/* uses: common/redis common/base */
#include "redis_conn.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "buf.h"
#include "clock.h"
#include "redis_command.h"

#define GREETING_ANSWER "+OK\r\n+PONG\r\n"

/* A server that says what the test tells it to, and what became of it. */
typedef struct Scene
{
	char folder[32];
	char path[64];
	int listener;
	int server; /* the accepted side, -1 */
	RedisConn *conn;
	int64_t now_us;

	int ready;
	int downs;
	char why[128];
	int64_t retry_ms;
	int closed_fds;
	int pushes;
	char push[64];
	int replies;
	int lost; /* callbacks with NULL */
	char reply[64];
} Scene;

static void
on_ready(void *arg)
{
	((Scene *) arg)->ready++;
}

static void
on_down(void *arg, const char *why, int64_t retry_ms)
{
	Scene *scene = arg;

	scene->downs++;
	scene->retry_ms = retry_ms;
	snprintf(scene->why, sizeof(scene->why), "%s", why);
}

static void
on_push(void *arg, const char *channel, size_t channel_len, const char *payload,
		size_t payload_len)
{
	Scene *scene = arg;

	scene->pushes++;
	snprintf(scene->push, sizeof(scene->push), "%.*s=%.*s", (int) channel_len,
			 channel, (int) payload_len, payload);
}

static void
on_close_fd(void *arg, int fd)
{
	Scene *scene = arg;

	assert_int_equal(fd, redis_conn_fd(scene->conn));
	scene->closed_fds++;
}

static void
on_reply(void *arg, const RedisValue *reply)
{
	Scene *scene = arg;

	if (reply == NULL)
	{
		scene->lost++;
		return;
	}
	scene->replies++;
	snprintf(scene->reply, sizeof(scene->reply), "%s", reply->text);
}

static void
open_scene_as(Scene *scene, const char *user, const char *password, int db,
			  bool is_subscriber, RedisConnOptions options)
{
	static const RedisCallbacks callbacks = { .on_ready = on_ready,
											  .on_down = on_down,
											  .on_push = on_push,
											  .on_close_fd = on_close_fd };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char text[96];
	RedisUrl url;
	Error err;

	memset(scene, 0, sizeof(*scene));
	snprintf(scene->folder, sizeof(scene->folder), "/tmp/redis_conn.XXXXXX");
	assert_non_null(mkdtemp(scene->folder));
	snprintf(scene->path, sizeof(scene->path), "%s/s", scene->folder);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", scene->path);
	scene->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(scene->listener, (struct sockaddr *) &address,
						  sizeof(address)),
					 0);
	assert_int_equal(listen(scene->listener, 4), 0);
	scene->server = -1;
	scene->now_us = 1000000;
	clock_set(scene->now_us, 1);

	snprintf(text, sizeof(text), "unix://%s", scene->path);
	assert_true(redis_url_parse(text, &url, &err));
	url.db = db;
	snprintf(url.user, sizeof(url.user), "%s", user);
	snprintf(url.password, sizeof(url.password), "%s", password);
	options.is_subscriber = is_subscriber;
	scene->conn = redis_conn_new(&url, &options, &callbacks, scene);
}

static void
open_scene(Scene *scene, bool is_subscriber, RedisConnOptions options)
{
	open_scene_as(scene, "", "", 0, is_subscriber, options);
}

static void
close_scene(Scene *scene)
{
	redis_conn_free(&scene->conn);
	if (scene->server >= 0)
		close(scene->server);
	if (scene->listener >= 0)
		close(scene->listener);
	unlink(scene->path);
	rmdir(scene->folder);
	clock_unset();
}

static void
turn(Scene *scene, int64_t later_us)
{
	struct pollfd pfd = { .fd = redis_conn_fd(scene->conn),
						  .events = redis_conn_events(scene->conn) };

	scene->now_us += later_us;
	clock_set(scene->now_us, 1);
	if (pfd.fd >= 0)
		poll(&pfd, 1, 0);
	redis_conn_turn(scene->conn, pfd.revents, scene->now_us);
}

static void
accept_one(Scene *scene)
{
	scene->server = accept(scene->listener, NULL, NULL);
	assert_true(scene->server >= 0);
}

static void
say(Scene *scene, const char *text)
{
	assert_int_equal(send(scene->server, text, strlen(text), 0), strlen(text));
	turn(scene, 0);
}

/* Whatever the client has sent until now. */
static const char *
heard(Scene *scene)
{
	static char text[4096];
	ssize_t n = recv(scene->server, text, sizeof(text) - 1, MSG_DONTWAIT);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void
greet(Scene *scene)
{
	turn(scene, 0);
	accept_one(scene);
	turn(scene, 0);
	(void) heard(scene);
	say(scene, GREETING_ANSWER);
	assert_true(redis_conn_is_ready(scene->conn));
}

static bool
command(Scene *scene, const char *word)
{
	const char *argv[] = { word, "x" };

	return redis_conn_command(scene->conn, 2, argv, NULL, on_reply, scene);
}

static void
ready_only_when_the_server_answers(void **state)
{
	Scene scene;

	(void) state;
	open_scene(&scene, false, redis_conn_defaults);
	turn(&scene, 0);
	accept_one(&scene);
	turn(&scene, 0);
	assert_false(redis_conn_is_ready(scene.conn));
	assert_false(command(&scene, "GET"));
	assert_string_equal(heard(&scene),
						"*3\r\n$6\r\nCLIENT\r\n$7\r\nSETNAME\r\n$8\r\nchemchat"
						"\r\n*1\r\n$4\r\nPING\r\n");
	say(&scene, "+OK\r\n+PO");
	assert_int_equal(scene.ready, 0);
	say(&scene, "NG\r\n");
	assert_int_equal(scene.ready, 1);
	close_scene(&scene);
}

static void
login_and_database_come_first(void **state)
{
	Scene scene;

	(void) state;
	open_scene_as(&scene, "", "hunter2", 0, false, redis_conn_defaults);
	turn(&scene, 0);
	accept_one(&scene);
	turn(&scene, 0);
	assert_memory_equal(heard(&scene),
						"*2\r\n$4\r\nAUTH\r\n$7\r\nhunter2\r\n*3\r\n", 31);
	close_scene(&scene);

	open_scene_as(&scene, "live", "hunter2", 12, false, redis_conn_defaults);
	turn(&scene, 0);
	accept_one(&scene);
	turn(&scene, 0);
	assert_memory_equal(heard(&scene),
						"*3\r\n$4\r\nAUTH\r\n$4\r\nlive\r\n$7\r\nhunter2\r\n"
						"*2\r\n$6\r\nSELECT\r\n$2\r\n12\r\n*3\r\n",
						65);
	say(&scene, "+OK\r\n-ERR DB index is out of range\r\n");
	assert_int_equal(scene.downs, 1);
	assert_string_equal(scene.why, "ERR DB index is out of range");
	close_scene(&scene);
}

static void
refused_login_is_told_and_tried_again(void **state)
{
	Scene scene;

	(void) state;
	open_scene(&scene, false, redis_conn_defaults);
	turn(&scene, 0);
	accept_one(&scene);
	turn(&scene, 0);
	say(&scene, "-NOAUTH Authentication required.\r\n-NOAUTH Authentication "
				"required.\r\n");
	assert_int_equal(scene.ready, 0);
	assert_int_equal(scene.downs, 1);
	assert_string_equal(scene.why, "NOAUTH Authentication required.");
	assert_int_equal(redis_conn_fd(scene.conn), -1);
	assert_int_equal(scene.closed_fds, 1);
	close(scene.server);
	turn(&scene, scene.retry_ms * 1000);
	greet(&scene);
	close_scene(&scene);
}

static void
replies_come_in_order_to_their_callbacks(void **state)
{
	Scene scene;

	(void) state;
	open_scene(&scene, false, redis_conn_defaults);
	greet(&scene);
	assert_true(command(&scene, "GET"));
	assert_true(command(&scene, "GET"));
	assert_true(command(&scene, "GET"));
	assert_int_equal(redis_conn_pending(scene.conn), 3);
	redis_conn_flush(scene.conn);
	say(&scene, "$3\r\none\r\n$3\r\nt");
	assert_int_equal(scene.replies, 1);
	assert_string_equal(scene.reply, "one");
	say(&scene, "wo\r\n-ERR three\r\n");
	assert_int_equal(scene.replies, 3);
	assert_string_equal(scene.reply, "ERR three");
	assert_int_equal(redis_conn_pending(scene.conn), 0);
	close_scene(&scene);
}

static void
commands_under_way_are_told_of_the_end(void **state)
{
	Scene scene;

	(void) state;
	open_scene(&scene, false, redis_conn_defaults);
	greet(&scene);
	assert_true(command(&scene, "GET"));
	assert_true(command(&scene, "GET"));
	turn(&scene, 0);
	close(scene.server);
	scene.server = -1;
	turn(&scene, 0);
	assert_int_equal(scene.lost, 2);
	assert_int_equal(scene.downs, 1);
	assert_false(redis_conn_is_ready(scene.conn));
	close_scene(&scene);
}

static void
bounds_refuse_the_newest(void **state)
{
	RedisConnOptions options = redis_conn_defaults;
	Scene scene;
	int taken = 0;

	(void) state;
	options.max_pending = 8;
	open_scene(&scene, false, options);
	greet(&scene);
	while (taken < 20 && command(&scene, "GET"))
		taken++;
	assert_int_equal(taken, 8);
	turn(&scene, 0);
	say(&scene, "$1\r\n1\r\n");
	assert_true(command(&scene, "GET"));
	assert_false(command(&scene, "GET"));
	close_scene(&scene);

	options = redis_conn_defaults;
	options.max_out_bytes = 1000;
	open_scene(&scene, false, options);
	greet(&scene);
	taken = 0;
	while (taken < 1000 && command(&scene, "GET"))
		taken++;
	assert_in_range(taken, 5, 100);
	assert_true(redis_conn_unsent(scene.conn) <= 1000);
	close_scene(&scene);
}

static void
server_that_accepts_and_never_answers_is_left(void **state)
{
	Scene scene;

	(void) state;
	open_scene(&scene, false, redis_conn_defaults);
	turn(&scene, 0);
	accept_one(&scene);
	turn(&scene, 1999000);
	assert_int_equal(scene.downs, 0);
	turn(&scene, 2000);
	assert_int_equal(scene.downs, 1);
	assert_string_equal(scene.why, "connected, but nothing answers");
	close_scene(&scene);
}

static void
server_that_stops_answering_is_left(void **state)
{
	Scene scene;

	(void) state;
	open_scene(&scene, false, redis_conn_defaults);
	greet(&scene);
	turn(&scene, 1000000);
	assert_string_equal(heard(&scene), "*1\r\n$4\r\nPING\r\n");
	say(&scene, "+PONG\r\n");
	turn(&scene, 999000);
	assert_string_equal(heard(&scene), "");
	turn(&scene, 1000);
	assert_string_equal(heard(&scene), "*1\r\n$4\r\nPING\r\n");
	assert_int_equal(redis_conn_deadline_us(scene.conn),
					 scene.now_us + 2000000);
	turn(&scene, 1999999);
	assert_int_equal(scene.downs, 0);
	turn(&scene, 1);
	assert_int_equal(scene.downs, 1);
	close_scene(&scene);
}

static void
backoff_grows_with_jitter_and_begins_anew(void **state)
{
	Scene scene;
	int64_t longest = 0;

	(void) state;
	open_scene(&scene, false, redis_conn_defaults);
	close(scene.listener);
	scene.listener = -1;
	for (int i = 0; i < 40; i++)
	{
		turn(&scene, redis_conn_deadline_us(scene.conn) - scene.now_us);
		assert_int_equal(scene.downs, i + 1);
		assert_in_range(scene.retry_ms, 50, 2000);
		if (i == 0)
			assert_int_equal(scene.retry_ms, 50);
		if (scene.retry_ms > longest)
			longest = scene.retry_ms;
		turn(&scene, scene.retry_ms * 1000 - 1);
		assert_int_equal(scene.downs, i + 1);
	}
	assert_true(longest > 1000);
	close_scene(&scene);
}

static void
messages_are_told_from_answers(void **state)
{
	Scene scene;

	(void) state;
	open_scene(&scene, true, redis_conn_defaults);
	greet(&scene);
	assert_true(command(&scene, "SSUBSCRIBE"));
	turn(&scene, 0);
	say(&scene, "*3\r\n$10\r\nssubscribe\r\n$1\r\nx\r\n:1\r\n");
	assert_int_equal(scene.replies, 1);
	say(&scene, "*3\r\n$8\r\nsmessage\r\n$1\r\nx\r\n$5\r\nhello\r\n");
	assert_int_equal(scene.pushes, 1);
	assert_string_equal(scene.push, "x=hello");

	/* the answer to a PING of a subscriber is an array of two */
	turn(&scene, 1000000);
	say(&scene, "*3\r\n$8\r\nsmessage\r\n$1\r\nx\r\n$2\r\nyo\r\n*2\r\n$4\r\n"
				"pong\r\n$0\r\n\r\n");
	assert_int_equal(scene.pushes, 2);
	assert_int_equal(scene.downs, 0);
	assert_int_equal(redis_conn_pending(scene.conn), 0);
	close_scene(&scene);
}

static void
subscription_taken_away_ends_the_connection(void **state)
{
	Scene scene;

	(void) state;
	open_scene(&scene, true, redis_conn_defaults);
	greet(&scene);
	say(&scene, "*3\r\n$12\r\nsunsubscribe\r\n$1\r\nx\r\n:0\r\n");
	assert_int_equal(scene.downs, 1);
	close_scene(&scene);
}

static void
nonsense_from_the_server_ends_the_connection(void **state)
{
	static const char *const nonsense[] = {
		"?\r\n",
		"+nobody asked\r\n",
		"*1000000000\r\n",
		"HTTP/1.1 400 Bad Request\r\n\r\n",
	};
	Scene scene;

	(void) state;
	for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++)
	{
		open_scene(&scene, false, redis_conn_defaults);
		greet(&scene);
		say(&scene, nonsense[i]);
		assert_int_equal(scene.downs, 1);
		assert_non_null(strstr(scene.why, "protocol error"));
		close_scene(&scene);
	}
}

static void
endless_reply_is_bounded(void **state)
{
	RedisConnOptions options = redis_conn_defaults;
	Scene scene;
	char bytes[1000];

	(void) state;
	options.max_reply_bytes = 10000;
	open_scene(&scene, false, options);
	greet(&scene);
	assert_true(command(&scene, "GET"));
	turn(&scene, 0);
	say(&scene, "$2000000000\r\n");
	memset(bytes, 'x', sizeof(bytes));
	for (int i = 0; i < 20 && scene.downs == 0; i++)
	{
		assert_int_equal(send(scene.server, bytes, sizeof(bytes), 0),
						 sizeof(bytes));
		turn(&scene, 0);
	}
	assert_int_equal(scene.downs, 1);
	assert_int_equal(scene.lost, 1);
	close_scene(&scene);
}

static void
name_is_looked_up_beside_the_loop(void **state)
{
	RedisCallbacks callbacks = { .on_down = on_down };
	Scene scene = { .conn = NULL };
	RedisUrl url;
	Error err;

	(void) state;
	assert_true(redis_url_parse("redis://no-such-host.invalid", &url, &err));
	scene.conn = redis_conn_new(&url, &redis_conn_defaults, &callbacks, &scene);
	for (int i = 0; i < 2000 && scene.downs == 0; i++)
	{
		struct pollfd pfd = { .fd = redis_conn_fd(scene.conn),
							  .events = redis_conn_events(scene.conn) };

		poll(&pfd, 1, 10);
		redis_conn_turn(scene.conn, pfd.revents, clock_now_us());
	}
	assert_int_equal(scene.downs, 1);
	redis_conn_free(&scene.conn);
}

static void
command_is_an_array_of_bulk_strings(void **state)
{
	const char *argv[] = { "SET", "key", "a\0b" };
	size_t argv_len[] = { 3, 3, 3 };
	static const char want[] = "*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$3\r\na\0b\r\n";
	Buf out;

	(void) state;
	buf_init(&out);
	assert_true(redis_command_append(&out, 3, argv, argv_len, 1000));
	assert_int_equal(out.len, sizeof(want) - 1);
	assert_memory_equal(out.data, want, sizeof(want) - 1);
	assert_false(redis_command_append(&out, 3, argv, argv_len, out.len + 20));
	assert_int_equal(out.len, sizeof(want) - 1);
	buf_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ready_only_when_the_server_answers),
		cmocka_unit_test(login_and_database_come_first),
		cmocka_unit_test(refused_login_is_told_and_tried_again),
		cmocka_unit_test(replies_come_in_order_to_their_callbacks),
		cmocka_unit_test(commands_under_way_are_told_of_the_end),
		cmocka_unit_test(bounds_refuse_the_newest),
		cmocka_unit_test(server_that_accepts_and_never_answers_is_left),
		cmocka_unit_test(server_that_stops_answering_is_left),
		cmocka_unit_test(backoff_grows_with_jitter_and_begins_anew),
		cmocka_unit_test(messages_are_told_from_answers),
		cmocka_unit_test(subscription_taken_away_ends_the_connection),
		cmocka_unit_test(nonsense_from_the_server_ends_the_connection),
		cmocka_unit_test(endless_reply_is_bounded),
		cmocka_unit_test(name_is_looked_up_beside_the_loop),
		cmocka_unit_test(command_is_an_array_of_bulk_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
