/* uses: relay common/daemon common/kafka common/redis common/pg common/wire common/base */
/* pkgs: hiredis */
#include "sink_redis.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "clock.h"
#include "fake_redis.h"
#include "live_frame.h"
#include "log.h"

#define WALL_US   1700000000000000
#define SECOND_US 1000000
#define MAX_HEARD 256

/* One message as a subscriber would hear it. */
typedef struct Heard
{
	int channel;
	LiveHeader header;
	uint64_t ev[8];
} Heard;

/* A sink, and a Redis that the test plays. */
typedef struct Scene
{
	FakeRedis redis;
	bool is_mute;              /* answers nothing */
	bool is_deaf;              /* PostgreSQL is not heard */
	bool is_readonly;          /* answers every EVAL with an error */
	uint64_t last_incarnation; /* what Redis holds */
	int claims;

	Sink *sink;
	PrefixWindow *window;
	int64_t now_us;
	uint64_t lsn;
	Heard heard[MAX_HEARD];
	int heard_count;
} Scene;

static SinkRedisMetrics metrics;

static void
take_turn(Scene *scene)
{
	Error err;

	clock_set(scene->now_us, WALL_US + scene->now_us);
	if (!scene->is_deaf)
		scene->sink->heard_us = scene->now_us;
	assert_int_equal(scene->sink->ops->turn(scene->sink, scene->now_us, &err),
					 SINK_OK);
}

static void
answer(Scene *scene, const char *text)
{
	fake_redis_say(&scene->redis, text, strlen(text));
}

static void
take_published(Scene *scene, const RedisValue *name, const RedisValue *payload)
{
	Heard *heard = &scene->heard[scene->heard_count++];
	LiveFrameReader reader;
	Event event;
	int n = 0;

	assert_true(scene->heard_count < MAX_HEARD);
	memset(heard, 0, sizeof(*heard));
	heard->channel = live_channel_parse(name->text, name->len);
	assert_true(heard->channel >= 0);
	assert_true(live_frame_init(&reader, (const uint8_t *) payload->text,
								payload->len));
	heard->header = reader.header;
	while (live_frame_next(&reader, &event))
	{
		assert_int_equal(live_channel_of(event.key), heard->channel);
		if (n < 8)
			heard->ev[n++] = event.ev;
	}
}

/* What our script does with its key. */
static void
take_claim(Scene *scene, const RedisValue *command)
{
	uint64_t want = strtoull(command->element[4]->text, NULL, 10);
	bool is_ours = redis_value_is(command->element[5], "1");
	char text[64];
	char number[32];

	assert_true(redis_value_is(command->element[3], LIVE_INCARNATION_KEY));
	scene->claims++;
	if (scene->is_readonly)
	{
		answer(scene, "-READONLY You can't write against a read only replica."
					  "\r\n");
		return;
	}
	if (scene->last_incarnation > want ||
		(scene->last_incarnation == want && !is_ours))
		want = scene->last_incarnation + 1;
	scene->last_incarnation = want;
	snprintf(number, sizeof(number), "%llu", (unsigned long long) want);
	snprintf(text, sizeof(text), "$%zu\r\n%s\r\n", strlen(number), number);
	answer(scene, text);
}

static void
serve(Scene *scene)
{
	RedisValue *command;

	fake_redis_listen(&scene->redis);
	while (!scene->is_mute &&
		   (command = fake_redis_next(&scene->redis)) != NULL)
	{
		if (redis_value_is(command->element[0], "PING"))
			answer(scene, "+PONG\r\n");
		else if (redis_value_is(command->element[0], "EVAL"))
			take_claim(scene, command);
		else if (redis_value_is(command->element[0], "SPUBLISH"))
		{
			take_published(scene, command->element[1], command->element[2]);
			answer(scene, ":1\r\n");
		}
		else
			answer(scene, "+OK\r\n");
		redis_value_free(command);
	}
}

/* Both sides, until nothing more happens at this time. */
static void
settle(Scene *scene)
{
	for (int i = 0; i < 6; i++)
	{
		take_turn(scene);
		serve(scene);
	}
}

