/* uses: gateway common/wire common/base */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "clock.h"
#include "fanout_state.h"

#define PEOPLE 3
#define HEARD  (256 * 1024)

/* alice and bob share `lab`; alice and carol share `hall`. */
enum
{
	ALICE,
	BOB,
	CAROL
};

typedef struct Scene
{
	Registry *registry;
	FanoutState *state;
	Seat seats[PEOPLE];
	char heard[PEOPLE][HEARD]; /* everything each was given */
	int told[PEOPLE];
	Uuid people[PEOPLE];
	Uuid lab;
	Uuid hall;
	int64_t now_us;
	int asks;
	int broken;
	int asked_users;
	Uuid asked[8];
	int asked_count;
} Scene;

static Uuid
id_of(int kind, int n)
{
	Uuid id = { { (uint8_t) kind } };

	id.byte[15] = (uint8_t) n;
	return id;
}

static void
hear(Scene *scene, Seat *seat, Payload *frame)
{
	long who = seat - scene->seats;

	strncat(scene->heard[who], (const char *) payload_text(frame), frame->len);
}

static void
port_deliver(void *arg, Seat *seat, Payload *frame)
{
	hear(arg, seat, frame);
}

static void
port_tell(void *arg, Seat *seat, Payload *frame)
{
	Scene *scene = arg;

	scene->told[seat - scene->seats]++;
	hear(scene, seat, frame);
}

static void
port_ask(void *arg, const Uuid *users, int user_count,
		 const Uuid *conversations, int count)
{
	Scene *scene = arg;

	(void) users;
	scene->asks++;
	scene->asked_users = user_count;
	scene->asked_count = count;
	assert_in_range(count, 0, 8);
	memcpy(scene->asked, conversations, (size_t) count * sizeof(Uuid));
}

static void
port_broken(void *arg)
{
	((Scene *) arg)->broken++;
}

static int
begin(void **state)
{
	static Scene scene;
	FanoutStatePorts ports = { .deliver = port_deliver,
							   .tell = port_tell,
							   .ask = port_ask,
							   .broken = port_broken };

	memset(&scene, 0, sizeof(scene));
	scene.now_us = 1000000;
	clock_set(scene.now_us, scene.now_us);
	scene.registry = registry_new();
	scene.state = fanout_state_new(scene.registry, &ports, &scene);
	scene.lab = id_of(0xc0, 1);
	scene.hall = id_of(0xc0, 2);
	for (int i = 0; i < PEOPLE; i++)
	{
		User *user;

		scene.people[i] = id_of(0xa0, i);
		user = registry_sit(scene.registry, &scene.people[i], &scene.seats[i]);
		if (i != CAROL)
			(void) registry_join(scene.registry, user, &scene.lab, 1, 0);
		if (i != BOB)
			(void) registry_join(scene.registry, user, &scene.hall, 1, 0);
	}
	*state = &scene;
	return 0;
}

static int
end(void **state)
{
	Scene *scene = *state;

	for (int i = 0; i < PEOPLE; i++)
		registry_rise(scene->registry, &scene->seats[i]);
	fanout_state_free(&scene->state);
	registry_free(&scene->registry);
	clock_unset();
	return 0;
}

static void
pass(Scene *scene, int64_t us)
{
	scene->now_us += us;
	clock_set(scene->now_us, scene->now_us);
	fanout_state_tick(scene->state);
}

static void
event(Scene *scene, EventKind kind, int who, const Uuid *id, uint64_t rev,
	  const char *json)
{
	Event event = { .kind = kind,
					.key = scene->people[who].byte,
					.id = id->byte,
					.rev = rev,
					.json = json,
					.json_len = (uint32_t) strlen(json) };

	fanout_state_event(scene->state, &event);
}

static void
answer_small(Scene *scene, const Uuid *small)
{
	AudienceRow row = { .conversation_id = *small };

	fanout_state_audience(scene->state, &row, 1);
}

static void
what_is_hers_goes_to_her_alone(void **state)
{
	Scene *scene = *state;

	event(scene, EVENT_PREFERENCE, ALICE, &scene->lab, 1, "{\"n\":1}");
	event(scene, EVENT_BLOCK, ALICE, &scene->people[BOB], 1, "{\"b\":1}");
	assert_string_equal(scene->heard[ALICE], "");
	pass(scene, STATE_GATHER_US);
	assert_string_equal(
		scene->heard[ALICE],
		"{\"type\":\"state\",\"events\":[{\"n\":1},{\"b\":1}]}");
	assert_string_equal(scene->heard[BOB], "");
	assert_string_equal(scene->heard[CAROL], "");
	assert_int_equal(scene->asks, 0);
}

