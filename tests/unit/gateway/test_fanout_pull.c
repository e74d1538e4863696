/* uses: gateway common/daemon common/wire common/base */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fanout_scene.h"

static void
nothing_passes_a_hole_until_it_is_filled(void **state)
{
	Scene *scene = *state;

	hear(scene, 12);
	hear(scene, 13);
	fanout_flush(scene->fanout);
	assert_int_equal(scene->bob.frame_count, 0);
	assert_int_equal(scene->pulls, 1);
	assert_int_equal(scene->pull_after, 10);
	answer_pull(scene, 13, 13, "[{\"ev\":11},{\"ev\":12},{\"ev\":13}]");
	fanout_flush(scene->fanout);
	assert_int_equal(scene->bob.frame_count, 1);
	assert_non_null(
		strstr(scene->bob.frames[0], "[{\"ev\":11},{\"ev\":12},{\"ev\":13}]"));
	hear(scene, 14);
	fanout_flush(scene->fanout);
	assert_int_equal(scene->bob.frame_count, 2);
	assert_int_equal(scene->pulls, 1);
}

static void
an_answer_older_than_the_hole_is_asked_again(void **state)
{
	Scene *scene = *state;

	hear(scene, 12);
	answer_pull(scene, 11, 11, "[{\"ev\":11}]");
	assert_int_equal(scene->pulls, 2); /* it brought us on: at once */
	assert_int_equal(scene->pull_after, 11);
	answer_pull(scene, 11, 11, "[]");
	assert_int_equal(scene->pulls, 2); /* it did not: after a pause */
	pass(scene, 10000);
	fanout_tick(scene->fanout);
	assert_int_equal(scene->pulls, 3);
	answer_pull(scene, 12, 12, "[{\"ev\":12}]");
	fanout_flush(scene->fanout);
	assert_int_equal(scene->bob.frame_count, 1);
}

static void
a_failed_pull_is_tried_for_ever(void **state)
{
	Scene *scene = *state;

	hear(scene, 12);
	for (int i = 1; i < 50; i++)
	{
		assert_int_equal(scene->pulls, i);
		fanout_pulled(scene->fanout,
					  &(Pulled){ .conversation_id = scene->general,
								 .after_ev = scene->pull_after,
								 .is_failed = true,
								 .events = "[]",
								 .events_len = 2,
								 .position = "" });
		pass(scene, 600000);
		fanout_tick(scene->fanout);
	}
	answer_pull(scene, 12, 12, "[{\"ev\":11},{\"ev\":12}]");
	fanout_flush(scene->fanout);
	assert_int_equal(scene->bob.frame_count, 1);
}

static void
a_removal_in_a_pull_counts_from_its_place(void **state)
{
	Scene *scene = *state;

	hear(scene, 14);
	answer_pull(
		scene, 14, 14,
		"[{\"kind\":\"message\",\"ev\":11,\"seq\":8},"
		"{\"kind\":\"member\",\"ev\":12,\"userId\":"
		"\"00000000-0000-0000-0000-000000000002\",\"state\":\"removed\"},"
		"{\"kind\":\"message\",\"ev\":13,\"seq\":9},"
		"{\"kind\":\"message\",\"ev\":14,\"seq\":10}]");
	fanout_flush(scene->fanout);
	assert_int_equal(scene->bob.frame_count, 2);
	assert_non_null(strstr(scene->bob.frames[0], "\"ev\":11"));
	assert_null(strstr(scene->bob.frames[0], "\"ev\":13"));
	assert_non_null(strstr(scene->bob.frames[1], "\"removed\""));
}

static void
an_event_that_passed_while_rows_were_read_is_pulled(void **state)
{
	Scene *scene = *state;

	rows_say(scene, false, false, 10); /* general is nobody's now */
	assert_null(registry_conversation(scene->registry, &scene->general));
	hear(scene, 11);
	rows_say(scene, false, true, 10);
	assert_int_equal(scene->pulls, 1);
	assert_int_equal(scene->pull_after, 10);
	answer_pull(scene, 11, 11, "[{\"ev\":11}]");
	fanout_flush(scene->fanout);
	assert_non_null(
		strstr(scene->bob.frames[scene->bob.frame_count - 1], "\"ev\":11"));
}