static void
start(Scene *scene)
{
	SinkIdentity identity = { .system_id = 77, .timeline = 3 };
	SinkFindings found;
	Error err;

	assert_int_equal(scene->sink->ops->start(scene->sink, &identity,
											 scene->window, &found, &err),
					 SINK_OK);
	assert_string_equal(found.layout, "{}");
}

static void
hang_up(Scene *scene)
{
	fake_redis_hang_up(&scene->redis);
	take_turn(scene);
	take_turn(scene);
}

static int
setup(void **state)
{
	static Scene scene;
	SinkRedisConfig config = { .url = scene.redis.url, .metrics = &metrics };
	Error err;

	log_init("test", LOG_ERROR, LOG_LOGFMT);
	if (metrics.published == NULL)
		sink_redis_metrics_init(&metrics);
	memset(&scene, 0, sizeof(scene));
	fake_redis_open(&scene.redis);
	scene.now_us = SECOND_US;
	scene.lsn = 0x1000;
	clock_set(scene.now_us, WALL_US);
	scene.window = prefix_window_new(0, 100);
	scene.sink = sink_redis_new(&config, &err);
	assert_non_null(scene.sink);
	*state = &scene;
	return 0;
}

static int
teardown(void **state)
{
	Scene *scene = *state;

	sink_free(&scene->sink);
	prefix_window_free(&scene->window);
	fake_redis_close(&scene->redis);
	clock_unset();
	return 0;
}

/* One transaction of `count` events on that channel, ev from `ev`. */
static void
commit(Scene *scene, int channel, uint64_t ev, int count)
{
	FrameHeader header = { .flags = FRAME_FIRST | FRAME_LAST,
						   .event_count = (uint32_t) count,
						   .commit_lsn = scene->lsn,
						   .end_lsn = scene->lsn + 8,
						   .commit_time_us = WALL_US };
	const SinkOps *ops = scene->sink->ops;
	uint8_t record[256];
	uint8_t key[16] = { 0 };
	PrefixSpan span;
	Error err;

	scene->lsn += 16;
	for (uint32_t i = 0; live_channel_of(key) != channel; i++)
		bytes_put_u32(key, i);
	assert_true(prefix_window_begin(scene->window, header.end_lsn, &span));
	ops->frame_begin(scene->sink, &header, span);
	for (int i = 0; i < count; i++)
	{
		Event event = { .kind = EVENT_MESSAGE,
						.key = key,
						.id = key,
						.ev = ev + (uint64_t) i,
						.rev = 1,
						.json = "{}",
						.json_len = 2 };
		SinkEvent taken = { .header = &header,
							.ordinal = (uint32_t) i,
							.event = &event,
							.record = record,
							.record_len = (uint32_t) event_size(&event),
							.span = span };

		event_write(record, &event);
		assert_int_equal(ops->event(scene->sink, &taken, &err), SINK_OK);
	}
	ops->frame_end(scene->sink, &header, span);
	prefix_window_seal(scene->window, span);

	/* the slot is never held back */
	assert_int_equal(prefix_window_pending(scene->window), 0);
	assert_true(prefix_window_position(scene->window) == header.end_lsn);
}

static const Heard *
last_heard(const Scene *scene)
{
	assert_true(scene->heard_count > 0);
	return &scene->heard[scene->heard_count - 1];
}

static void
begins_with_a_heartbeat_on_every_channel(void **state)
{
	Scene *scene = *state;
	bool is_there[LIVE_CHANNELS] = { false };

	start(scene);
	settle(scene);
	assert_int_equal(scene->heard_count, LIVE_CHANNELS);
	for (int i = 0; i < scene->heard_count; i++)
	{
		const Heard *heard = &scene->heard[i];

		assert_true(heard->header.is_heartbeat);
		assert_true(heard->header.number == 0);
		assert_true(heard->header.system_id == 77);
		assert_int_equal(heard->header.timeline, 3);
		assert_true(heard->header.incarnation == scene->last_incarnation);
		is_there[heard->channel] = true;
	}
	for (int i = 0; i < LIVE_CHANNELS; i++)
		assert_true(is_there[i]);
}

