/* uses: relay common/kafka common/wire common/base */
#include "topic_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(positions_are_read),
		cmocka_unit_test(the_furthest_of_each_history_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