static void
a_cursor_goes_to_the_members_of_a_small_conversation(void **state)
{
	Scene *scene = *state;

	event(scene, EVENT_CURSOR, BOB, &scene->lab, 7, "{\"s\":7}");
	pass(scene, 0);
	assert_int_equal(scene->asked_count, 1);
	pass(scene, STATE_GATHER_US);
	assert_string_equal(scene->heard[ALICE], "");
	answer_small(scene, &scene->lab);
	assert_string_equal(scene->heard[ALICE],
						"{\"type\":\"state\",\"events\":[{\"s\":7}]}");
	assert_string_equal(scene->heard[CAROL], "");
	assert_non_null(strstr(scene->heard[BOB], "{\"s\":7}"));

	/* Known from now on. */
	scene->heard[BOB][0] = '\0';
	event(scene, EVENT_CURSOR, ALICE, &scene->lab, 8, "{\"s\":8}");
	pass(scene, STATE_GATHER_US);
	assert_int_equal(scene->asks, 1);
	assert_string_equal(scene->heard[BOB],
						"{\"type\":\"state\",\"events\":[{\"s\":8}]}");
}

static void
a_cursor_in_a_large_conversation_is_ones_own(void **state)
{
	Scene *scene = *state;

	event(scene, EVENT_CURSOR, BOB, &scene->lab, 7, "{\"s\":7}");
	pass(scene, 0);
	fanout_state_audience(scene->state, &(AudienceRow){ .has_user = false }, 0);
	pass(scene, STATE_GATHER_US);
	assert_string_equal(scene->heard[ALICE], "");
	assert_string_equal(scene->heard[BOB],
						"{\"type\":\"state\",\"events\":[{\"s\":7}]}");
	event(scene, EVENT_CURSOR, BOB, &scene->lab, 8, "{\"s\":8}");
	pass(scene, STATE_GATHER_US);
	assert_int_equal(scene->asks, 1);
	assert_string_equal(scene->heard[ALICE], "");
	assert_int_equal(fanout_state_held(scene->state), 0);
}

static void
an_unanswered_question_is_asked_again(void **state)
{
	Scene *scene = *state;

	event(scene, EVENT_CURSOR, BOB, &scene->lab, 7, "{\"s\":7}");
	event(scene, EVENT_USER, BOB, &scene->people[BOB], 2, "{\"u\":2}");
	pass(scene, 0);
	assert_int_equal(scene->asked_users, 1);
	fanout_state_audience(scene->state, NULL, 0);
	pass(scene, 1000);
	assert_int_equal(scene->asks, 1);
	pass(scene, STATE_RETRY_US);
	assert_int_equal(scene->asks, 2);
	assert_int_equal(scene->asked_users, 1);
	assert_int_equal(scene->asked_count, 1);
	answer_small(scene, &scene->lab);
	assert_non_null(strstr(scene->heard[ALICE], "{\"s\":7}"));
}

static void
who_left_meanwhile_is_told_nothing(void **state)
{
	Scene *scene = *state;
	User *alice = registry_user(scene->registry, &scene->people[ALICE]);
	Conversation *lab = registry_conversation(scene->registry, &scene->lab);

	event(scene, EVENT_CURSOR, BOB, &scene->lab, 7, "{\"s\":7}");
	pass(scene, 0);
	registry_leave(scene->registry, registry_membership(alice, lab));
	answer_small(scene, &scene->lab);
	pass(scene, STATE_GATHER_US);
	assert_string_equal(scene->heard[ALICE], "");
}

static void
a_profile_is_told_once_to_each_who_shares_something(void **state)
{
	Scene *scene = *state;
	AudienceRow rows[2] = {
		{ true, scene->people[ALICE], scene->lab },
		{ true, scene->people[ALICE], scene->hall },
	};
	User *bob = registry_user(scene->registry, &scene->people[BOB]);

	(void) registry_join(scene->registry, bob, &scene->hall, 1, 0);
	event(scene, EVENT_USER, ALICE, &scene->people[ALICE], 2, "{\"u\":2}");
	event(scene, EVENT_USER, ALICE, &scene->people[ALICE], 3, "{\"u\":3}");
	pass(scene, 0);
	fanout_state_audience(scene->state, rows, 2);
	assert_string_equal(scene->heard[BOB],
						"{\"type\":\"state\",\"events\":[{\"u\":3}]}");
	assert_string_equal(scene->heard[CAROL], scene->heard[BOB]);
	pass(scene, STATE_GATHER_US);
	assert_non_null(strstr(scene->heard[ALICE], "{\"u\":3}"));
	assert_int_equal(fanout_state_held(scene->state), 0);
}

