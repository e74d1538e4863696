/* uses: gateway common/daemon common/redis common/wire common/base */
/* pkgs: libuv hiredis */
#include "live.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "buf.h"
#include "clock.h"
#include "fake_redis.h"
#include "live_frame.h"
#include "log.h"

#define SYSTEM_ID 77
#define TURNS     300

/* The gateway's side on a loop, and a Redis that the test plays. */
typedef struct Scene
{
	FakeRedis redis;
	bool is_forbidden; /* refuses subscriptions */
	int subscriptions;
	uint64_t number; /* of every channel */

	uv_loop_t loop;
	Live *live;
	int64_t now_us;
	int events;
	int broken;
	int modes;
	int turn_ends;
} Scene;

static void
on_event(void *arg, int channel, const Event *event, const char *position)
{
	Scene *scene = arg;

	assert_int_equal(live_channel_of(event->key), channel);
	assert_string_equal(position, "77:1:0/10");
	scene->events++;
}

static void
on_broken(void *arg, int channel, LiveBreak why)
{
	(void) channel;
	(void) why;
	((Scene *) arg)->broken++;
}

static void
on_mode(void *arg, bool is_live)
{
	Scene *scene = arg;

	scene->modes++;
	assert_int_equal(live_is_live(scene->live), is_live);
}

static void
on_turn_end(void *arg)
{
	Scene *scene = arg;

	assert_true(scene->events > 0);
	scene->turn_ends++;
}

static void
open_live(Scene *scene, const char *url)
{
	static const LiveCallbacks callbacks = { .on_event = on_event,
											 .on_broken = on_broken,
											 .on_mode = on_mode,
											 .on_turn_end = on_turn_end };
	LiveConfig config = { .redis_url = url };
	Error err;

	scene->live = live_open(&scene->loop, &config, &callbacks, scene, &err);
	assert_non_null(scene->live);
	live_set_system_id(scene->live, SYSTEM_ID);
}

static int
setup(void **state)
{
	static Scene scene;

	log_init("test", LOG_ERROR, LOG_LOGFMT);
	memset(&scene, 0, sizeof(scene));
	fake_redis_open(&scene.redis);
	scene.now_us = 1000000;
	clock_set(scene.now_us, 1);
	assert_int_equal(uv_loop_init(&scene.loop), 0);
	*state = &scene;
	return 0;
}

/* The loop must be empty once live_close was called. */
static int
teardown(void **state)
{
	Scene *scene = *state;

	live_close(&scene->live);
	uv_run(&scene->loop, UV_RUN_NOWAIT);
	assert_int_equal(uv_loop_close(&scene->loop), 0);
	fake_redis_close(&scene->redis);
	clock_unset();
	return 0;
}

/* What the gateway does at least every LIVE_TICK_MS, and its loop. */
static void
loop_turn(Scene *scene)
{
	live_tick(scene->live);
	uv_run(&scene->loop, UV_RUN_NOWAIT);
}

static void
take_command(Scene *scene, const RedisValue *command)
{
	Buf out;

	buf_init(&out);
	if (redis_value_is(command->element[0], "PING"))
		buf_append_str(&out, "+PONG\r\n");
	else if (!redis_value_is(command->element[0], "SSUBSCRIBE"))
		buf_append_str(&out, "+OK\r\n");
	else if (scene->is_forbidden)
		buf_append_str(&out, "-NOPERM no permission\r\n");
	else
	{
		assert_int_equal(command->count, 2);
		buf_printf(&out, "*3\r\n$10\r\nssubscribe\r\n$%zu\r\n%s\r\n:%d\r\n",
				   command->element[1]->len, command->element[1]->text,
				   ++scene->subscriptions);
	}
	fake_redis_say(&scene->redis, out.data, out.len);
	buf_fini(&out);
}

static void
serve(Scene *scene)
{
	RedisValue *command;

	fake_redis_listen(&scene->redis);
	while ((command = fake_redis_next(&scene->redis)) != NULL)
	{
		take_command(scene, command);
		redis_value_free(command);
	}
}

/* Both sides in turn until the condition holds. */
#define run_until(scene, condition)                                            \
	do                                                                         \
	{                                                                          \
		int turns_ = 0;                                                        \
                                                                               \
		while (!(condition) && turns_++ < TURNS)                               \
		{                                                                      \
			loop_turn(scene);                                                  \
			serve(scene);                                                      \
			usleep(2000);                                                      \
		}                                                                      \
		assert_true(condition);                                                \
	} while (0)

