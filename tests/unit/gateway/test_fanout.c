/* uses: gateway common/daemon common/wire common/base */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "clock.h"
#include "fanout.h"

#define FRAMES_MAX 64

/* One user, one seat, and what was said to it. */
typedef struct Client
{
	Seat seat;
	Uuid id;
	char frames[FRAMES_MAX][256];
	int frame_count;
} Client;

typedef struct Scene
{
	Registry *registry;
	Fanout *fanout;
	Client alice;
	Client bob;
	Uuid general;
	int64_t now_us;
	int pulls;
	uint64_t pull_after;
	int looks;
	Uuid looked;
	int64_t look_delay_ms;
	int dirty;
} Scene;

static void
note(Seat *seat, Payload *frame)
{
	Client *client = (Client *) seat;

	assert_in_range(client->frame_count, 0, FRAMES_MAX - 1);
	snprintf(client->frames[client->frame_count++], 256, "%.*s",
			 (int) frame->len, (const char *) payload_text(frame));
}

static void
port_pull(void *arg, const Uuid *conversation_id, uint64_t after_ev)
{
	Scene *scene = arg;

	assert_true(uuid_equal(conversation_id, &scene->general));
	scene->pulls++;
	scene->pull_after = after_ev;
}

static void
port_look(void *arg, const Uuid *user_id, int64_t delay_ms)
{
	Scene *scene = arg;

	scene->looks++;
	scene->looked = *user_id;
	scene->look_delay_ms = delay_ms;
}

static void
port_deliver(void *arg, Seat *seat, Payload *frame, const Uuid *conversation_id)
{
	(void) arg;
	(void) conversation_id;
	note(seat, frame);
}

static void
port_tell(void *arg, Seat *seat, Payload *frame)
{
	(void) arg;
	note(seat, frame);
}

static void
port_dirty(void *arg)
{
	((Scene *) arg)->dirty++;
}

static void
forget_frames(Scene *scene)
{
	scene->alice.frame_count = 0;
	scene->bob.frame_count = 0;
}

/* Alice and Bob in general at ev 10, known for long. */
static int
begin(void **state)
{
	static Scene scene;
	FanoutPorts ports = { .pull = port_pull,
						  .look = port_look,
						  .deliver = port_deliver,
						  .tell = port_tell,
						  .dirty = port_dirty };
	HeadRow rows[2] = { { .has_conversation = true, .ev = 10, .seq = 7 },
						{ .has_conversation = true, .ev = 10, .seq = 7 } };
	Uuid users[2];

	memset(&scene, 0, sizeof(scene));
	scene.now_us = INT64_C(100000000);
	clock_set(scene.now_us, scene.now_us);
	scene.alice.id.byte[15] = 1;
	scene.bob.id.byte[15] = 2;
	scene.general.byte[0] = 0xc0;
	scene.registry = registry_new();
	scene.fanout = fanout_new(scene.registry, &ports, &scene);
	(void) registry_sit(scene.registry, &scene.alice.id, &scene.alice.seat);
	(void) registry_sit(scene.registry, &scene.bob.id, &scene.bob.seat);
	users[0] = rows[0].user_id = scene.alice.id;
	users[1] = rows[1].user_id = scene.bob.id;
	rows[0].conversation_id = rows[1].conversation_id = scene.general;
	(void) fanout_rows(scene.fanout, &(HeadRows){ .users = users,
												  .user_count = 2,
												  .channel = -1,
												  .asked_us = scene.now_us,
												  .rows = rows,
												  .row_count = 2 });
	scene.now_us += 10 * FANOUT_SETTLE_US;
	clock_set(scene.now_us, scene.now_us);
	assert_int_equal(scene.alice.frame_count, 1);
	assert_non_null(strstr(scene.alice.frames[0], "\"added\""));
	assert_non_null(strstr(scene.alice.frames[0], "\"ev\":10,\"seq\":7"));
	forget_frames(&scene);
	*state = &scene;
	return 0;
}

static int
end(void **state)
{
	Scene *scene = *state;

	registry_rise(scene->registry, &scene->alice.seat);
	registry_rise(scene->registry, &scene->bob.seat);
	fanout_free(&scene->fanout);
	registry_free(&scene->registry);
	clock_unset();
	return 0;
}

