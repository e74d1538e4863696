/* uses: gateway common/base */
/* pkgs: libuv openssl */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "ws.h"
#include "xalloc.h"

#define MAX_BYTES 1024
#define WAIT_US   INT64_C(8000000)

/* A client's bytes on a real socket, and what came of them. */
typedef struct Scene
{
	uv_loop_t loop;
	Conns *conns;
	Ws *ws;
	WsSocket *socket;
	int peer;
	int opened;
	int closed;
	char text[MAX_BYTES + 1];
	int texts;
	uint8_t in[4096]; /* after the answer's head */
	size_t in_len;
	bool is_ended; /* the gateway hung up */
} Scene;

static void *
opened(void *arg, WsSocket *socket, char *take_token)
{
	Scene *scene = arg;

	free(take_token);
	scene->opened++;
	scene->socket = socket;
	return scene;
}

static void
heard_text(void *arg, void *user, const char *text, size_t len)
{
	Scene *scene = arg;

	(void) user;
	scene->texts++;
	assert_true(len <= MAX_BYTES);
	memcpy(scene->text, text, len);
	scene->text[len] = '\0';
}

static void
nothing(void *arg, void *user)
{
	(void) arg;
	(void) user;
}

static void
closed(void *arg, void *user)
{
	Scene *scene = arg;

	(void) user;
	scene->closed++;
}

static void
on_tick(uv_timer_t *timer)
{
	(void) timer;
}

static void
turn(Scene *scene)
{
	uint8_t *room = scene->in + scene->in_len;
	ssize_t got;

	conns_flush(scene->conns);
	uv_run(&scene->loop, UV_RUN_NOWAIT);
	got = recv(scene->peer, room, sizeof(scene->in) - scene->in_len,
			   MSG_DONTWAIT);
	if (got > 0)
		scene->in_len += (size_t) got;
	if (got == 0)
		scene->is_ended = true;
}

static void
connect_to(Scene *scene)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
								   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int door = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	static const ConnHandler nothing_yet = { 0 };
	uint8_t *end = NULL;
	size_t head;
	Conn *conn;

	assert_int_equal(bind(door, (struct sockaddr *) &address, size), 0);
	assert_int_equal(listen(door, 1), 0);
	assert_int_equal(getsockname(door, (struct sockaddr *) &address, &size), 0);
	scene->peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(scene->peer, (struct sockaddr *) &address, size),
					 0);
	conn = conn_new(scene->conns,
					accept4(door, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC),
					&nothing_yet, NULL);
	assert_non_null(conn);
	ws_adopt(scene->ws, conn, "dGhlIHNhbXBsZSBub25jZQ==", NULL);
	close(door);
	for (int64_t until_us = clock_now_us() + WAIT_US;
		 end == NULL && clock_now_us() < until_us;)
	{
		turn(scene);
		end = memmem(scene->in, scene->in_len, "\r\n\r\n", 4);
	}
	assert_non_null(end);
	assert_memory_equal(scene->in, "HTTP/1.1 101", 12);

	/* RFC 6455 1.3: the answer to that very key */
	assert_non_null(memmem(scene->in, scene->in_len,
						   "Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", 38));
	head = (size_t) (end - scene->in) + 4;
	memmove(scene->in, scene->in + head, scene->in_len - head);
	scene->in_len -= head;
	assert_int_equal(scene->opened, 1);
}

static int
begin(void **state)
{
	static const WsHandler handler = { opened, heard_text, nothing, nothing,
									   closed };
	Scene *scene = xcalloc(1, sizeof(*scene));
	Error err;

	uv_loop_init(&scene->loop);
	scene->conns = conns_open(&scene->loop, NULL, NULL, &err);
	if (scene->conns == NULL)
		return -1;
	scene->ws = ws_new(&handler, scene, MAX_BYTES);
	connect_to(scene);
	*state = scene;
	return 0;
}

static int
end(void **state)
{
	Scene *scene = *state;

	close(scene->peer);
	ws_free(&scene->ws);
	assert_int_equal(scene->closed, 1);
	conns_close(&scene->conns);
	uv_run(&scene->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&scene->loop), 0);
	free(scene);
	return 0;
}

/* Writes the bytes; true when is_done became true in time. */
static bool
say(Scene *scene, const uint8_t *bytes, size_t len,
	bool (*is_done)(const Scene *scene))
{
	int64_t until_us = clock_now_us() + WAIT_US;
	uv_timer_t tick; /* the loop turns for what only the peer sees */
	bool done;

	uv_timer_init(&scene->loop, &tick);
	uv_timer_start(&tick, on_tick, 5, 5);
	assert_int_equal(send(scene->peer, bytes, len, MSG_NOSIGNAL), len);
	while (!(done = is_done(scene)) && clock_now_us() < until_us)
		turn(scene);
	uv_close((uv_handle_t *) &tick, NULL);
	uv_run(&scene->loop, UV_RUN_NOWAIT);
	return done;
}

static bool
has_text(const Scene *scene)
{
	return scene->texts > 0;
}

