#include "fanout_state.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "frames.h"
#include "state_gather.h"
#include "told.h"
#include "xalloc.h"

/* A user's new profile that waits for who may see it. */
typedef struct Profile
{
	struct Profile *next;
	Uuid user_id;
	uint64_t rev;
	bool is_asked;
	Buf json;
} Profile;

struct FanoutState
{
	Registry *registry;
	FanoutStatePorts ports;
	void *arg;
	Told *told;
	StateGather users;
	StateGather conversations;
	Profile *profiles;
	int profile_count;
	bool is_asking;
	int64_t gathered_us; /* when the first of what waits came; 0: nothing */
	int64_t ask_at_us;
	uint32_t mark;
	Uuid asked[STATE_ASK_MAX];
	int asked_count;
	FanoutStateCounts counts;
};

static void append(FanoutState *state, StateGather *gather, const Uuid *id,
				   Slice json);
static void take_cursor(FanoutState *state, const Event *event, Slice json);
static void take_profile(FanoutState *state, const Event *event, Slice json);
static bool is_fresh(FanoutState *state, const Uuid *target, uint8_t kind,
					 const Uuid *key, const Uuid *id, uint64_t rev);
static void flush_users(FanoutState *state);
static void flush_conversations(FanoutState *state);
static void give_user(FanoutState *state, const User *user, Payload *payload);
static void give_members(FanoutState *state, const Conversation *conversation,
						 Payload *payload, bool is_lost);
static void tell_user(FanoutState *state, const User *user, Payload *frame);
static void write_frame(FanoutState *state, StateFrame *frame);
static void ask(FanoutState *state);
static void answer_profile(FanoutState *state, const Profile *profile,
						   const AudienceRow *rows, size_t count);
static void forget_asked(FanoutState *state, bool is_answered);
static void tell_invited(FanoutState *state, const Uuid *user_id,
						 const Uuid *conversation_id);

FanoutState *
fanout_state_new(Registry *registry, const FanoutStatePorts *ports, void *arg)
{
	FanoutState *state = xcalloc(1, sizeof(*state));

	state->registry = registry;
	state->ports = *ports;
	state->arg = arg;
	state->told = told_new();
	state_gather_init(&state->users, true);
	state_gather_init(&state->conversations, false);
	return state;
}

void
fanout_state_free(FanoutState **state_ref)
{
	FanoutState *state = *state_ref;

	if (state == NULL)
		return;
	*state_ref = NULL;
	state_gather_fini(&state->users);
	state_gather_fini(&state->conversations);
	while (state->profiles != NULL)
	{
		Profile *profile = state->profiles;

		state->profiles = profile->next;
		buf_fini(&profile->json);
		free(profile);
	}
	told_free(&state->told);
	free(state);
}

void
fanout_state_event(FanoutState *state, const Event *event)
{
	Slice json = { event->json, event->json_len };
	Uuid key;

	if (event->ev != 0 || (event->flags & EVENT_REPLAY) != 0)
		return;
	memcpy(key.byte, event->key, sizeof(key.byte));
	state->counts.events++;
	if (event->kind == EVENT_CURSOR)
		take_cursor(state, event, json);
	else if (event->kind == EVENT_USER)
		take_profile(state, event, json);
	else if (registry_user(state->registry, &key) != NULL)
	{
		Uuid id;

		memcpy(id.byte, event->id, sizeof(id.byte));
		if (is_fresh(state, &key, (uint8_t) event->kind, &key, &id, event->rev))
			append(state, &state->users, &key, json);
	}
}