static void
a_wide_hole_is_a_lag(void **state)
{
	Scene *scene = *state;

	hear(scene, 10 + FANOUT_PULL_MAX + 1);
	assert_int_equal(scene->pulls, 0);
	assert_non_null(strstr(scene->bob.frames[0], "\"type\":\"lag\""));
	assert_int_equal(scene->looks, 2);
	hear(scene, 10 + FANOUT_PULL_MAX + 2);
	fanout_flush(scene->fanout);
	assert_int_equal(scene->bob.frame_count, 2);
}

static void
a_shorter_history_resets_everybody(void **state)
{
	Scene *scene = *state;

	rows_say(scene, true, true, 11);
	fanout_pulled(scene->fanout, &(Pulled){ .conversation_id = scene->general,
											.after_ev = 10,
											.is_reset = true,
											.head = 4,
											.events = "[]",
											.events_len = 2,
											.position = "1:2:0/1" });
	assert_string_equal(scene->bob.frames[0],
						"{\"type\":\"reset\",\"position\":\"1:2:0/1\"}");
	hear(scene, 5);
	fanout_flush(scene->fanout);
	assert_int_equal(scene->bob.frame_count, 2);
}

static void
a_hint_pulls_what_is_behind_and_nothing_else(void **state)
{
	Scene *scene = *state;
	Uuid elsewhere = { { 7 } };

	fanout_hint(scene->fanout, &scene->general, 10);
	fanout_hint(scene->fanout, &elsewhere, 99);
	assert_int_equal(scene->pulls, 0);
	fanout_hint(scene->fanout, &scene->general, 11);
	fanout_hint(scene->fanout, &scene->general, 12);
	assert_int_equal(scene->pulls, 1);
	answer_pull(scene, 11, 11, "[{\"ev\":11}]");
	assert_int_equal(scene->pulls, 2);
}

static void
the_last_member_takes_the_conversation_along(void **state)
{
	Scene *scene = *state;

	hear(scene, 11);
	hear(scene, 13);
	assert_int_equal(scene->pulls, 1);
	registry_rise(scene->registry, &scene->alice.seat);
	registry_rise(scene->registry, &scene->bob.seat);
	fanout_flush(scene->fanout);
	assert_int_equal(scene->bob.frame_count, 0);
	hear(scene, 12);
	answer_pull(scene, 12, 12, "[{\"ev\":12}]");
	fanout_flush(scene->fanout);
	assert_int_equal(scene->bob.frame_count, 0);
}

static void
what_changed_again_beyond_the_window_is_no_hole(void **state)
{
	Scene *scene = *state;

	/* 11 and 12 are edits that 20 made anew: the window brings neither */
	hear(scene, 20);
	assert_int_equal(scene->pull_after, 10);
	answer_pull(scene, 12, 20, "[]");
	assert_int_equal(scene->pulls, 2);
	assert_int_equal(scene->pull_after, 12);
	answer_pull(scene, 20, 20, "[{\"ev\":15},{\"ev\":20}]");
	assert_int_equal(scene->pulls, 2);
	fanout_flush(scene->fanout);
	assert_int_equal(scene->bob.frame_count, 1);
	hear(scene, 21);
	fanout_flush(scene->fanout);
	assert_int_equal(scene->bob.frame_count, 2);
	assert_int_equal(scene->pulls, 2);
}

int
main(void)
{
#define SCENE(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		SCENE(nothing_passes_a_hole_until_it_is_filled),
		SCENE(an_answer_older_than_the_hole_is_asked_again),
		SCENE(a_failed_pull_is_tried_for_ever),
		SCENE(a_removal_in_a_pull_counts_from_its_place),
		SCENE(an_event_that_passed_while_rows_were_read_is_pulled),
		SCENE(a_wide_hole_is_a_lag),
		SCENE(a_shorter_history_resets_everybody),
		SCENE(a_hint_pulls_what_is_behind_and_nothing_else),
		SCENE(the_last_member_takes_the_conversation_along),
		SCENE(what_changed_again_beyond_the_window_is_no_hole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