static void
rows_do_not_repeat_what_was_heard(void **state)
{
	Scene *scene = *state;
	StateRow rows[] = {
		{ STATE_TO_USER,
		  scene->people[ALICE],
		  EVENT_PREFERENCE,
		  scene->people[ALICE],
		  scene->lab,
		  1,
		  { "{\"n\":1}", 7 } },
		{ STATE_TO_USER,
		  scene->people[ALICE],
		  EVENT_PREFERENCE,
		  scene->people[ALICE],
		  scene->hall,
		  1,
		  { "{\"n\":2}", 7 } },
		{ STATE_TO_CONVERSATION,
		  scene->hall,
		  EVENT_CURSOR,
		  scene->people[CAROL],
		  scene->hall,
		  5,
		  { "{\"s\":5}", 7 } },
		{ STATE_INVITATION,
		  scene->people[CAROL],
		  EVENT_MEMBER,
		  scene->lab,
		  scene->people[CAROL],
		  1,
		  { "", 0 } },
	};

	event(scene, EVENT_PREFERENCE, ALICE, &scene->lab, 1, "{\"n\":1}");
	pass(scene, STATE_GATHER_US);
	scene->heard[ALICE][0] = '\0';
	fanout_state_rows(scene->state, rows, 4);
	fanout_state_rows(scene->state, rows, 4);
	pass(scene, STATE_GATHER_US);
	assert_null(strstr(scene->heard[ALICE], "{\"n\":1}"));
	assert_non_null(strstr(scene->heard[ALICE], "{\"n\":2}"));
	assert_non_null(strstr(scene->heard[ALICE], "{\"s\":5}"));
	assert_non_null(strstr(scene->heard[CAROL], "\"invited\""));
	assert_int_equal(scene->told[CAROL], 1);
	assert_string_equal(scene->heard[BOB], "");
	assert_int_equal(fanout_state_counts(scene->state)->duplicates, 5);
}

static void
what_cannot_be_held_is_told_as_lost(void **state)
{
	Scene *scene = *state;
	char json[1100];

	snprintf(json, sizeof(json), "{\"pad\":\"%01000d\"}", 0);
	for (uint64_t rev = 1; rev <= STATE_FRAME_BYTES / 1000 + 2; rev++)
		event(scene, EVENT_CURSOR, CAROL, &scene->hall, rev, json);
	assert_true(fanout_state_counts(scene->state)->lost > 0);
	pass(scene, 0);
	answer_small(scene, &scene->hall);
	assert_int_equal(scene->told[ALICE], 1);
	assert_int_equal(scene->told[CAROL], 1);
	assert_int_equal(scene->told[BOB], 0);
	assert_non_null(strstr(scene->heard[ALICE], "\"isStateLost\":true"));
}

static void
too_many_profiles_come_as_rows(void **state)
{
	Scene *scene = *state;

	for (int i = 0; i <= STATE_PROFILES_MAX; i++)
	{
		Uuid stranger = id_of(0xb0 + i / 256, i % 256);
		Event profile = { .kind = EVENT_USER,
						  .key = stranger.byte,
						  .id = stranger.byte,
						  .rev = 1,
						  .json = "{}",
						  .json_len = 2 };

		fanout_state_event(scene->state, &profile);
	}
	assert_int_equal(scene->broken, 1);
	assert_int_equal(fanout_state_held(scene->state), STATE_PROFILES_MAX);
}

#define SCENE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE(what_is_hers_goes_to_her_alone),
		SCENE(a_cursor_goes_to_the_members_of_a_small_conversation),
		SCENE(a_cursor_in_a_large_conversation_is_ones_own),
		SCENE(an_unanswered_question_is_asked_again),
		SCENE(who_left_meanwhile_is_told_nothing),
		SCENE(a_profile_is_told_once_to_each_who_shares_something),
		SCENE(rows_do_not_repeat_what_was_heard),
		SCENE(what_cannot_be_held_is_told_as_lost),
		SCENE(too_many_profiles_come_as_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