static bool
has_close(const Scene *scene)
{
	return scene->is_ended || (scene->in_len >= 2 && scene->in[0] == 0x88);
}

/* The code of the close frame; 0 when it has none, -1 when there is none. */
static int
close_code(const Scene *scene)
{
	if (scene->in_len < 2 || scene->in[0] != 0x88 ||
		scene->in_len < 2u + scene->in[1])
		return -1;
	return scene->in[1] < 2 ? 0 : scene->in[2] << 8 | scene->in[3];
}

#define CODE(number) (uint8_t)((number) >> 8), (uint8_t) (number)
#define MASK         0, 0, 0, 0

/* RFC 6455 5.5, 7.4; a mask of zeros leaves the bytes as they are. */
static const struct
{
	const char *what;
	int code;
	uint8_t bytes[16];
	size_t len;
} endings[] = {
	{ "a close without code", 0, { 0x88, 0x80, MASK }, 6 },
	{ "a close", 1000, { 0x88, 0x82, MASK, CODE(1000) }, 8 },
	{ "one of an application's", 4999, { 0x88, 0x82, MASK, CODE(4999) }, 8 },
	{ "half a code", 1002, { 0x88, 0x81, MASK, 3 }, 7 },
	{ "a code that is none", 1002, { 0x88, 0x82, MASK, CODE(0) }, 8 },
	{ "a code of nobody", 1002, { 0x88, 0x82, MASK, CODE(2999) }, 8 },
	{ "a code never sent", 1002, { 0x88, 0x82, MASK, CODE(1005) }, 8 },
	{ "a code beyond all", 1002, { 0x88, 0x82, MASK, CODE(5000) }, 8 },
	{ "the largest code", 1002, { 0x88, 0x82, MASK, CODE(65535) }, 8 },
	{ "a reason that is no text",
	  1007,
	  { 0x88, 0x84, MASK, CODE(1000), 0xff, 0xfe },
	  10 },
	{ "a reserved bit", 1002, { 0xc1, 0x82, MASK, '{', '}' }, 8 },
	{ "a reserved opcode", 1002, { 0x83, 0x81, MASK, 'x' }, 7 },
	{ "a ping in parts", 1002, { 0x09, 0x81, MASK, 'x' }, 7 },
	{ "a continuation of nothing", 1002, { 0x80, 0x81, MASK, 'x' }, 7 },
	{ "a binary frame", 1003, { 0x82, 0x81, MASK, 'x' }, 7 },
	{ "a frame without a mask", 1002, { 0x81, 0x01, 'x' }, 3 },
	{ "a close without a mask", 1002, { 0x88, 0x00 }, 2 },
	{ "a long ping", 1002, { 0x89, 0xfe, 0, 126, MASK }, 8 },
	{ "a length longer than needed", 1002, { 0x81, 0xfe, 0, 5, MASK }, 8 },
	{ "a message inside a message",
	  1002,
	  { 0x01, 0x81, MASK, 'x', 0x81, 0x81, MASK, 'y' },
	  14 },
	{ "one byte too many", 1009, { 0x81, 0xfe, 0x04, 0x01, MASK }, 8 },
	{ "what is not UTF-8", 1007, { 0x81, 0x81, MASK, 0xff }, 7 },
	{ "2^62 bytes",
	  1009,
	  { 0x81, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, MASK, 'x' },
	  15 },
};

static void
a_violation_is_answered_with_its_code(void **state)
{
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
	{
		Scene *scene = *state;

		print_message("# %s\n", endings[i].what);
		assert_true(say(scene, endings[i].bytes, endings[i].len, has_close));
		assert_int_equal(close_code(scene), endings[i].code);
		assert_int_equal(scene->texts, 0);
		assert_int_equal(end(state), 0);
		assert_int_equal(begin(state), 0);
	}
}

static void
a_message_in_parts_is_one(void **state)
{
	static const uint8_t bytes[] = { 0x01, 0x82, MASK, 'a', 'b', /* text */
									 0x89, 0x81, MASK, 'p',      /* ping */
									 0x00, 0x80, MASK,           /* empty */
									 0x80, 0x81, MASK, 'c' };
	Scene *scene = *state;

	assert_true(say(scene, bytes, sizeof(bytes), has_text));
	assert_string_equal(scene->text, "abc");
	assert_int_equal(scene->texts, 1);
}

static void
a_mask_is_taken_off(void **state)
{
	static const uint8_t bytes[] = { 0x81,    0x85,    1,       2,
									 3,       4,       'h' ^ 1, 'e' ^ 2,
									 'l' ^ 3, 'l' ^ 4, 'o' ^ 1 };
	Scene *scene = *state;

	assert_true(say(scene, bytes, sizeof(bytes), has_text));
	assert_string_equal(scene->text, "hello");
}

int
main(void)
{
#define SCENE(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		SCENE(a_violation_is_answered_with_its_code),
		SCENE(a_message_in_parts_is_one),
		SCENE(a_mask_is_taken_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