void
fanout_state_rows(FanoutState *state, const StateRow *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
	{
		const StateRow *row = &rows[i];
		Conversation *conversation;

		state->counts.events++;
		switch (row->target)
		{
			case STATE_TO_USER:
				if (registry_user(state->registry, &row->target_id) != NULL &&
					is_fresh(state, &row->target_id, row->kind, &row->key,
							 &row->id, row->rev))
					append(state, &state->users, &row->target_id, row->json);
				break;
			case STATE_TO_CONVERSATION:
				conversation =
					registry_conversation(state->registry, &row->target_id);
				if (conversation == NULL)
					break;
				/* The rows come of small ones alone. */
				conversation->size = SIZE_SMALL;
				if (is_fresh(state, &row->target_id, row->kind, &row->key,
							 &row->id, row->rev))
					append(state, &state->conversations, &row->target_id,
						   row->json);
				break;
			case STATE_INVITATION:
				if (is_fresh(state, &row->target_id, row->kind, &row->key,
							 &row->id, row->rev))
					tell_invited(state, &row->target_id, &row->key);
				break;
		}
	}
}

void
fanout_state_audience(FanoutState *state, const AudienceRow *rows, size_t count)
{
	Profile **link = &state->profiles;

	assert(state->is_asking);
	state->is_asking = false;
	if (rows == NULL)
	{
		state->ask_at_us = clock_now_us() + STATE_RETRY_US;
		forget_asked(state, false);
		return;
	}
	for (size_t i = 0; i < count; i++)
	{
		Conversation *conversation =
			registry_conversation(state->registry, &rows[i].conversation_id);

		/* Unless somebody came or went while it was asked. */
		if (!rows[i].has_user && conversation != NULL &&
			conversation->size == SIZE_ASKED)
			conversation->size = SIZE_SMALL;
	}
	forget_asked(state, true);
	while (*link != NULL)
	{
		Profile *profile = *link;

		if (!profile->is_asked)
		{
			link = &profile->next;
			continue;
		}
		answer_profile(state, profile, rows, count);
		*link = profile->next;
		state->profile_count--;
		buf_fini(&profile->json);
		free(profile);
	}
	flush_conversations(state);
}

void
fanout_state_tick(FanoutState *state)
{
	int64_t now_us = clock_now_us();

	if (state->gathered_us != 0 &&
		now_us >= state->gathered_us + STATE_GATHER_US)
	{
		state->gathered_us = 0;
		flush_users(state);
		flush_conversations(state);
	}
	if (!state->is_asking && now_us >= state->ask_at_us)
		ask(state);
}

size_t
fanout_state_held(const FanoutState *state)
{
	return state_gather_count(&state->users) +
		   state_gather_count(&state->conversations) +
		   (size_t) state->profile_count;
}

const FanoutStateCounts *
fanout_state_counts(const FanoutState *state)
{
	return &state->counts;
}

static void
append(FanoutState *state, StateGather *gather, const Uuid *id, Slice json)
{
	StateFrame *frame = state_gather_of(gather, id);

	if (state->gathered_us == 0)
		state->gathered_us = clock_now_us();
	if (frame->text.len > 0 && frame->text.len + json.len > STATE_FRAME_BYTES)
	{
		const Conversation *conversation =
			frame->is_users ? NULL : registry_conversation(state->registry, id);

		if (conversation != NULL && conversation->size != SIZE_SMALL)
		{
			state->counts.lost++;
			frame->is_lost = true;
			return;
		}
		write_frame(state, frame);
	}
	if (frame->text.len == 0)
		frame_state_begin(&frame->text);
	else
		buf_append_char(&frame->text, ',');
	buf_append(&frame->text, json.at, json.len);
}

/* To herself, and to those she reads with. */
static void
take_cursor(FanoutState *state, const Event *event, Slice json)
{
	Conversation *conversation;
	User *user;
	Uuid key;
	Uuid id;
	bool is_shared;

	memcpy(key.byte, event->key, sizeof(key.byte));
	memcpy(id.byte, event->id, sizeof(id.byte));
	user = registry_user(state->registry, &key);
	conversation = registry_conversation(state->registry, &id);
	is_shared = conversation != NULL && conversation->size != SIZE_LARGE;
	if (is_shared && is_fresh(state, &id, EVENT_CURSOR, &key, &id, event->rev))
		append(state, &state->conversations, &id, json);

	/* Once is enough where she is among the members. */
	if (user != NULL &&
		!(is_shared && conversation->size == SIZE_SMALL &&
		  registry_membership(user, conversation) != NULL) &&
		is_fresh(state, &key, EVENT_CURSOR, &key, &id, event->rev))
		append(state, &state->users, &key, json);
}

