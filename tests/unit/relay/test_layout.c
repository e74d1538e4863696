/* uses: relay common/kafka common/wire common/base */
#include "layout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const int calm[ROUTE_TOPICS] = { 12, 12, 12, 1 };

static void
what_was_never_written_to_has_no_last_record(void **state)
{
	char text[SINK_LAYOUT_SIZE];
	Layout layout;
	Layout again;
	Error err;

	layout_init(&layout, calm);
	layout_format(&layout, text);
	assert_string_equal(text,
						"{\"chat.conversations.v1\":12,\"chat.messages.v1\":12,"
						"\"chat.users.v1\":12,\"dlq.chat.messages.v1\":1}");
	layout_init_parse(&again, text);
	for (int t = 0; t < ROUTE_TOPICS; t++)
	{
		assert_int_equal(again.partitions[t], calm[t]);
		for (int p = 0; p < calm[t]; p++)
			assert_int_equal(again.last[t][p].offset, -1);
	}
	assert_null(layout_compare(&again, calm, &err));
	layout_fini(&again);
	layout_fini(&layout);
}

static void
the_last_records_are_read_back(void **state)
{
	char text[SINK_LAYOUT_SIZE];
	char same[SINK_LAYOUT_SIZE];
	Layout layout;
	Layout again;

	layout_init(&layout, calm);
	assert_true(layout_note(&layout, ROUTE_MESSAGES, 7, 5310, 0x16B374D848));
	assert_true(layout_note(&layout, ROUTE_MESSAGES, 11, 0, 1));
	assert_true(layout_note(&layout, ROUTE_USERS, 0, 2, 3));
	layout_format(&layout, text);
	assert_non_null(strstr(text, ",\"last\":{\"chat.messages.v1\":"
								 "\"7:5310:16/B374D848 11:0:0/1\","
								 "\"chat.users.v1\":\"0:2:0/3\"}}"));
	layout_init_parse(&again, text);
	assert_int_equal(again.partitions[ROUTE_CONVERSATIONS], 12);
	assert_int_equal(again.last[ROUTE_MESSAGES][7].offset, 5310);
	assert_true(again.last[ROUTE_MESSAGES][7].commit_lsn ==
				UINT64_C(0x16B374D848));
	assert_int_equal(again.last[ROUTE_MESSAGES][0].offset, -1);
	assert_int_equal(again.last[ROUTE_DEAD][0].offset, -1);
	layout_format(&again, same);
	assert_string_equal(same, text);
	layout_fini(&again);
	layout_fini(&layout);
}

static void
a_partition_that_goes_back_is_another(void **state)
{
	Layout layout;

	layout_init(&layout, calm);
	assert_true(layout_note(&layout, ROUTE_USERS, 3, 4, 100));
	assert_true(layout_note(&layout, ROUTE_USERS, 3, 5, 90));
	assert_false(layout_note(&layout, ROUTE_USERS, 3, 5, 200));
	assert_false(layout_note(&layout, ROUTE_USERS, 3, 0, 200));
	assert_int_equal(layout.last[ROUTE_USERS][3].offset, 5);
	assert_true(layout_note(&layout, ROUTE_USERS, 2, 0, 200));
	layout_fini(&layout);
}

static void
what_a_topic_still_has_is_taken_over(void **state)
{
	static const int fewer[ROUTE_TOPICS] = { 4, 12, 16, 1 };
	Layout before;
	Layout now;

	layout_init(&before, calm);
	assert_true(layout_note(&before, ROUTE_MESSAGES, 3, 1, 10));
	assert_true(layout_note(&before, ROUTE_MESSAGES, 9, 2, 20));
	assert_true(layout_note(&before, ROUTE_USERS, 11, 3, 30));
	layout_init(&now, fewer);
	layout_take_last(&now, &before);
	assert_int_equal(now.last[ROUTE_MESSAGES][3].offset, 1);
	assert_int_equal(now.last[ROUTE_USERS][11].offset, 3);
	assert_int_equal(now.last[ROUTE_USERS][12].offset, -1);
	layout_fini(&now);
	layout_fini(&before);
}