static void
events_of_a_transaction_are_one_numbered_message(void **state)
{
	Scene *scene = *state;

	start(scene);
	settle(scene);
	commit(scene, 5, 1, 3);
	settle(scene);
	assert_int_equal(last_heard(scene)->channel, 5);
	assert_true(last_heard(scene)->header.number == 1);
	assert_int_equal(last_heard(scene)->header.event_count, 3);
	assert_true(last_heard(scene)->header.end_lsn == 0x1008);
	assert_true(last_heard(scene)->ev[2] == 3);
	commit(scene, 6, 1, 1);
	settle(scene);
	assert_true(last_heard(scene)->header.number == 1);
}

static void
heartbeats_repeat_the_last_number_each_second(void **state)
{
	Scene *scene = *state;
	int64_t deadline_us = INT64_MAX;
	struct pollfd fds[SINK_MAX_FDS];
	int before;

	start(scene);
	settle(scene);
	commit(scene, 5, 1, 1);
	settle(scene);
	before = scene->heard_count;
	assert_int_equal(scene->sink->ops->wait(scene->sink, fds, &deadline_us), 1);
	assert_true(deadline_us <= scene->now_us + SECOND_US);
	scene->now_us += SECOND_US - 1;
	settle(scene);
	assert_int_equal(scene->heard_count, before);
	scene->now_us += 1;
	settle(scene);
	assert_int_equal(scene->heard_count, before + LIVE_CHANNELS);
	for (int i = before; i < scene->heard_count; i++)
		assert_true(scene->heard[i].header.number ==
					(scene->heard[i].channel == 5 ? 1 : 0));
}

static void
nothing_is_said_before_the_stream_begins(void **state)
{
	Scene *scene = *state;

	scene->is_deaf = true;
	settle(scene);
	scene->now_us += 5 * SECOND_US;
	settle(scene);
	assert_int_equal(scene->claims, 0);
	assert_int_equal(scene->heard_count, 0);
}

static void
reader_that_hears_nothing_falls_silent(void **state)
{
	Scene *scene = *state;
	int before;

	start(scene);
	settle(scene);
	before = scene->heard_count;
	scene->is_deaf = true;
	scene->now_us += SECOND_US;
	settle(scene);
	assert_int_equal(scene->heard_count, before + LIVE_CHANNELS);
	scene->now_us += SECOND_US;
	settle(scene);
	scene->now_us += SECOND_US;
	settle(scene);
	assert_int_equal(scene->heard_count, before + LIVE_CHANNELS);

	/* the connection to PostgreSQL is gone */
	scene->sink->heard_us = 0;
	scene->now_us += SECOND_US;
	settle(scene);
	assert_int_equal(scene->heard_count, before + LIVE_CHANNELS);
	scene->is_deaf = false;
	scene->now_us += SECOND_US;
	settle(scene);
	assert_int_equal(scene->heard_count, before + 2 * LIVE_CHANNELS);
}

static void
dropped_messages_use_their_numbers_up(void **state)
{
	Scene *scene = *state;
	int64_t dropped = metric_value(metrics.dropped);
	int before;

	start(scene);
	settle(scene);
	commit(scene, 5, 1, 1);
	settle(scene);
	hang_up(scene);
	commit(scene, 5, 2, 1);
	commit(scene, 5, 3, 1);
	assert_int_equal(metric_value(metrics.dropped), dropped + 2);

	before = scene->heard_count;
	scene->now_us += 3 * SECOND_US;
	settle(scene);
	assert_int_equal(scene->heard_count, before + LIVE_CHANNELS);
	for (int i = before; i < scene->heard_count; i++)
	{
		if (scene->heard[i].channel == 5)
			assert_true(scene->heard[i].header.number == 3);
		assert_true(scene->heard[i].header.incarnation ==
					scene->heard[0].header.incarnation);
	}
	commit(scene, 5, 4, 1);
	settle(scene);
	assert_true(last_heard(scene)->header.number == 4);
}

static void
every_start_is_a_higher_incarnation(void **state)
{
	Scene *scene = *state;
	uint64_t first;

	/* the clock went back */
	scene->last_incarnation = WALL_US * 2;
	start(scene);
	settle(scene);
	first = last_heard(scene)->header.incarnation;
	assert_true(first == (uint64_t) WALL_US * 2 + 1);
	commit(scene, 5, 1, 1);
	start(scene);
	settle(scene);
	assert_true(last_heard(scene)->header.incarnation > first);
	assert_true(last_heard(scene)->header.number == 0);
}

