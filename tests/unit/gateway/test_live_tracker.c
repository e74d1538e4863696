/* uses: gateway common/daemon common/redis common/wire common/base */
/* pkgs: libuv */
#include "live_tracker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "clock.h"
#include "live_frame.h"
#include "log.h"

#define SECOND_US 1000000
#define SYSTEM_ID 77

/* What the fan-out was told, and the publisher's state. */
typedef struct Scene
{
	LiveTracker *tracker;
	int64_t now_us;
	uint64_t incarnation;
	uint64_t number[LIVE_CHANNELS];

	int broken[LIVE_BREAKS];
	int broken_channel;
	int events;
	uint64_t last_ev;
	char position[64];
	int modes;
} Scene;

static void
on_event(void *arg, int channel, const Event *event, const char *position)
{
	Scene *scene = arg;

	assert_int_equal(live_channel_of(event->key), channel);
	scene->events++;
	scene->last_ev = event->ev;
	snprintf(scene->position, sizeof(scene->position), "%s", position);
}

static void
on_broken(void *arg, int channel, LiveBreak why)
{
	Scene *scene = arg;

	scene->broken[why]++;
	scene->broken_channel = channel;
}

static void
on_mode(void *arg, bool is_live)
{
	Scene *scene = arg;

	scene->modes++;
	assert_int_equal(is_live, live_tracker_is_live(scene->tracker));
}

static int
setup(void **state)
{
	static LiveMetrics metrics;
	static Scene scene;
	static const LiveCallbacks callbacks = { .on_event = on_event,
											 .on_broken = on_broken,
											 .on_mode = on_mode };

	log_init("test", LOG_ERROR, LOG_LOGFMT);
	if (metrics.is_live == NULL)
		live_metrics_init(&metrics);
	memset(&scene, 0, sizeof(scene));
	scene.now_us = SECOND_US;
	scene.incarnation = 100;
	scene.tracker = live_tracker_new(&callbacks, &scene, &metrics);
	live_tracker_set_system_id(scene.tracker, SYSTEM_ID);
	*state = &scene;
	return 0;
}

static int
teardown(void **state)
{
	Scene *scene = *state;

	live_tracker_free(&scene->tracker);
	return 0;
}

/* A key whose channel is `channel`. */
static void
key_of(int channel, uint8_t key[16])
{
	memset(key, 0, 16);
	for (uint32_t i = 0; live_channel_of(key) != channel; i++)
		bytes_put_u32(key, i);
}

static void
hear(Scene *scene, int channel, const uint8_t *bytes, size_t len)
{
	char name[LIVE_CHANNEL_SIZE];

	live_channel_name(channel, name);
	(void) live_tracker_hear(scene->tracker, name, strlen(name), bytes, len,
							 scene->now_us);
}

static size_t
make(const Scene *scene, int channel, const uint8_t *key, uint8_t *out)
{
	LiveHeader header = { .is_heartbeat = key == NULL,
						  .event_count = key != NULL,
						  .timeline = 1,
						  .incarnation = scene->incarnation,
						  .number = scene->number[channel],
						  .system_id = SYSTEM_ID,
						  .end_lsn = 0x100000ABC };
	size_t len = LIVE_HEADER_SIZE;

	live_frame_write_header(out, &header);
	if (key != NULL)
	{
		Event event = { .kind = EVENT_MESSAGE,
						.key = key,
						.id = key,
						.ev = header.number,
						.rev = 1,
						.json = "{}",
						.json_len = 2 };

		bytes_put_u32(out + len, (uint32_t) event_size(&event));
		event_write(out + len + LIVE_EVENT_OVERHEAD, &event);
		len += LIVE_EVENT_OVERHEAD + event_size(&event);
	}
	return len;
}

static void
publish(Scene *scene, int channel)
{
	uint8_t bytes[256];
	uint8_t key[16];

	key_of(channel, key);
	scene->number[channel]++;
	hear(scene, channel, bytes, make(scene, channel, key, bytes));
}

static void
beat(Scene *scene, int channel)
{
	uint8_t bytes[LIVE_HEADER_SIZE];

	hear(scene, channel, bytes, make(scene, channel, NULL, bytes));
}

static void
beat_all(Scene *scene)
{
	for (int i = 0; i < LIVE_CHANNELS; i++)
		beat(scene, i);
}

