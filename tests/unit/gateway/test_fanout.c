/* uses: gateway common/daemon common/wire common/base */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fanout_scene.h"

static void
events_of_one_turn_leave_in_one_frame(void **state)
{
	Scene *scene = *state;

	hear(scene, 11);
	hear(scene, 12);
	hear(scene, 13);
	assert_int_equal(scene->bob.frame_count, 0);
	assert_int_equal(scene->dirty, 1);
	fanout_flush(scene->fanout);
	assert_int_equal(scene->bob.frame_count, 1);
	assert_int_equal(scene->alice.frame_count, 1);
	assert_string_equal(
		scene->bob.frames[0],
		"{\"type\":\"events\",\"conversationId\":"
		"\"c0000000-0000-0000-0000-000000000000\",\"events\":["
		"{\"ev\":11,\"state\":\"\"},{\"ev\":12,\"state\":\"\"},"
		"{\"ev\":13,\"state\":\"\"}],\"position\":\"1:1:0/A\"}");
	fanout_flush(scene->fanout);
	assert_int_equal(scene->bob.frame_count, 1);
}

static void
what_was_heard_before_is_not_said_again(void **state)
{
	Scene *scene = *state;

	hear(scene, 11);
	hear(scene, 11);
	hear(scene, 9);
	fanout_flush(scene->fanout);
	hear(scene, 10);
	hear(scene, 11);
	fanout_flush(scene->fanout);
	assert_int_equal(scene->bob.frame_count, 1);
	assert_null(strstr(scene->bob.frames[0], "11,\"state\":\"\"},"));
	assert_int_equal(scene->pulls, 0);
}

static void
the_removed_get_what_was_before_and_nothing_after(void **state)
{
	Scene *scene = *state;

	hear(scene, 11);
	hear_kind(scene, EVENT_MEMBER, &scene->bob.id, "removed", 12);
	hear(scene, 13);
	fanout_flush(scene->fanout);
	assert_int_equal(scene->bob.frame_count, 2);
	assert_non_null(strstr(scene->bob.frames[0], "\"ev\":11"));
	assert_null(strstr(scene->bob.frames[0], "\"ev\":12"));
	assert_non_null(strstr(scene->bob.frames[1], "\"type\":\"removed\""));
	assert_int_equal(scene->alice.frame_count, 2);
	assert_non_null(strstr(scene->alice.frames[1], "\"ev\":13"));
	hear(scene, 14);
	fanout_flush(scene->fanout);
	assert_int_equal(scene->bob.frame_count, 2);
}

static void
a_removal_nobody_heard_of_comes_from_the_rows(void **state)
{
	Scene *scene = *state;

	rows_say(scene, true, false, 12);
	assert_int_equal(scene->bob.frame_count, 1);
	assert_non_null(strstr(scene->bob.frames[0], "\"removed\""));
	assert_int_equal(scene->pulls, 1);
	answer_pull(scene, 12, 12, "[{\"ev\":11},{\"ev\":12}]");
	fanout_flush(scene->fanout);
	assert_int_equal(scene->alice.frame_count, 1);
	assert_int_equal(scene->bob.frame_count, 1);
}

static void
an_addition_is_told_to_the_one_who_was_added(void **state)
{
	Scene *scene = *state;

	rows_say(scene, true, false, 10);
	forget_frames(scene);
	hear(scene, 11);
	hear_kind(scene, EVENT_MEMBER, &scene->bob.id, "joined", 12);
	hear(scene, 13);
	fanout_flush(scene->fanout);
	assert_non_null(strstr(scene->bob.frames[0], "\"added\""));
	assert_non_null(strstr(scene->bob.frames[0], "\"ev\":12,\"seq\":11"));
	assert_non_null(strstr(scene->bob.frames[1], "\"ev\":13"));
}

static void
rows_older_than_a_membership_event_add_nobody(void **state)
{
	Scene *scene = *state;

	hear_kind(scene, EVENT_MEMBER, &scene->bob.id, "removed", 11);
	fanout_flush(scene->fanout);
	forget_frames(scene);
	rows_say(scene, true, true, 10); /* read before the removal */
	hear(scene, 12);
	fanout_flush(scene->fanout);
	assert_int_equal(scene->bob.frame_count, 0);
	assert_int_equal(scene->looks, 1);
	assert_true(uuid_equal(&scene->looked, &scene->bob.id));
	rows_say(scene, true, true, 12); /* added again since */
	assert_int_equal(scene->bob.frame_count, 1);
}

