/* uses: gateway common/wire common/base */
#include "live_channel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "redis_keys.h"

#define SECOND_US 1000000

static LiveStamp
events(uint64_t incarnation, uint64_t number)
{
	return (LiveStamp){ .timeline = 1,
						.system_id = 7,
						.incarnation = incarnation,
						.number = number };
}

static LiveStamp
heartbeat(uint64_t incarnation, uint64_t number)
{
	LiveStamp stamp = events(incarnation, number);

	stamp.is_heartbeat = true;
	return stamp;
}

static void
expect(LiveChannel *channel, LiveStamp stamp, LiveVerdict verdict)
{
	assert_int_equal(live_channel_hear(channel, &stamp, 0), verdict);
}

static void
first_frame_asks_for_a_repair(void **state)
{
	LiveChannel channel;

	(void) state;
	live_channel_init(&channel);
	expect(&channel, events(10, 41), LIVE_NEW_READER);
	expect(&channel, events(10, 42), LIVE_DELIVER);
	expect(&channel, heartbeat(10, 42), LIVE_DELIVER);
}

static void
swallowed_frame_is_noticed_by_the_next(void **state)
{
	LiveChannel channel;

	(void) state;
	live_channel_init(&channel);
	expect(&channel, heartbeat(10, 0), LIVE_NEW_READER);
	expect(&channel, events(10, 1), LIVE_DELIVER);
	expect(&channel, events(10, 3), LIVE_GAP);
	expect(&channel, events(10, 4), LIVE_DELIVER);
}

static void
swallowed_last_frame_is_noticed_by_the_heartbeat(void **state)
{
	LiveChannel channel;

	(void) state;
	live_channel_init(&channel);
	expect(&channel, heartbeat(10, 5), LIVE_NEW_READER);
	expect(&channel, heartbeat(10, 6), LIVE_GAP);
	expect(&channel, heartbeat(10, 6), LIVE_DELIVER);
	expect(&channel, events(10, 7), LIVE_DELIVER);
}

static void
repetition_and_late_frame_are_passed_over(void **state)
{
	LiveChannel channel;

	(void) state;
	live_channel_init(&channel);
	expect(&channel, events(10, 1), LIVE_NEW_READER);
	expect(&channel, events(10, 1), LIVE_DUPLICATE);
	expect(&channel, events(10, 3), LIVE_GAP);
	expect(&channel, events(10, 2), LIVE_DUPLICATE);
	expect(&channel, heartbeat(10, 2), LIVE_DUPLICATE);
	expect(&channel, events(10, 4), LIVE_DELIVER);
}

static void
new_reader_asks_for_a_repair_and_the_old_one_is_stale(void **state)
{
	LiveChannel channel;

	(void) state;
	live_channel_init(&channel);
	expect(&channel, events(10, 8), LIVE_NEW_READER);
	expect(&channel, heartbeat(11, 0), LIVE_NEW_READER);
	expect(&channel, events(10, 9), LIVE_STALE);
	expect(&channel, events(11, 1), LIVE_DELIVER);
}

static void
stale_reader_is_no_sign_of_life(void **state)
{
	LiveChannel channel;
	LiveStamp now = events(11, 1);
	LiveStamp old = heartbeat(10, 5);

	(void) state;
	live_channel_init(&channel);
	live_channel_hear(&channel, &now, 0);
	live_channel_hear(&channel, &old, 2 * SECOND_US);
	assert_false(live_channel_is_alive(&channel, LIVE_SILENCE_MS * 1000));
	assert_true(live_channel_expire(&channel, LIVE_SILENCE_MS * 1000));

	/* forgotten: the lower incarnation is now taken as it comes */
	expect(&channel, old, LIVE_NEW_READER);
}

static void
other_timeline_is_another_history(void **state)
{
	LiveChannel channel;
	LiveStamp promoted = events(11, 1);
	LiveStamp foreign = events(9, 4);

	(void) state;
	live_channel_init(&channel);
	expect(&channel, events(10, 8), LIVE_NEW_READER);
	promoted.timeline = 2;
	expect(&channel, promoted, LIVE_NEW_HISTORY);
	foreign.system_id = 8;
	expect(&channel, foreign, LIVE_NEW_HISTORY);
}

static void
silence_of_three_seconds_is_told_once(void **state)
{
	LiveChannel channel;
	LiveStamp stamp = heartbeat(10, 5);

	(void) state;
	live_channel_init(&channel);
	assert_false(live_channel_expire(&channel, 100 * SECOND_US));
	live_channel_hear(&channel, &stamp, 0);
	assert_true(live_channel_is_alive(&channel, 2999999));
	assert_false(live_channel_expire(&channel, 2999999));
	assert_true(live_channel_expire(&channel, 3 * SECOND_US));
	assert_false(live_channel_is_alive(&channel, 3 * SECOND_US));
	assert_false(live_channel_expire(&channel, 9 * SECOND_US));
	expect(&channel, stamp, LIVE_NEW_READER);
}

