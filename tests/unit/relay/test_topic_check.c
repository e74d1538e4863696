/* uses: relay common/kafka common/wire common/base */
#include "topic_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const int calm[ROUTE_TOPICS] = { 12, 12, 12, 1 };

static void
a_layout_is_read_back(void **state)
{
	char layout[SINK_LAYOUT_SIZE];
	Error err;

	topic_check_layout(calm, layout);
	assert_string_equal(layout,
						"{\"chat.conversations.v1\":12,\"chat.messages.v1\":12,"
						"\"chat.users.v1\":12,\"dlq.chat.messages.v1\":1}");
	for (int i = 0; i < ROUTE_TOPICS; i++)
		assert_int_equal(topic_check_recorded(layout, route_topic_names[i]),
						 calm[i]);
	assert_null(topic_check_compare(layout, calm, &err));
}

/* Spaces and another order, as a server may print JSON. */
static void
another_spelling_is_the_same_layout(void **state)
{
	const char *layout = "{ \"dlq.chat.messages.v1\" : 1, "
						 "\"chat.users.v1\": 12,\n\"chat.messages.v1\":\t12 }";
	Error err;

	assert_null(topic_check_compare(layout, calm, &err));
	assert_int_equal(topic_check_recorded(layout, "chat.messages.v1"), 12);
	assert_int_equal(topic_check_recorded(layout, "chat.conversations.v1"), 0);
}

static void
a_changed_count_has_a_name(void **state)
{
	int counts[ROUTE_TOPICS];
	char layout[SINK_LAYOUT_SIZE];
	Error err;

	topic_check_layout(calm, layout);
	for (int i = 0; i < ROUTE_TOPICS; i++)
	{
		memcpy(counts, calm, sizeof(counts));
		counts[i]++;
		assert_string_equal(topic_check_compare(layout, counts, &err),
							"PARTITIONS_CHANGED");
		assert_non_null(strstr(err.text, route_topic_names[i]));
		counts[i] = 0;
		assert_string_equal(topic_check_compare(layout, counts, &err),
							"TOPIC_DELETED");
	}
}

static bool
reads(const char *text, SinkPosition *position)
{
	return topic_check_position(text, strlen(text), position);
}

static void
positions_are_read(void **state)
{
	SinkPosition at;

	assert_true(reads("7711067460735350238:2:16/B374D848:4", &at));
	assert_true(at.system_id == UINT64_C(7711067460735350238));
	assert_int_equal(at.timeline, 2);
	assert_true(at.commit_lsn == UINT64_C(0x16B374D848));
	assert_false(reads("", &at));
	assert_false(reads("7711067460735350238", &at));
	assert_false(reads("7:1:16/B374D848", &at));
	assert_false(reads(":1:0/1:0", &at));
	assert_false(reads("7::0/1:0", &at));
	assert_false(reads("7:1:zz:0", &at));
	assert_false(reads("1:1:0/1:000000000000000000000000000000000000000000000"
					   "000000000000000000000000000000000000000000000000000",
					   &at));
}

static void
the_furthest_of_each_history_is_kept(void **state)
{
	SinkFindings found = { .last_count = 0 };

	topic_check_note(&found, &(SinkPosition){ 7, 1, 100 });
	topic_check_note(&found, &(SinkPosition){ 7, 1, 300 });
	topic_check_note(&found, &(SinkPosition){ 7, 2, 50 });
	topic_check_note(&found, &(SinkPosition){ 7, 1, 200 });
	assert_int_equal(found.last_count, 2);
	assert_true(found.last[0].commit_lsn == 300);
	assert_true(found.last[1].commit_lsn == 50);
	for (uint64_t i = 0; i < 100; i++)
		topic_check_note(&found, &(SinkPosition){ i, 9, 1 });
	assert_int_equal(found.last_count, SINK_MAX_HISTORIES);
}

static const char *
emptied(int64_t messages, int64_t conversations, int64_t users, uint64_t events,
		bool is_repaired)
{
	int64_t ends[ROUTE_TOPICS] = { [ROUTE_MESSAGES] = messages,
								   [ROUTE_CONVERSATIONS] = conversations,
								   [ROUTE_USERS] = users };
	const char *topic = topic_check_emptied(ends, events, is_repaired);

	return topic != NULL ? topic : "none";
}

static void
a_topic_made_again_is_told_from_one_not_used_yet(void **state)
{
	assert_string_equal(emptied(0, 0, 0, 0, true), "none");
	assert_string_equal(emptied(90, 2, 3, 95, true), "none");
	/* users, and no conversation so far */
	assert_string_equal(emptied(0, 0, 3, 3, true), "none");
	assert_string_equal(emptied(0, 0, 5, 3, true), "none");

	assert_string_equal(emptied(0, 2, 3, 95, true), "chat.messages.v1");
	assert_string_equal(emptied(0, 0, 3, 95, true), "chat.messages.v1");
	assert_string_equal(emptied(0, 0, 0, 1, true), "chat.messages.v1");
	assert_string_equal(emptied(90, 0, 3, 95, true), "chat.conversations.v1");
	assert_string_equal(emptied(90, 2, 0, 95, true), "chat.users.v1");

	/* made again and written to since: fewer records than acknowledged */
	assert_string_equal(emptied(7, 2, 3, 95, true), "chat.*");

	/* the repair's users are not there yet, a live message is */
	assert_string_equal(emptied(1, 0, 0, 1, false), "none");
	assert_string_equal(emptied(0, 2, 3, 95, false), "chat.messages.v1");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_layout_is_read_back),
		cmocka_unit_test(another_spelling_is_the_same_layout),
		cmocka_unit_test(a_changed_count_has_a_name),
		cmocka_unit_test(positions_are_read),
		cmocka_unit_test(the_furthest_of_each_history_is_kept),
		cmocka_unit_test(a_topic_made_again_is_told_from_one_not_used_yet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
