/* uses: gateway common/daemon common/wire common/base */
/*
 * A small world: a database with conversations whose members come and go, a
 * wire that loses, doubles and delays events, questions that are answered late
 * and from older snapshots, users who disconnect and come back.  Whatever
 * happens, each client is told a history it can trust.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "clock.h"
#include "event_json.h"
#include "fanout.h"
#include "property.h"

#define USERS         4
#define CONVERSATIONS 3
#define EVENTS_MAX    4000
#define ASKS_MAX      256
#define WIRE_MAX      64

typedef struct Entry
{
	int user; /* -1: a message */
	bool is_joined;
} Entry;

/* Entries are at ev 1..count. */
typedef struct Chat
{
	Entry entries[EVENTS_MAX + 1];
	int count;
} Chat;

/* What a client believes of one conversation. */
typedef struct View
{
	bool is_member;
	int ev;
} View;

typedef struct Client
{
	Seat seat;
	bool is_seated;
	View views[CONVERSATIONS];
} Client;

typedef struct Ask
{
	bool is_pull;
	int what; /* conversation or user */
	uint64_t after_ev;
	int64_t asked_us;
	int64_t due_us;
	int heads[CONVERSATIONS]; /* of the snapshot; -1: taken when answered */
} Ask;

typedef struct World
{
	Random random;
	Registry *registry;
	Fanout *fanout;
	Chat chats[CONVERSATIONS];
	Client clients[USERS];
	Ask asks[ASKS_MAX];
	int ask_count;
	struct
	{
		int conversation;
		int ev;
	} wire[WIRE_MAX];
	int wire_count;
	int64_t now_us;
	int delivered;
} World;

static World world;

static Uuid
conversation_id(int c)
{
	Uuid id = { { 0xc0 } };

	id.byte[15] = (uint8_t) c;
	return id;
}

static Uuid
user_id(int u)
{
	Uuid id = { { 0xa0 } };

	id.byte[15] = (uint8_t) u;
	return id;
}

/* Is the user a member after that ev? */
static bool
is_member_at(const Chat *chat, int user, int ev)
{
	for (int i = ev; i > 0; i--)
	{
		if (chat->entries[i].user == user)
			return chat->entries[i].is_joined;
	}
	return false;
}

/* Has the entity of this ev a later one, up to `head`? */
static bool
is_superseded(const Chat *chat, int ev, int head)
{
	for (int i = ev + 1; chat->entries[ev].user >= 0 && i <= head; i++)
	{
		if (chat->entries[i].user == chat->entries[ev].user)
			return true;
	}
	return false;
}

static size_t
write_event(char *out, size_t size, int c, int ev)
{
	const Entry *entry = &world.chats[c].entries[ev];
	char text[UUID_TEXT_LEN + 1];
	Uuid id;

	if (entry->user < 0)
		return (size_t) snprintf(out, size,
								 "{\"kind\":\"message\",\"ev\":%d,\"seq\":%d}",
								 ev, ev);
	id = user_id(entry->user);
	return (size_t) snprintf(
		out, size,
		"{\"kind\":\"member\",\"ev\":%d,\"userId\":\"%s\",\"state\":\"%s\"}",
		ev, uuid_format(&id, text), entry->is_joined ? "joined" : "removed");
}

static int
conversation_of(Slice object)
{
	Slice text;
	Uuid id;

	assert_true(event_json_field(object, "conversationId", &text));
	assert_true(uuid_parse(text.at, text.len, &id));
	return id.byte[15];
}

/* A client reads a frame, and believes nothing that it may not. */
static void
read_frame(Client *client, Payload *payload)
{
	int user = (int) (client - world.clients);
	Slice frame = { (const char *) payload_text(payload), payload->len };
	uint64_t number;
	Slice list;
	Slice event;
	bool is_bad;
	View *view;
	Chat *chat;

	if (event_json_is(frame, "type", "lag"))
		fail_msg("no hole here is wide enough for a lag");
	view = &client->views[conversation_of(frame)];
	chat = &world.chats[conversation_of(frame)];
	if (event_json_is(frame, "type", "added"))
	{
		assert_true(event_json_number(frame, "ev", &number));
		assert_false(view->is_member);
		view->is_member = true;
		view->ev = (int) number;
		return;
	}
	if (event_json_is(frame, "type", "removed"))
	{
		assert_true(view->is_member);
		view->is_member = false;
		return;
	}
	assert_true(event_json_is(frame, "type", "events"));
	assert_true(event_json_field(frame, "events", &list));
	while (event_json_next(&list, &event, &is_bad))
	{
		assert_true(view->is_member);
		assert_true(event_json_number(event, "ev", &number));
		if ((int) number <= view->ev)
		{
			/* Only what the turn had gathered before `added`. */
			continue;
		}
		for (int ev = view->ev + 1; ev < (int) number; ev++)
		{
			if (!is_superseded(chat, ev, chat->count))
				fail_msg("user %d: ev %d after %d", user, (int) number,
						 view->ev);
		}
		view->ev = (int) number;
		if (!is_member_at(chat, user, (int) number))
		{
			bool is_back = false;

			for (int ev = (int) number + 1; ev <= chat->count; ev++)
				is_back = is_back || (chat->entries[ev].user == user &&
									  chat->entries[ev].is_joined);
			if (!is_back)
				fail_msg("user %d saw ev %d after the removal", user,
						 (int) number);
		}
		world.delivered++;
	}
	assert_false(is_bad);
}

