/* uses: gateway common/wire common/base */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "property.h"
#include "registry.h"

#define USERS         12
#define CONVERSATIONS 9

static Uuid
id_of(uint8_t kind, uint8_t n)
{
	Uuid id;

	memset(&id, 0, sizeof(id));
	id.byte[0] = kind;
	id.byte[15] = n;
	return id;
}

static void
a_user_goes_with_the_last_seat(void **state)
{
	Registry *registry = registry_new();
	Uuid alice = id_of('u', 1);
	Uuid general = id_of('c', 1);
	Seat first = { 0 };
	Seat second = { 0 };
	User *user;

	(void) state;
	user = registry_sit(registry, &alice, &first);
	assert_ptr_equal(registry_sit(registry, &alice, &second), user);
	assert_int_equal(user->seat_count, 2);
	(void) registry_join(registry, user, &general, 5, 3);
	registry_rise(registry, &first);
	assert_ptr_equal(registry_user(registry, &alice), user);
	assert_non_null(registry_conversation(registry, &general));
	registry_rise(registry, &second);
	assert_null(registry_user(registry, &alice));
	assert_null(registry_conversation(registry, &general));
	registry_rise(registry, &second); /* an unseated seat: nothing */
	registry_free(&registry);
}

static void
a_conversation_begins_with_its_first_member(void **state)
{
	Registry *registry = registry_new();
	Uuid general = id_of('c', 1);
	Uuid ids[2] = { id_of('u', 1), id_of('u', 2) };
	Seat seats[2] = { { 0 } };
	Membership *first;
	Membership *second;

	(void) state;
	first = registry_join(registry, registry_sit(registry, &ids[0], &seats[0]),
						  &general, 5, 3);
	second = registry_join(registry, registry_sit(registry, &ids[1], &seats[1]),
						   &general, 9, 8);
	assert_ptr_equal(first->conversation, second->conversation);
	assert_int_equal(first->conversation->ev, 5); /* what is known stays */
	assert_int_equal(first->conversation->seq, 3);
	assert_in_range(first->conversation->channel, 0, 63);
	assert_ptr_equal(registry_join(registry, first->user, &general, 1, 1),
					 first);
	assert_int_equal(registry_membership_count(registry), 2);
	registry_leave(registry, first);
	registry_leave(registry, second);
	assert_null(registry_conversation(registry, &general));
	registry_rise(registry, &seats[0]);
	registry_rise(registry, &seats[1]);
	registry_free(&registry);
}

/* What a plain table of who is where says, the registry says. */
static void
check(Registry *registry, bool seated[USERS], bool in[USERS][CONVERSATIONS])
{
	size_t users = 0;
	size_t memberships = 0;
	size_t conversations = 0;

	for (uint8_t u = 0; u < USERS; u++)
	{
		Uuid user_id = id_of('u', u);
		User *user = registry_user(registry, &user_id);

		assert_int_equal(user != NULL, seated[u]);
		users += seated[u];
		for (uint8_t c = 0; user != NULL && c < CONVERSATIONS; c++)
		{
			Uuid id = id_of('c', c);
			Conversation *conversation = registry_conversation(registry, &id);
			Membership *membership =
				conversation ? registry_membership(user, conversation) : NULL;

			assert_int_equal(membership != NULL, in[u][c]);
			memberships += in[u][c];
			if (membership == NULL)
				continue;
			assert_ptr_equal(user->memberships[membership->at_user],
							 membership);
			assert_ptr_equal(conversation->members[membership->at_conversation],
							 membership);
		}
	}
	for (uint8_t c = 0; c < CONVERSATIONS; c++)
	{
		bool is_there = false;

		for (int u = 0; u < USERS; u++)
			is_there = is_there || in[u][c];
		conversations += is_there;
	}
	assert_int_equal(registry_user_count(registry), users);
	assert_int_equal(registry_membership_count(registry), memberships);
	assert_int_equal(registry_conversation_count(registry), conversations);
	for (uint32_t i = 0; i < registry_user_count(registry); i++)
		assert_int_equal(registry_user_at(registry, i)->index, i);
}

static void
it_is_the_same_as_a_plain_table(void **state)
{
	Random random = random_begin();
	Registry *registry = registry_new();
	Seat seats[USERS] = { { 0 } };
	bool seated[USERS] = { false };
	bool in[USERS][CONVERSATIONS] = { { false } };

	(void) state;
	for (int step = 0; step < 5000; step++)
	{
		uint8_t u = (uint8_t) random_below(&random, USERS);
		uint8_t c = (uint8_t) random_below(&random, CONVERSATIONS);
		Uuid user_id = id_of('u', u);
		Uuid id = id_of('c', c);

		switch (random_below(&random, 4))
		{
			case 0:
				if (!seated[u])
					(void) registry_sit(registry, &user_id, &seats[u]);
				seated[u] = true;
				break;
			case 1:
				if (random_below(&random, 4) == 0)
				{
					registry_rise(registry, &seats[u]);
					seated[u] = false;
					memset(in[u], 0, sizeof(in[u]));
				}
				break;
			case 2:
				if (seated[u])
				{
					(void) registry_join(registry, seats[u].user, &id, 1, 1);
					in[u][c] = true;
				}
				break;
			default:
				if (in[u][c])
					registry_leave(registry,
								   registry_membership(
									   seats[u].user,
									   registry_conversation(registry, &id)));
				in[u][c] = false;
		}
		check(registry, seated, in);
	}
	for (int u = 0; u < USERS; u++)
		registry_rise(registry, &seats[u]);
	registry_free(&registry);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_user_goes_with_the_last_seat),
		cmocka_unit_test(a_conversation_begins_with_its_first_member),
		cmocka_unit_test(it_is_the_same_as_a_plain_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