static void
lost_connection_keeps_the_numbers(void **state)
{
	LiveChannel channel;

	(void) state;
	live_channel_init(&channel);
	expect(&channel, events(10, 5), LIVE_NEW_READER);
	live_channel_unheard(&channel);
	assert_false(live_channel_is_alive(&channel, 0));
	expect(&channel, heartbeat(10, 5), LIVE_DELIVER);
	assert_true(live_channel_is_alive(&channel, 0));
	live_channel_unheard(&channel);
	expect(&channel, heartbeat(10, 6), LIVE_GAP);
}

/* What is between a publisher and us in the property test. */
typedef struct Wire
{
	uint64_t random;
	uint64_t incarnation;
	uint64_t number;
	int64_t now_us;
	int unreported;     /* lost frames nobody was told of */
	uint64_t delivered; /* highest number delivered */
} Wire;

static uint32_t
draw(Wire *wire, uint32_t bound)
{
	wire->random ^= wire->random << 13;
	wire->random ^= wire->random >> 7;
	wire->random ^= wire->random << 17;
	return (uint32_t) (wire->random % bound);
}

static void
carry(Wire *wire, LiveChannel *channel, LiveStamp stamp)
{
	LiveVerdict verdict = live_channel_hear(channel, &stamp, wire->now_us);

	switch (verdict)
	{
		case LIVE_DELIVER:
			assert_int_equal(wire->unreported, 0);
			break;
		case LIVE_GAP:
			assert_true(wire->unreported > 0);
			wire->unreported = 0;
			break;
		case LIVE_NEW_READER:
			wire->unreported = 0;
			wire->delivered = 0;
			break;
		case LIVE_DUPLICATE:
			assert_true(stamp.number <= wire->delivered);
			return;
		case LIVE_STALE:
			assert_true(stamp.incarnation < wire->incarnation);
			return;
		case LIVE_NEW_HISTORY:
		default:
			fail();
	}
	if (!stamp.is_heartbeat)
		assert_true(stamp.number > wire->delivered);
	wire->delivered = stamp.number;
}

/*
 * Frames are lost, repeated and overtaken, readers restarted, heartbeats
 * lost: nothing is delivered as whole while a loss was not told, no loss is
 * told that was none, nothing is delivered twice, and after any heartbeat all
 * losses before it are told.
 */
static void
any_loss_is_told_by_the_next_frame(void **state)
{
	(void) state;
	for (uint64_t seed = 1; seed <= 300; seed++)
	{
		Wire wire = { .random = seed * 0x9E3779B97F4A7C15ULL,
					  .incarnation = 100 };
		LiveChannel channel;

		live_channel_init(&channel);
		carry(&wire, &channel, heartbeat(wire.incarnation, 0));
		for (int i = 0; i < 500; i++)
		{
			LiveStamp stamp;

			wire.now_us += 10000;
			if (draw(&wire, 100) == 0)
			{
				wire.incarnation += 1 + draw(&wire, 5);
				wire.number = 0;
				/* the old reader's last frames may be lost: repaired anyway */
				wire.unreported = 0;
				carry(&wire, &channel, heartbeat(wire.incarnation, 0));
				carry(&wire, &channel,
					  events(wire.incarnation - 1, 1 + draw(&wire, 900)));
			}
			stamp = events(wire.incarnation, ++wire.number);
			if (draw(&wire, 10) == 0)
				wire.unreported++;
			else
				carry(&wire, &channel, stamp);
			if (draw(&wire, 10) == 0 && wire.unreported == 0)
				carry(&wire, &channel, stamp);
			if (draw(&wire, 10) == 0 && wire.delivered > 0)
				carry(&wire, &channel,
					  events(wire.incarnation,
							 1 + draw(&wire, (uint32_t) wire.delivered)));
			if (i % 20 == 0)
			{
				carry(&wire, &channel,
					  heartbeat(wire.incarnation, wire.number));
				assert_int_equal(wire.unreported, 0);
			}
			assert_false(live_channel_expire(&channel, wire.now_us));
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_frame_asks_for_a_repair),
		cmocka_unit_test(swallowed_frame_is_noticed_by_the_next),
		cmocka_unit_test(swallowed_last_frame_is_noticed_by_the_heartbeat),
		cmocka_unit_test(repetition_and_late_frame_are_passed_over),
		cmocka_unit_test(new_reader_asks_for_a_repair_and_the_old_one_is_stale),
		cmocka_unit_test(stale_reader_is_no_sign_of_life),
		cmocka_unit_test(other_timeline_is_another_history),
		cmocka_unit_test(silence_of_three_seconds_is_told_once),
		cmocka_unit_test(lost_connection_keeps_the_numbers),
		cmocka_unit_test(any_loss_is_told_by_the_next_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
