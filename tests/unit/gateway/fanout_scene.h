/*
 * fanout_scene - Alice and Bob in one conversation, and what each is told
 *
 * Time is set; what the fan-out asks for is counted and answered by the test.
 */
#ifndef CHEMCHAT_TEST_FANOUT_SCENE_H
#define CHEMCHAT_TEST_FANOUT_SCENE_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

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

static inline void
note(Seat *seat, Payload *frame)
{
	Client *client = (Client *) seat;

	assert_in_range(client->frame_count, 0, FRAMES_MAX - 1);
	snprintf(client->frames[client->frame_count++], 256, "%.*s",
			 (int) frame->len, (const char *) payload_text(frame));
}

static inline void
port_pull(void *arg, const Uuid *conversation_id, uint64_t after_ev)
{
	Scene *scene = arg;

	assert_true(uuid_equal(conversation_id, &scene->general));
	scene->pulls++;
	scene->pull_after = after_ev;
}

static inline void
port_look(void *arg, const Uuid *user_id, int64_t delay_ms)
{
	Scene *scene = arg;

	scene->looks++;
	scene->looked = *user_id;
	scene->look_delay_ms = delay_ms;
}

static inline void
port_deliver(void *arg, Seat *seat, Payload *frame, const Uuid *conversation_id)
{
	(void) arg;
	(void) conversation_id;
	note(seat, frame);
}

static inline void
port_tell(void *arg, Seat *seat, Payload *frame)
{
	(void) arg;
	note(seat, frame);
}

static inline void
port_dirty(void *arg)
{
	((Scene *) arg)->dirty++;
}

static inline void
forget_frames(Scene *scene)
{
	scene->alice.frame_count = 0;
	scene->bob.frame_count = 0;
}

/* Alice and Bob in general at ev 10, known for long. */
static inline int
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

static inline int
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

static inline void
pass(Scene *scene, int64_t us)
{
	scene->now_us += us;
	clock_set(scene->now_us, scene->now_us);
}

static inline void
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

static inline void
hear(Scene *scene, uint64_t ev)
{
	hear_kind(scene, EVENT_MESSAGE, NULL, "", ev);
}

static inline void
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

static inline void
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

#endif
