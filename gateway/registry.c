#include "registry.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "partition.h"
#include "redis_keys.h"
#include "uuid_map.h"
#include "xalloc.h"

struct Registry
{
	UuidMap *users;
	UuidMap *conversations;
	User **user_list;
	uint32_t user_count;
	uint32_t user_cap;
	Conversation **conversation_list;
	uint32_t conversation_count;
	uint32_t conversation_cap;
	size_t membership_count;
	void (*forget)(void *arg, Conversation *conversation);
	void *forget_arg;
};

static void user_free(Registry *registry, User *user);
static void conversation_free(Registry *registry, Conversation *conversation);
static Conversation *conversation_new(Registry *registry, const Uuid *id);
static int channel_of(const Uuid *key);
static void *grow(void *array, uint32_t count, uint32_t *cap, size_t size);

Registry *
registry_new(void)
{
	Registry *registry = xcalloc(1, sizeof(*registry));

	registry->users = uuid_map_new();
	registry->conversations = uuid_map_new();
	return registry;
}

void
registry_free(Registry **registry_ref)
{
	Registry *registry = *registry_ref;

	if (registry == NULL)
		return;
	*registry_ref = NULL;
	while (registry->user_count > 0)
		user_free(registry, registry->user_list[registry->user_count - 1]);
	assert(uuid_map_count(registry->conversations) == 0);
	uuid_map_free(&registry->users);
	uuid_map_free(&registry->conversations);
	free(registry->user_list);
	free(registry->conversation_list);
	free(registry);
}

User *
registry_sit(Registry *registry, const Uuid *user_id, Seat *seat)
{
	User *user = uuid_map_get(registry->users, user_id);

	assert(seat->user == NULL);
	if (user == NULL)
	{
		user = xcalloc(1, sizeof(*user));
		user->id = *user_id;
		user->channel = channel_of(user_id);
		user->index = registry->user_count;
		registry->user_list =
			grow(registry->user_list, registry->user_count, &registry->user_cap,
				 sizeof(registry->user_list[0]));
		registry->user_list[registry->user_count++] = user;
		uuid_map_put(registry->users, user_id, user);
	}
	seat->user = user;
	seat->prev = NULL;
	seat->next = user->seats;
	if (user->seats != NULL)
		user->seats->prev = seat;
	user->seats = seat;
	user->seat_count++;
	return user;
}

void
registry_rise(Registry *registry, Seat *seat)
{
	User *user = seat->user;

	if (user == NULL)
		return;
	if (seat->prev != NULL)
		seat->prev->next = seat->next;
	else
		user->seats = seat->next;
	if (seat->next != NULL)
		seat->next->prev = seat->prev;
	seat->user = NULL;
	seat->next = NULL;
	seat->prev = NULL;
	if (--user->seat_count == 0)
		user_free(registry, user);
}

User *
registry_user(const Registry *registry, const Uuid *id)
{
	return uuid_map_get(registry->users, id);
}

uint32_t
registry_user_count(const Registry *registry)
{
	return registry->user_count;
}

User *
registry_user_at(const Registry *registry, uint32_t index)
{
	assert(index < registry->user_count);
	return registry->user_list[index];
}

Conversation *
registry_conversation(const Registry *registry, const Uuid *id)
{
	return uuid_map_get(registry->conversations, id);
}

uint32_t
registry_conversation_count(const Registry *registry)
{
	return registry->conversation_count;
}

Conversation *
registry_conversation_at(const Registry *registry, uint32_t index)
{
	assert(index < registry->conversation_count);
	return registry->conversation_list[index];
}

size_t
registry_membership_count(const Registry *registry)
{
	return registry->membership_count;
}