/* Spaces and another order, as a server may print JSON; and an older row. */
static void
another_spelling_is_the_same_layout(void **state)
{
	Layout layout;
	Error err;

	layout_init_parse(&layout,
					  "{ \"dlq.chat.messages.v1\" : 1, "
					  "\"chat.users.v1\": 12,\n\"chat.messages.v1\":\t12, "
					  "\"last\" : { \"chat.users.v1\" : \"1:2:0/3\" } }");
	assert_null(layout_compare(&layout, calm, &err));
	assert_int_equal(layout.partitions[ROUTE_MESSAGES], 12);
	assert_int_equal(layout.partitions[ROUTE_CONVERSATIONS], 0);
	assert_int_equal(layout.last[ROUTE_USERS][1].offset, 2);
	layout_fini(&layout);
}

static void
nonsense_says_nothing(void **state)
{
	static const char *const texts[] = {
		"",
		"{}",
		"{\"chat.users.v1\":-1}",
		"{\"chat.users.v1\":99999999}",
		"{\"last\":{\"chat.users.v1\":\"0:1:0/1\"}}",
		"{\"chat.users.v1\":2,\"last\":{\"chat.users.v1\":\"9:1:0/1\"}}",
		"{\"chat.users.v1\":2,\"last\":{\"chat.users.v1\":\"1:-1:0/1\"}}",
		"{\"chat.users.v1\":2,\"last\":{\"chat.users.v1\":\"1:1:zz\"}}",
		"{\"chat.users.v1\":2,\"last\":{\"chat.users.v1\":\"1:1\"}}",
		"{\"chat.users.v1\":2,\"last\":{\"chat.users.v1\":7}}",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
	{
		Layout layout;

		layout_init_parse(&layout, texts[i]);
		for (int p = 0; p < layout.partitions[ROUTE_USERS]; p++)
			assert_int_equal(layout.last[ROUTE_USERS][p].offset, -1);
		layout_fini(&layout);
	}
}

static void
too_many_partitions_are_cut_at_a_whole_one(void **state)
{
	static const int many[ROUTE_TOPICS] = { 2000, 2000, 2000, 1 };
	char *text = malloc(SINK_LAYOUT_SIZE);
	Layout layout;
	Layout again;
	int known = 0;

	layout_init(&layout, many);
	for (int t = 0; t < ROUTE_DEAD; t++)
	{
		for (int p = 0; p < many[t]; p++)
			assert_true(layout_note(&layout, t, p, INT64_C(1) << 40,
									UINT64_C(0x123456789ABCDEF)));
	}
	layout_format(&layout, text);
	assert_string_equal(text + strlen(text) - 3, "\"}}");
	layout_init_parse(&again, text);
	assert_int_equal(again.partitions[ROUTE_USERS], 2000);
	for (int p = 0; p < 2000; p++)
	{
		const LayoutLast *last = &again.last[ROUTE_CONVERSATIONS][p];

		if (last->offset < 0)
			continue;
		known++;
		assert_true(last->commit_lsn == UINT64_C(0x123456789ABCDEF));
	}
	assert_in_range(known, 300, 1999);
	layout_fini(&again);
	layout_fini(&layout);
	free(text);
}

static void
a_changed_count_has_a_name(void **state)
{
	Layout layout;
	Error err;

	layout_init(&layout, calm);
	for (int i = 0; i < ROUTE_TOPICS; i++)
	{
		int counts[ROUTE_TOPICS];

		memcpy(counts, calm, sizeof(counts));
		counts[i]++;
		assert_string_equal(layout_compare(&layout, counts, &err),
							"PARTITIONS_CHANGED");
		assert_non_null(strstr(err.text, route_topic_names[i]));
		counts[i] = 0;
		assert_string_equal(layout_compare(&layout, counts, &err),
							"TOPIC_DELETED");
	}
	layout_fini(&layout);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_never_written_to_has_no_last_record),
		cmocka_unit_test(the_last_records_are_read_back),
		cmocka_unit_test(a_partition_that_goes_back_is_another),
		cmocka_unit_test(what_a_topic_still_has_is_taken_over),
		cmocka_unit_test(another_spelling_is_the_same_layout),
		cmocka_unit_test(nonsense_says_nothing),
		cmocka_unit_test(too_many_partitions_are_cut_at_a_whole_one),
		cmocka_unit_test(a_changed_count_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