/* Time passes in ticks, with heartbeats on all channels but one (-1: all). */
static void
pass(Scene *scene, int64_t us, int silent)
{
	int64_t until_us = scene->now_us + us;

	for (int tick = 0; scene->now_us < until_us; tick++)
	{
		scene->now_us += LIVE_TICK_MS * 1000;
		if (tick % 10 == 9)
		{
			for (int i = 0; i < LIVE_CHANNELS; i++)
			{
				if (i != silent)
					beat(scene, i);
			}
		}
		live_tracker_tick(scene->tracker, scene->now_us);
	}
}

static void
live_only_when_all_channels_were_heard(void **state)
{
	Scene *scene = *state;

	assert_false(live_tracker_is_live(scene->tracker));
	for (int i = 0; i < LIVE_CHANNELS - 1; i++)
		beat(scene, i);
	assert_int_equal(scene->modes, 0);
	assert_int_equal(scene->broken[LIVE_BREAK_FIRST], LIVE_CHANNELS - 1);
	beat(scene, LIVE_CHANNELS - 1);
	assert_true(live_tracker_is_live(scene->tracker));
	assert_int_equal(scene->broken[LIVE_BREAK_FIRST], LIVE_CHANNELS);
	assert_int_equal(scene->modes, 1);
}

static void
event_is_handed_on_with_its_position(void **state)
{
	Scene *scene = *state;

	beat_all(scene);
	publish(scene, 5);
	assert_int_equal(scene->events, 1);
	assert_string_equal(scene->position, "77:1:1/ABC");
}

static void
hole_is_repaired_twice_and_newer_is_handed_on(void **state)
{
	Scene *scene = *state;

	beat_all(scene);
	pass(scene, 2 * SECOND_US, -1);
	memset(scene->broken, 0, sizeof(scene->broken));

	scene->number[9]++;
	publish(scene, 9);
	assert_int_equal(scene->broken[LIVE_BREAK_HOLE], 1);
	assert_int_equal(scene->broken_channel, 9);
	assert_int_equal(scene->events, 1);
	assert_true(scene->last_ev == 2);
	pass(scene, SECOND_US, -1);
	assert_int_equal(scene->broken[LIVE_BREAK_SECOND_LOOK], 0);
	pass(scene, SECOND_US, -1);
	assert_int_equal(scene->broken[LIVE_BREAK_SECOND_LOOK], 1);
	pass(scene, 5 * SECOND_US, -1);
	assert_int_equal(scene->broken[LIVE_BREAK_SECOND_LOOK], 1);
	assert_int_equal(scene->broken[LIVE_BREAK_HOLE], 1);
}

static void
swallowed_last_event_is_repaired_within_a_heartbeat(void **state)
{
	Scene *scene = *state;

	beat_all(scene);
	scene->number[3]++;
	pass(scene, SECOND_US, -1);
	assert_int_equal(scene->broken[LIVE_BREAK_HOLE], 1);
	assert_int_equal(scene->broken_channel, 3);
	assert_true(live_tracker_is_live(scene->tracker));
}

static void
one_silent_channel_means_polling(void **state)
{
	Scene *scene = *state;

	beat_all(scene);
	pass(scene, 2900000, 40);
	assert_true(live_tracker_is_live(scene->tracker));
	pass(scene, 200000, 40);
	assert_false(live_tracker_is_live(scene->tracker));
	assert_int_equal(scene->modes, 2);

	beat(scene, 40);
	assert_true(live_tracker_is_live(scene->tracker));
	assert_int_equal(scene->broken[LIVE_BREAK_FIRST], LIVE_CHANNELS + 1);
}

static void
swallowed_heartbeats_are_nothing(void **state)
{
	Scene *scene = *state;

	beat_all(scene);
	pass(scene, 2 * SECOND_US, -1);
	memset(scene->broken, 0, sizeof(scene->broken));
	pass(scene, 1900000, 17);
	beat(scene, 17);
	pass(scene, 5 * SECOND_US, -1);
	assert_int_equal(scene->modes, 1);
	for (int i = 0; i < LIVE_BREAKS; i++)
		assert_int_equal(scene->broken[i], 0);
}