Membership *
registry_join(Registry *registry, User *user, const Uuid *id, uint64_t ev,
			  uint64_t seq)
{
	Conversation *conversation = registry_conversation(registry, id);
	Membership *membership;

	if (conversation == NULL)
	{
		conversation = conversation_new(registry, id);
		conversation->ev = ev;
		conversation->seq = seq;
	}
	membership = registry_membership(user, conversation);
	if (membership != NULL)
		return membership;

	membership = xcalloc(1, sizeof(*membership));
	membership->user = user;
	membership->conversation = conversation;
	membership->at_user = user->membership_count;
	membership->at_conversation = conversation->member_count;
	user->memberships =
		grow(user->memberships, user->membership_count, &user->membership_cap,
			 sizeof(user->memberships[0]));
	user->memberships[user->membership_count++] = membership;
	conversation->members =
		grow(conversation->members, conversation->member_count,
			 &conversation->member_cap, sizeof(conversation->members[0]));
	conversation->members[conversation->member_count++] = membership;
	registry->membership_count++;
	return membership;
}

void
registry_leave(Registry *registry, Membership *membership)
{
	User *user = membership->user;
	Conversation *conversation = membership->conversation;
	Membership *last;

	last = user->memberships[--user->membership_count];
	user->memberships[membership->at_user] = last;
	last->at_user = membership->at_user;
	last = conversation->members[--conversation->member_count];
	conversation->members[membership->at_conversation] = last;
	last->at_conversation = membership->at_conversation;
	free(membership);
	registry->membership_count--;
	if (conversation->member_count == 0)
		conversation_free(registry, conversation);
}

Membership *
registry_membership(User *user, const Conversation *conversation)
{
	uint32_t count = user->membership_count;

	/* The shorter list decides; a user's is walked from where we were. */
	if (conversation->member_count < 8 && conversation->member_count < count)
	{
		for (uint32_t i = 0; i < conversation->member_count; i++)
		{
			if (conversation->members[i]->user == user)
				return conversation->members[i];
		}
		return NULL;
	}
	for (uint32_t i = 0; i < count; i++)
	{
		uint32_t at = user->cursor + i;

		at = at >= count ? at % count : at;
		if (user->memberships[at]->conversation == conversation)
		{
			user->cursor = at + 1;
			return user->memberships[at];
		}
	}
	return NULL;
}

void
registry_on_forget(Registry *registry,
				   void (*forget)(void *arg, Conversation *conversation),
				   void *arg)
{
	registry->forget = forget;
	registry->forget_arg = arg;
}

static void
user_free(Registry *registry, User *user)
{
	User *last = registry->user_list[registry->user_count - 1];

	while (user->membership_count > 0)
		registry_leave(registry, user->memberships[user->membership_count - 1]);
	registry->user_list[user->index] = last;
	last->index = user->index;
	registry->user_count--;
	uuid_map_remove(registry->users, &user->id);
	free(user->memberships);
	free(user);
}

static Conversation *
conversation_new(Registry *registry, const Uuid *id)
{
	Conversation *conversation = xcalloc(1, sizeof(*conversation));

	conversation->id = *id;
	conversation->channel = channel_of(id);
	conversation->index = registry->conversation_count;
	registry->conversation_list =
		grow(registry->conversation_list, registry->conversation_count,
			 &registry->conversation_cap,
			 sizeof(registry->conversation_list[0]));
	registry->conversation_list[registry->conversation_count++] = conversation;
	uuid_map_put(registry->conversations, id, conversation);
	return conversation;
}

static void
conversation_free(Registry *registry, Conversation *conversation)
{
	Conversation *last;

	if (registry->forget != NULL)
		registry->forget(registry->forget_arg, conversation);
	uuid_map_remove(registry->conversations, &conversation->id);
	last = registry->conversation_list[--registry->conversation_count];
	registry->conversation_list[conversation->index] = last;
	last->index = conversation->index;
	free(conversation->members);
	free(conversation);
}

/* The live channel of a key. */
static int
channel_of(const Uuid *key)
{
	char text[UUID_TEXT_LEN];

	partition_key_text(key->byte, text);
	return (int) partition_of(text, sizeof(text), LIVE_CHANNELS);
}

/* Room for one more. */
static void *
grow(void *array, uint32_t count, uint32_t *cap, size_t size)
{
	if (count < *cap)
		return array;
	*cap = *cap == 0 ? 2 : *cap + (*cap + 1) / 2;
	return xrealloc(array, *cap * size);
}