static void
take_profile(FanoutState *state, const Event *event, Slice json)
{
	Profile *profile;
	Uuid key;

	memcpy(key.byte, event->key, sizeof(key.byte));
	if (registry_user(state->registry, &key) != NULL &&
		is_fresh(state, &key, EVENT_USER, &key, &key, event->rev))
		append(state, &state->users, &key, json);
	if (registry_user_count(state->registry) == 0)
		return;

	for (profile = state->profiles; profile != NULL; profile = profile->next)
	{
		if (!profile->is_asked && uuid_equal(&profile->user_id, &key))
			break;
	}
	if (profile == NULL)
	{
		if (state->profile_count == STATE_PROFILES_MAX)
		{
			state->counts.lost++;
			state->ports.broken(state->arg);
			return;
		}
		profile = xcalloc(1, sizeof(*profile));
		buf_init(&profile->json);
		profile->user_id = key;
		profile->next = state->profiles;
		state->profiles = profile;
		state->profile_count++;
	}
	else if (profile->rev >= event->rev)
		return;
	profile->rev = event->rev;
	buf_reset(&profile->json);
	buf_append(&profile->json, json.at, json.len);
}

static bool
is_fresh(FanoutState *state, const Uuid *target, uint8_t kind, const Uuid *key,
		 const Uuid *id, uint64_t rev)
{
	if (told_note(state->told, target, kind, key, id, rev))
		return true;
	state->counts.duplicates++;
	return false;
}

static void
flush_users(FanoutState *state)
{
	StateFrame *frame;

	while ((frame = state->users.first) != NULL)
	{
		write_frame(state, frame);
		state_gather_remove(&state->users, &state->users.first);
	}
}

/* Those whose size is not known stay. */
static void
flush_conversations(FanoutState *state)
{
	StateGather *gather = &state->conversations;
	StateFrame **link = &gather->first;

	while (*link != NULL)
	{
		StateFrame *frame = *link;
		const Conversation *conversation =
			registry_conversation(state->registry, &frame->id);

		if (conversation != NULL && (conversation->size == SIZE_UNKNOWN ||
									 conversation->size == SIZE_ASKED))
		{
			link = &frame->next;
			continue;
		}
		if (conversation != NULL && conversation->size == SIZE_SMALL)
			write_frame(state, frame);
		state_gather_remove(gather, link);
	}
}

/* Gives the frame to all who may see it now, and empties it. */
static void
write_frame(FanoutState *state, StateFrame *frame)
{
	Payload *payload;

	if (frame->text.len == 0)
		return;
	frame_state_end(&frame->text);
	payload = payload_new(frame->text.data, frame->text.len);
	if (frame->is_users)
		give_user(state, registry_user(state->registry, &frame->id), payload);
	else
		give_members(state, registry_conversation(state->registry, &frame->id),
					 payload, frame->is_lost);
	payload_drop(payload);
	frame->is_lost = false;
	buf_reset(&frame->text);
}

static void
give_members(FanoutState *state, const Conversation *conversation,
			 Payload *payload, bool is_lost)
{
	Payload *lag;

	if (conversation == NULL)
		return;
	for (uint32_t i = 0; i < conversation->member_count; i++)
		give_user(state, conversation->members[i]->user, payload);
	if (!is_lost)
		return;
	lag = frame_lag(NULL, 0, true);
	for (uint32_t i = 0; i < conversation->member_count; i++)
		tell_user(state, conversation->members[i]->user, lag);
	payload_drop(lag);
}