static void
emptied_redis_keeps_the_incarnation(void **state)
{
	Scene *scene = *state;
	uint64_t first;

	start(scene);
	settle(scene);
	first = last_heard(scene)->header.incarnation;
	hang_up(scene);
	scene->last_incarnation = 0;
	scene->now_us += 3 * SECOND_US;
	settle(scene);
	assert_true(last_heard(scene)->header.incarnation == first);
	assert_true(scene->last_incarnation == first);
}

static void
another_reader_before_us_means_a_new_incarnation(void **state)
{
	Scene *scene = *state;
	uint64_t first;

	start(scene);
	settle(scene);
	first = last_heard(scene)->header.incarnation;
	commit(scene, 5, 1, 1);
	hang_up(scene);
	scene->last_incarnation = first + 1000;
	scene->now_us += 3 * SECOND_US;
	settle(scene);
	assert_true(last_heard(scene)->header.incarnation == first + 1001);
	assert_true(last_heard(scene)->header.number == 0);
}

static void
claim_that_is_refused_is_tried_again(void **state)
{
	Scene *scene = *state;

	scene->is_readonly = true;
	start(scene);
	settle(scene);
	commit(scene, 5, 1, 1);
	settle(scene);
	assert_int_equal(scene->heard_count, 0);
	assert_int_equal(scene->claims, 1);
	scene->is_readonly = false;
	scene->now_us += SECOND_US;
	settle(scene);
	assert_int_equal(scene->claims, 2);
	assert_int_equal(scene->heard_count, LIVE_CHANNELS);
}

static void
mute_redis_holds_nothing_back_and_is_left(void **state)
{
	Scene *scene = *state;
	int64_t downs = metric_value(metrics.disconnects);

	start(scene);
	settle(scene);
	scene->is_mute = true;
	for (int i = 0; i < 100000; i++)
	{
		commit(scene, i % LIVE_CHANNELS, 1 + (uint64_t) i, 1);
		if (i % 100 == 0)
			take_turn(scene);
	}
	for (int i = 0; i < 50; i++)
	{
		scene->now_us += SECOND_US / 10;
		take_turn(scene);
	}
	assert_true(metric_value(metrics.disconnects) > downs);
	assert_int_equal(metric_value(metrics.is_connected), 0);
}

static void
large_transaction_is_several_messages(void **state)
{
	Scene *scene = *state;
	int before;
	uint64_t number = 0;
	int events = 0;

	start(scene);
	settle(scene);
	before = scene->heard_count;
	commit(scene, 5, 1, 10000);
	settle(scene);
	for (int i = before; i < scene->heard_count; i++)
	{
		assert_int_equal(scene->heard[i].channel, 5);
		assert_true(scene->heard[i].header.number == ++number);
		events += scene->heard[i].header.event_count;
	}
	assert_int_equal(events, 10000);
	assert_true(number > 1);
}

static void
wrong_url_is_refused(void **state)
{
	SinkRedisConfig config = { .url = "http://x", .metrics = &metrics };
	Error err;

	(void) state;
	assert_null(sink_redis_new(&config, &err));
}

int
main(void)
{
#define sink_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		sink_test(begins_with_a_heartbeat_on_every_channel),
		sink_test(events_of_a_transaction_are_one_numbered_message),
		sink_test(heartbeats_repeat_the_last_number_each_second),
		sink_test(nothing_is_said_before_the_stream_begins),
		sink_test(reader_that_hears_nothing_falls_silent),
		sink_test(dropped_messages_use_their_numbers_up),
		sink_test(every_start_is_a_higher_incarnation),
		sink_test(emptied_redis_keeps_the_incarnation),
		sink_test(another_reader_before_us_means_a_new_incarnation),
		sink_test(claim_that_is_refused_is_tried_again),
		sink_test(mute_redis_holds_nothing_back_and_is_left),
		sink_test(large_transaction_is_several_messages),
		cmocka_unit_test(wrong_url_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