static void
add_ask(Ask *ask, int64_t delay_us)
{
	bool is_early = random_below(&world.random, 2) == 0;

	assert_in_range(world.ask_count, 0, ASKS_MAX - 1);
	ask->asked_us = world.now_us;
	ask->due_us = world.now_us + delay_us;
	for (int c = 0; c < CONVERSATIONS; c++)
		ask->heads[c] = is_early && delay_us == 0 ? world.chats[c].count : -1;
	world.asks[world.ask_count++] = *ask;
}

static void
port_pull(void *arg, const Uuid *id, uint64_t after_ev)
{
	Ask ask = { .is_pull = true, .what = id->byte[15], .after_ev = after_ev };

	(void) arg;
	add_ask(&ask, 0);
}

static void
port_look(void *arg, const Uuid *id, int64_t delay_ms)
{
	Ask ask = { .is_pull = false, .what = id->byte[15] };

	(void) arg;
	for (int i = 0; i < world.ask_count; i++)
	{
		if (!world.asks[i].is_pull && world.asks[i].what == ask.what &&
			world.asks[i].due_us > world.now_us)
			return; /* as the roster: one that waits serves all */
	}
	add_ask(&ask, delay_ms * 1000);
}

static void
port_deliver(void *arg, Seat *seat, Payload *frame, const Uuid *id)
{
	(void) arg;
	(void) id;
	read_frame((Client *) seat, frame);
}

static void
port_tell(void *arg, Seat *seat, Payload *frame)
{
	(void) arg;
	read_frame((Client *) seat, frame);
}

static void
port_dirty(void *arg)
{
	(void) arg;
}

static void
answer_pull(const Ask *ask)
{
	static char events[64 * 1024];
	Chat *chat = &world.chats[ask->what];
	int head = ask->heads[ask->what] < 0 ? chat->count : ask->heads[ask->what];
	int upto =
		head < (int) ask->after_ev + 20 ? head : (int) ask->after_ev + 20;
	size_t len = 1;

	events[0] = '[';
	for (int ev = (int) ask->after_ev + 1; ev <= upto; ev++)
	{
		if (is_superseded(chat, ev, head))
			continue;
		if (len > 1)
			events[len++] = ',';
		len += write_event(events + len, sizeof(events) - len, ask->what, ev);
	}
	events[len++] = ']';
	fanout_pulled(world.fanout,
				  &(Pulled){ .conversation_id = conversation_id(ask->what),
							 .after_ev = ask->after_ev,
							 .is_failed = random_below(&world.random, 8) == 0,
							 .upto = (uint64_t) upto,
							 .head = (uint64_t) head,
							 .events = events,
							 .events_len = len,
							 .position = "1:1:0/1" });
}

/* Rows of one user, or of all (-1), as of a snapshot. */
static void
answer_rows(int only, const int *heads, int64_t asked_us)
{
	HeadRow rows[USERS * CONVERSATIONS];
	Uuid users[USERS];
	HeadRows answer = { .users = users, .channel = -1, .asked_us = asked_us };

	answer.rows = rows;
	for (int u = 0; u < USERS; u++)
	{
		if (only >= 0 && u != only)
			continue;
		users[answer.user_count++] = user_id(u);
		for (int c = 0; c < CONVERSATIONS; c++)
		{
			int head = heads[c] < 0 ? world.chats[c].count : heads[c];

			if (!is_member_at(&world.chats[c], u, head))
				continue;
			rows[answer.row_count++] =
				(HeadRow){ .user_id = user_id(u),
						   .conversation_id = conversation_id(c),
						   .has_conversation = true,
						   .ev = (uint64_t) head,
						   .seq = (uint64_t) head };
		}
	}
	(void) fanout_rows(world.fanout, &answer);
}

static void
answer_one(void)
{
	int at;
	Ask ask;

	if (world.ask_count == 0)
		return;
	at = (int) random_below(&world.random, (uint64_t) world.ask_count);
	if (world.asks[at].due_us > world.now_us)
		return;
	ask = world.asks[at];
	world.asks[at] = world.asks[--world.ask_count];
	if (ask.is_pull)
		answer_pull(&ask);
	else
		answer_rows(ask.what, ask.heads, ask.asked_us);
}