static void
publish(Scene *scene, int channel, bool is_heartbeat)
{
	LiveHeader header = { .is_heartbeat = is_heartbeat,
						  .event_count = !is_heartbeat,
						  .timeline = 1,
						  .incarnation = 5,
						  .number = scene->number,
						  .system_id = SYSTEM_ID,
						  .end_lsn = 0x10 };
	uint8_t payload[256];
	size_t len = LIVE_HEADER_SIZE;
	char name[LIVE_CHANNEL_SIZE];
	uint8_t key[16] = { 0 };
	Buf out;

	for (uint32_t i = 0; live_channel_of(key) != channel; i++)
		bytes_put_u32(key, i);
	live_frame_write_header(payload, &header);
	if (!is_heartbeat)
	{
		Event event = { .kind = EVENT_MESSAGE,
						.key = key,
						.id = key,
						.ev = 1,
						.rev = 1,
						.json = "{}",
						.json_len = 2 };

		bytes_put_u32(payload + len, (uint32_t) event_size(&event));
		event_write(payload + len + LIVE_EVENT_OVERHEAD, &event);
		len += LIVE_EVENT_OVERHEAD + event_size(&event);
	}
	live_channel_name(channel, name);
	buf_init(&out);
	buf_printf(&out, "*3\r\n$8\r\nsmessage\r\n$%zu\r\n%s\r\n$%zu\r\n",
			   strlen(name), name, len);
	buf_append(&out, payload, len);
	buf_append(&out, "\r\n", 2);
	fake_redis_say(&scene->redis, out.data, out.len);
	buf_fini(&out);
}

static void
heartbeats(Scene *scene)
{
	for (int i = 0; i < LIVE_CHANNELS; i++)
		publish(scene, i, true);
}

static void
become_live(Scene *scene)
{
	open_live(scene, scene->redis.url);
	assert_int_equal(scene->modes, 0);
	run_until(scene, scene->subscriptions == LIVE_CHANNELS);
	heartbeats(scene);
	run_until(scene, live_is_live(scene->live));
	assert_int_equal(scene->broken, LIVE_CHANNELS);
}

static void
without_redis_nothing_is_opened(void **state)
{
	Scene *scene = *state;

	open_live(scene, NULL);
	assert_false(uv_loop_alive(&scene->loop));
	assert_false(live_is_live(scene->live));
}

static void
wrong_configuration_is_refused(void **state)
{
	Scene *scene = *state;
	LiveConfig config = { .redis_url = "memcached://x" };
	LiveCallbacks callbacks = { .on_event = on_event };
	Error err;

	assert_null(live_open(&scene->loop, &config, &callbacks, scene, &err));
	config.redis_url = "redis://x";
	config.redis_password_file = "/nowhere";
	assert_null(live_open(&scene->loop, &config, &callbacks, scene, &err));
}

static void
event_is_heard_and_the_turn_ends(void **state)
{
	Scene *scene = *state;

	become_live(scene);
	scene->number = 1;
	publish(scene, 7, false);
	publish(scene, 8, false);
	run_until(scene, scene->events == 2);
	assert_in_range(scene->turn_ends, 1, 2);
	assert_int_equal(scene->broken, LIVE_CHANNELS);
}

static void
lost_connection_is_polled_and_live_again(void **state)
{
	Scene *scene = *state;

	become_live(scene);
	fake_redis_hang_up(&scene->redis);
	scene->subscriptions = 0;
	run_until(scene, scene->modes == 2);
	scene->now_us += 100000;
	clock_set(scene->now_us, 1);
	run_until(scene, scene->subscriptions == LIVE_CHANNELS);

	/* one message was missed meanwhile, on every channel */
	scene->number = 1;
	heartbeats(scene);
	run_until(scene, live_is_live(scene->live));
	assert_int_equal(scene->broken, 2 * LIVE_CHANNELS);
}

static void
silence_is_polled(void **state)
{
	Scene *scene = *state;

	become_live(scene);
	for (int i = 0; i < 31; i++)
	{
		scene->now_us += 100000;
		clock_set(scene->now_us, 1);
		loop_turn(scene);
		serve(scene);
		loop_turn(scene);
	}
	run_until(scene, !live_is_live(scene->live));
	assert_int_equal(scene->modes, 2);
}

static void
refused_subscription_is_asked_again(void **state)
{
	Scene *scene = *state;
	scene->is_forbidden = true;
	open_live(scene, scene->redis.url);
	for (int i = 0; i < 50; i++)
	{
		loop_turn(scene);
		serve(scene);
		usleep(1000);
	}
	assert_int_equal(scene->subscriptions, 0);
	scene->is_forbidden = false;
	for (int i = 0; i < 5; i++)
	{
		scene->now_us += 500000;
		clock_set(scene->now_us, 1);
		loop_turn(scene);
		serve(scene);
	}
	run_until(scene, scene->subscriptions == LIVE_CHANNELS);
}

static void
closes_while_connecting(void **state)
{
	Scene *scene = *state;
	open_live(scene, scene->redis.url);
	loop_turn(scene);
}

int
main(void)
{
#define live_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		live_test(without_redis_nothing_is_opened),
		live_test(wrong_configuration_is_refused),
		live_test(event_is_heard_and_the_turn_ends),
		live_test(lost_connection_is_polled_and_live_again),
		live_test(silence_is_polled),
		live_test(refused_subscription_is_asked_again),
		live_test(closes_while_connecting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