static void
pass(Scene *scene, int64_t us)
{
	scene->now_us += us;
	clock_set(scene->now_us, scene->now_us);
}

static void
hear_kind(Scene *scene, EventKind kind, const Uuid *user, const char *state,
		  uint64_t ev)
{
	static const Uuid message = { { 0xee } };
	char json[160];
	Event event = { .kind = kind,
					.key = scene->general.byte,
					.id = user != NULL ? user->byte : message.byte,
					.ev = ev,
					.seq = kind == EVENT_MESSAGE ? ev : 0,
					.rev = 1 };

	snprintf(json, sizeof(json), "{\"ev\":%d,\"state\":\"%s\"}", (int) ev,
			 state);
	event.json = json;
	event.json_len = (uint32_t) strlen(json);
	fanout_event(scene->fanout, &event, "1:1:0/A");
}

static void
hear(Scene *scene, uint64_t ev)
{
	hear_kind(scene, EVENT_MESSAGE, NULL, "", ev);
}

static void
answer_pull(Scene *scene, uint64_t upto, uint64_t head, const char *events)
{
	fanout_pulled(scene->fanout, &(Pulled){ .conversation_id = scene->general,
											.after_ev = scene->pull_after,
											.upto = upto,
											.head = head,
											.events = events,
											.events_len = strlen(events),
											.position = "1:1:0/B" });
}

static void
rows_say(Scene *scene, bool alice, bool bob, uint64_t ev)
{
	HeadRow rows[2] = { { .user_id = scene->alice.id },
						{ .user_id = scene->bob.id } };
	Uuid users[2] = { scene->alice.id, scene->bob.id };
	bool in[2] = { alice, bob };

	for (int i = 0; i < 2; i++)
	{
		rows[i].has_conversation = in[i];
		rows[i].conversation_id = scene->general;
		rows[i].ev = ev;
		rows[i].seq = ev;
	}
	(void) fanout_rows(scene->fanout, &(HeadRows){ .users = users,
												   .user_count = 2,
												   .channel = -1,
												   .asked_us = scene->now_us,
												   .rows = rows,
												   .row_count = 2 });
}

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
a_join_of_a_conversation_not_here_is_looked_up(void **state)
{
	Scene *scene = *state;

	rows_say(scene, false, false, 10);
	hear_kind(scene, EVENT_MEMBER, &scene->bob.id, "joined", 11);
	assert_int_equal(scene->looks, 1);
	assert_true(uuid_equal(&scene->looked, &scene->bob.id));
	assert_int_equal(scene->look_delay_ms, 0);
}

/*
 * A conversation of both is made: Alice's rows bring it here whole, before the
 * event that says Bob is in it was read.
 */
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

int
main(void)
{
#define SCENE(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		SCENE(events_of_one_turn_leave_in_one_frame),
		SCENE(what_was_heard_before_is_not_said_again),
		SCENE(nothing_passes_a_hole_until_it_is_filled),
		SCENE(an_answer_older_than_the_hole_is_asked_again),
		SCENE(a_failed_pull_is_tried_for_ever),
		SCENE(the_removed_get_what_was_before_and_nothing_after),
		SCENE(a_removal_in_a_pull_counts_from_its_place),
		SCENE(a_removal_nobody_heard_of_comes_from_the_rows),
		SCENE(an_addition_is_told_to_the_one_who_was_added),
		SCENE(rows_older_than_a_membership_event_add_nobody),
		SCENE(rows_older_than_a_join_remove_nobody),
		SCENE(rows_of_one_channel_end_memberships_of_that_channel_only),
		SCENE(an_event_that_passed_while_rows_were_read_is_pulled),
		SCENE(a_join_of_a_conversation_not_here_is_looked_up),
		SCENE(a_join_behind_what_anothers_rows_told_is_looked_up),
		SCENE(a_join_that_no_row_shows_yet_is_looked_up_again),
		SCENE(a_wide_hole_is_a_lag),
		SCENE(a_shorter_history_resets_everybody),
		SCENE(a_hint_pulls_what_is_behind_and_nothing_else),
		SCENE(the_last_member_takes_the_conversation_along),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