static void
short_disconnection_costs_no_repair(void **state)
{
	Scene *scene = *state;

	beat_all(scene);
	live_tracker_lost(scene->tracker);
	assert_false(live_tracker_is_live(scene->tracker));
	scene->now_us += SECOND_US;
	beat_all(scene);
	assert_true(live_tracker_is_live(scene->tracker));
	assert_int_equal(scene->broken[LIVE_BREAK_FIRST], LIVE_CHANNELS);
	assert_int_equal(scene->broken[LIVE_BREAK_HOLE], 0);
}

static void
what_was_missed_while_disconnected_is_repaired(void **state)
{
	Scene *scene = *state;

	beat_all(scene);
	live_tracker_lost(scene->tracker);
	scene->number[8] += 2;
	scene->number[20] += 1;
	beat_all(scene);
	assert_int_equal(scene->broken[LIVE_BREAK_HOLE], 2);
	assert_true(live_tracker_is_live(scene->tracker));
}

static void
restarted_reader_is_repaired_on_every_channel(void **state)
{
	Scene *scene = *state;

	beat_all(scene);
	publish(scene, 1);
	scene->incarnation++;
	memset(scene->number, 0, sizeof(scene->number));
	beat_all(scene);
	assert_int_equal(scene->broken[LIVE_BREAK_INCARNATION], LIVE_CHANNELS);
	publish(scene, 1);
	assert_int_equal(scene->events, 2);

	/* the old one wakes up */
	scene->incarnation--;
	publish(scene, 1);
	assert_int_equal(scene->events, 2);
}

static void
foreign_system_is_passed_over(void **state)
{
	Scene *scene = *state;

	live_tracker_set_system_id(scene->tracker, SYSTEM_ID + 1);
	beat_all(scene);
	publish(scene, 1);
	assert_int_equal(scene->events, 0);
	assert_int_equal(scene->modes, 0);
}

static void
flood_of_bad_frames_asks_once_until_the_second_look(void **state)
{
	Scene *scene = *state;

	for (int i = 0; i < 1000; i++)
		hear(scene, 6, (const uint8_t *) "rubbish", 7);
	assert_int_equal(scene->broken[LIVE_BREAK_BAD_FRAME], 1);
	pass(scene, 4 * SECOND_US, -1);
	assert_int_equal(scene->broken[LIVE_BREAK_SECOND_LOOK], LIVE_CHANNELS);
	hear(scene, 6, (const uint8_t *) "rubbish", 7);
	assert_int_equal(scene->broken[LIVE_BREAK_BAD_FRAME], 2);
}

static void
event_in_a_foreign_channel_is_refused(void **state)
{
	Scene *scene = *state;
	uint8_t bytes[256];
	uint8_t key[16];

	beat_all(scene);
	pass(scene, 2 * SECOND_US, -1);
	key_of(11, key);
	scene->number[12]++;
	hear(scene, 12, bytes, make(scene, 12, key, bytes));
	assert_int_equal(scene->events, 0);
	assert_int_equal(scene->broken[LIVE_BREAK_BAD_FRAME], 1);
	beat(scene, 12);
	assert_int_equal(scene->broken[LIVE_BREAK_HOLE], 1);
}

static void
channel_name_that_is_none_is_ignored(void **state)
{
	Scene *scene = *state;

	assert_false(live_tracker_hear(scene->tracker, "{chemchat:64}:live", 18,
								   "x", 1, scene->now_us));
	assert_int_equal(scene->broken[LIVE_BREAK_BAD_FRAME], 0);
}

int
main(void)
{
#define tracker_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		tracker_test(live_only_when_all_channels_were_heard),
		tracker_test(event_is_handed_on_with_its_position),
		tracker_test(hole_is_repaired_twice_and_newer_is_handed_on),
		tracker_test(swallowed_last_event_is_repaired_within_a_heartbeat),
		tracker_test(one_silent_channel_means_polling),
		tracker_test(swallowed_heartbeats_are_nothing),
		tracker_test(short_disconnection_costs_no_repair),
		tracker_test(what_was_missed_while_disconnected_is_repaired),
		tracker_test(restarted_reader_is_repaired_on_every_channel),
		tracker_test(foreign_system_is_passed_over),
		tracker_test(flood_of_bad_frames_asks_once_until_the_second_look),
		tracker_test(event_in_a_foreign_channel_is_refused),
		tracker_test(channel_name_that_is_none_is_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