static void
write_something(void)
{
	int c = (int) random_below(&world.random, CONVERSATIONS);
	Chat *chat = &world.chats[c];
	Entry entry = { .user = -1 };

	if (chat->count == EVENTS_MAX)
		return;
	if (random_below(&world.random, 4) == 0)
	{
		entry.user = (int) random_below(&world.random, USERS);
		entry.is_joined = !is_member_at(chat, entry.user, chat->count);
	}
	chat->entries[++chat->count] = entry;
	if (world.wire_count < WIRE_MAX && random_below(&world.random, 5) > 0)
	{
		world.wire[world.wire_count].conversation = c;
		world.wire[world.wire_count++].ev = chat->count;
	}
}

static void
hear_something(void)
{
	static const Uuid message = { { 0xee } };
	Uuid key;
	Uuid user;
	char json[200];
	Event event = { .rev = 1 };
	const Entry *entry;
	int at;
	int ev;

	if (world.wire_count == 0)
		return;
	at = random_below(&world.random, 5) > 0
			 ? 0
			 : (int) random_below(&world.random, (uint64_t) world.wire_count);
	ev = world.wire[at].ev;
	key = conversation_id(world.wire[at].conversation);
	entry = &world.chats[world.wire[at].conversation].entries[ev];
	user = user_id(entry->user);
	event.kind = entry->user < 0 ? EVENT_MESSAGE : EVENT_MEMBER;
	event.key = key.byte;
	event.id = entry->user < 0 ? message.byte : user.byte;
	event.ev = (uint64_t) ev;
	event.seq = entry->user < 0 ? (uint64_t) ev : 0;
	event.json = json;
	event.json_len = (uint32_t) write_event(json, sizeof(json),
											world.wire[at].conversation, ev);
	if (random_below(&world.random, 10) > 0)
	{
		memmove(&world.wire[at], &world.wire[at + 1],
				(size_t) (world.wire_count - at - 1) * sizeof(world.wire[0]));
		world.wire_count--;
	}
	fanout_event(world.fanout, &event, "1:1:0/1");
}

static void
come_or_go(void)
{
	int u = (int) random_below(&world.random, USERS);
	Client *client = &world.clients[u];
	Uuid id = user_id(u);

	if (client->is_seated)
	{
		registry_rise(world.registry, &client->seat);
		memset(client->views, 0, sizeof(client->views));
	}
	else
	{
		(void) registry_sit(world.registry, &id, &client->seat);
		port_look(NULL, &id, 0);
	}
	client->is_seated = !client->is_seated;
}

static void
pass(int64_t us)
{
	world.now_us += us;
	clock_set(world.now_us, world.now_us);
	fanout_tick(world.fanout);
}

/* The wire falls silent and everything is asked once more, in peace. */
static void
settle(void)
{
	static const int now[CONVERSATIONS] = { -1, -1, -1 };

	world.wire_count = 0;
	for (int round = 0; round < 400; round++)
	{
		pass(1000000);
		if (round % 50 == 0)
			answer_rows(-1, now, world.now_us);
		for (int i = 0; i < 10; i++)
			answer_one();
	}
	fanout_flush(world.fanout);
	for (int u = 0; u < USERS; u++)
	{
		for (int c = 0; world.clients[u].is_seated && c < CONVERSATIONS; c++)
		{
			Chat *chat = &world.chats[c];
			const View *view = &world.clients[u].views[c];

			assert_int_equal(view->is_member,
							 is_member_at(chat, u, chat->count));
			if (view->is_member)
				assert_int_equal(view->ev, chat->count);
		}
	}
}

static void
each_client_is_told_a_history_it_can_trust(void **state)
{
	FanoutPorts ports = { .pull = port_pull,
						  .look = port_look,
						  .deliver = port_deliver,
						  .tell = port_tell,
						  .dirty = port_dirty };

	(void) state;
	world.random = random_begin();
	world.now_us = INT64_C(1000000000);
	clock_set(world.now_us, world.now_us);
	world.registry = registry_new();
	world.fanout = fanout_new(world.registry, &ports, NULL);
	for (int step = 0; step < 30000; step++)
	{
		switch (random_below(&world.random, 12))
		{
			case 0:
			case 1:
			case 2:
				write_something();
				break;
			case 3:
			case 4:
			case 5:
				hear_something();
				break;
			case 6:
			case 7:
			case 8:
				answer_one();
				break;
			case 9:
				fanout_flush(world.fanout);
				break;
			case 10:
				pass((int64_t) random_below(&world.random, 20000));
				break;
			default:
				if (random_below(&world.random, 20) == 0)
					come_or_go();
		}
		if (step % 3000 == 2999)
			settle();
	}
	assert_true(world.delivered > 1000);
	for (int u = 0; u < USERS; u++)
		registry_rise(world.registry, &world.clients[u].seat);
	fanout_free(&world.fanout);
	registry_free(&world.registry);
	clock_unset();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_client_is_told_a_history_it_can_trust),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