static void
give_user(FanoutState *state, const User *user, Payload *payload)
{
	if (user == NULL)
		return;
	for (Seat *seat = user->seats; seat != NULL; seat = seat->next)
	{
		state->ports.deliver(state->arg, seat, payload);
		state->counts.delivered++;
	}
}

static void
tell_user(FanoutState *state, const User *user, Payload *frame)
{
	for (Seat *seat = user->seats; seat != NULL; seat = seat->next)
		state->ports.tell(state->arg, seat, frame);
}

/* About every profile, and every conversation with cursors of unknown size. */
static void
ask(FanoutState *state)
{
	Uuid users[STATE_ASK_MAX];
	int user_count = 0;

	state->asked_count = 0;
	for (Profile *profile = state->profiles;
		 profile != NULL && user_count < STATE_ASK_MAX; profile = profile->next)
	{
		profile->is_asked = true;
		users[user_count++] = profile->user_id;
	}
	for (StateFrame *frame = state->conversations.first;
		 frame != NULL && state->asked_count < STATE_ASK_MAX;
		 frame = frame->next)
	{
		Conversation *conversation =
			registry_conversation(state->registry, &frame->id);

		if (conversation == NULL || conversation->size != SIZE_UNKNOWN)
			continue;
		conversation->size = SIZE_ASKED;
		state->asked[state->asked_count++] = frame->id;
	}
	if (user_count + state->asked_count == 0)
		return;
	state->counts.asks++;
	state->is_asking = true;
	state->ports.ask(state->arg, users, user_count, state->asked,
					 state->asked_count);
}

/* Each who shares a small conversation with her is told once. */
static void
answer_profile(FanoutState *state, const Profile *profile,
			   const AudienceRow *rows, size_t count)
{
	uint32_t mark = ++state->mark;
	Payload *payload;
	Buf text;

	buf_init(&text);
	frame_state_begin(&text);
	buf_append(&text, profile->json.data, profile->json.len);
	frame_state_end(&text);
	payload = payload_new(text.data, text.len);
	for (size_t i = 0; i < count; i++)
	{
		Conversation *conversation;

		if (!rows[i].has_user ||
			!uuid_equal(&rows[i].user_id, &profile->user_id))
			continue;
		conversation =
			registry_conversation(state->registry, &rows[i].conversation_id);
		if (conversation == NULL ||
			!is_fresh(state, &conversation->id, EVENT_USER, &profile->user_id,
					  &profile->user_id, profile->rev))
			continue;
		for (uint32_t m = 0; m < conversation->member_count; m++)
		{
			User *user = conversation->members[m]->user;

			if (user->mark == mark || uuid_equal(&user->id, &profile->user_id))
				continue;
			user->mark = mark;
			give_user(state, user, payload);
		}
	}
	payload_drop(payload);
	buf_fini(&text);
}

/* Answered and not named is large; not answered is unknown as before. */
static void
forget_asked(FanoutState *state, bool is_answered)
{
	for (int i = 0; i < state->asked_count; i++)
	{
		Conversation *conversation =
			registry_conversation(state->registry, &state->asked[i]);

		if (conversation != NULL && conversation->size == SIZE_ASKED)
			conversation->size = is_answered ? SIZE_LARGE : SIZE_UNKNOWN;
	}
	state->asked_count = 0;
	if (is_answered)
		return;
	for (Profile *profile = state->profiles; profile != NULL;
		 profile = profile->next)
		profile->is_asked = false;
}

static void
tell_invited(FanoutState *state, const Uuid *user_id,
			 const Uuid *conversation_id)
{
	const User *user = registry_user(state->registry, user_id);
	Payload *frame;

	if (user == NULL)
		return;
	state->counts.invited++;
	frame = frame_invited(conversation_id);
	tell_user(state, user, frame);
	payload_drop(frame);
}