static void
rows_older_than_a_join_remove_nobody(void **state)
{
	Scene *scene = *state;

	rows_say(scene, true, false, 10);
	hear_kind(scene, EVENT_MEMBER, &scene->bob.id, "joined", 11);
	forget_frames(scene);
	rows_say(scene, true, false, 10);
	assert_int_equal(scene->bob.frame_count, 0);
	assert_int_equal(scene->looks, 1);
	assert_true(scene->look_delay_ms * 1000 >= FANOUT_SETTLE_US);
	pass(scene, 2 * FANOUT_SETTLE_US);
	rows_say(scene, true, false, 12);
	fanout_flush(scene->fanout);
	assert_non_null(
		strstr(scene->bob.frames[scene->bob.frame_count - 1], "\"removed\""));
}

static void
rows_of_one_channel_end_memberships_of_that_channel_only(void **state)
{
	Scene *scene = *state;
	Conversation *general =
		registry_conversation(scene->registry, &scene->general);
	HeadRows none = { .users = &scene->bob.id,
					  .user_count = 1,
					  .channel = (general->channel + 1) % 64,
					  .asked_us = scene->now_us };

	(void) fanout_rows(scene->fanout, &none);
	assert_int_equal(scene->bob.frame_count, 0);
	none.channel = general->channel;
	(void) fanout_rows(scene->fanout, &none);
	assert_int_equal(scene->bob.frame_count, 1);
}

static void
a_join_of_a_conversation_not_here_is_looked_up(void **state)
{
	Scene *scene = *state;

	rows_say(scene, false, false, 10);
	hear_kind(scene, EVENT_MEMBER, &scene->bob.id, "joined", 11);
	assert_int_equal(scene->looks, 1);
	assert_true(uuid_equal(&scene->looked, &scene->bob.id));
	assert_int_equal(scene->look_delay_ms, 0);
}

/* Alice's rows bring it here whole, before the event of Bob's was read. */
static void
a_join_behind_what_anothers_rows_told_is_looked_up(void **state)
{
	Scene *scene = *state;

	rows_say(scene, false, false, 10);
	hear_kind(scene, EVENT_MEMBER, &scene->alice.id, "joined", 11);
	assert_int_equal(scene->looks, 1);
	fanout_rows(scene->fanout,
				&(HeadRows){ .users = &scene->alice.id,
							 .user_count = 1,
							 .channel = -1,
							 .asked_us = scene->now_us,
							 .rows =
								 &(HeadRow){ .user_id = scene->alice.id,
											 .has_conversation = true,
											 .conversation_id = scene->general,
											 .ev = 12,
											 .seq = 0 },
							 .row_count = 1 });
	pass(scene, 1);
	scene->looks = 0;
	hear_kind(scene, EVENT_MEMBER, &scene->alice.id, "joined", 11);
	assert_int_equal(scene->looks, 0); /* she is in it */
	hear_kind(scene, EVENT_MEMBER, &scene->bob.id, "joined", 12);
	assert_int_equal(scene->looks, 1);
	assert_true(uuid_equal(&scene->looked, &scene->bob.id));
	forget_frames(scene);
	rows_say(scene, true, true, 12);
	assert_non_null(strstr(scene->bob.frames[0], "\"added\""));
}

/* It was decoded before its transaction was visible to others. */
static void
a_join_that_no_row_shows_yet_is_looked_up_again(void **state)
{
	Scene *scene = *state;

	rows_say(scene, false, false, 10);
	hear_kind(scene, EVENT_MEMBER, &scene->bob.id, "joined", 11);
	for (int64_t waited_ms = 0; waited_ms < FANOUT_SETTLE_US / 1000;
		 waited_ms += scene->look_delay_ms)
	{
		rows_say(scene, false, false, 10);
		assert_true(scene->look_delay_ms <= FANOUT_AGAIN_MS + waited_ms);
		pass(scene, scene->look_delay_ms * 1000);
	}
	assert_in_range(scene->looks, 6, 25);
	pass(scene, FANOUT_SETTLE_US);
	forget_frames(scene);
	rows_say(scene, false, true, 11);
	assert_non_null(strstr(scene->bob.frames[0], "\"added\""));
}

int
main(void)
{
#define SCENE(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		SCENE(events_of_one_turn_leave_in_one_frame),
		SCENE(what_was_heard_before_is_not_said_again),
		SCENE(the_removed_get_what_was_before_and_nothing_after),
		SCENE(a_removal_nobody_heard_of_comes_from_the_rows),
		SCENE(an_addition_is_told_to_the_one_who_was_added),
		SCENE(rows_older_than_a_membership_event_add_nobody),
		SCENE(rows_older_than_a_join_remove_nobody),
		SCENE(rows_of_one_channel_end_memberships_of_that_channel_only),
		SCENE(a_join_of_a_conversation_not_here_is_looked_up),
		SCENE(a_join_behind_what_anothers_rows_told_is_looked_up),
		SCENE(a_join_that_no_row_shows_yet_is_looked_up_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
