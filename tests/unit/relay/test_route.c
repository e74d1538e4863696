/* uses: relay common/kafka common/wire common/base */
#include "route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "uuid.h"

static const int partitions[ROUTE_TOPICS] = { 12, 12, 12, 1 };

static Event
event_of(EventKind kind, const Uuid *key)
{
	return (Event){ .kind = kind, .key = key->byte, .id = key->byte };
}

static Uuid
uuid(const char *text)
{
	Uuid id;

	assert_true(uuid_parse(text, strlen(text), &id));
	return id;
}

static void
what_has_an_ev_is_in_one_topic(void **state)
{
	Uuid key = uuid("01890a5d-ac96-774b-bcce-b302099a8057");
	static const EventKind kinds[] = { EVENT_MESSAGE, EVENT_MEMBER,
									   EVENT_REACTION, EVENT_CONVERSATION };
	int32_t partition = -1;

	for (size_t i = 0; i < 4; i++)
	{
		Event event = event_of(kinds[i], &key);
		Route route;

		route_event(&event, partitions, &route);
		assert_int_equal(route.targets[0].topic, ROUTE_MESSAGES);
		if (partition >= 0)
			assert_int_equal(route.targets[0].partition, partition);
		partition = route.targets[0].partition;
		assert_memory_equal(route.key, "01890a5d-ac96-774b-bcce-b302099a8057",
							ROUTE_KEY_LEN);
		assert_int_equal(route.target_count,
						 kinds[i] == EVENT_CONVERSATION ? 2 : 1);
	}
}

static void
a_conversation_is_also_in_the_compacted_topic(void **state)
{
	Uuid key = uuid("01890a5d-ac96-774b-bcce-b302099a8057");
	Event event = event_of(EVENT_CONVERSATION, &key);
	Route route;

	route_event(&event, partitions, &route);
	assert_int_equal(route.targets[1].topic, ROUTE_CONVERSATIONS);
	assert_int_equal(route.targets[1].partition, route.targets[0].partition);
}

static void
what_is_a_user_s_is_in_its_own_topic(void **state)
{
	Uuid key = uuid("01890a5d-ac96-774b-bcce-b302099a8057");
	static const EventKind kinds[] = { EVENT_USER, EVENT_CURSOR,
									   EVENT_PREFERENCE, EVENT_BLOCK };

	for (size_t i = 0; i < 4; i++)
	{
		Event event = event_of(kinds[i], &key);
		Route route;

		assert_true(event_is_user_scoped(kinds[i]));
		route_event(&event, partitions, &route);
		assert_int_equal(route.target_count, 1);
		assert_int_equal(route.targets[0].topic, ROUTE_USERS);
	}
}

/* what Utils.toPositive(Utils.murmur2(key)) % 12 of Kafka 4.3.1's client said */
static void
partitions_are_those_of_a_java_client(void **state)
{
	static const struct
	{
		const char *key;
		int32_t partition;
	} known[] = {
		{ "00000000-0000-0000-0000-000000000000", 9 },
		{ "01890a5d-ac96-774b-bcce-b302099a8057", 1 },
		{ "ffffffff-ffff-ffff-ffff-ffffffffffff", 6 },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
	{
		Uuid key = uuid(known[i].key);
		Event event = event_of(EVENT_MESSAGE, &key);
		Route route;

		route_event(&event, partitions, &route);
		assert_int_equal(route.targets[0].partition, known[i].partition);
	}
}

static void
dead_letters_stay_within_their_topic(void **state)
{
	static const int wider[ROUTE_TOPICS] = { 12, 12, 12, 5 };
	Uuid key = uuid("01890a5d-ac96-774b-bcce-b302099a8057");
	Event event = event_of(EVENT_MESSAGE, &key);
	Route route;

	route_event(&event, partitions, &route);
	assert_int_equal(route_dead_partition(&route, partitions), 0);
	assert_in_range(route_dead_partition(&route, wider), 0, 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_has_an_ev_is_in_one_topic),
		cmocka_unit_test(a_conversation_is_also_in_the_compacted_topic),
		cmocka_unit_test(what_is_a_user_s_is_in_its_own_topic),
		cmocka_unit_test(partitions_are_those_of_a_java_client),
		cmocka_unit_test(dead_letters_stay_within_their_topic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
