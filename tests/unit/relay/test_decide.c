/* uses: relay common/wire common/base */
#include "decide.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* A slot and a record that agree; each test changes one thing. */
typedef struct Case
{
	StreamRow row;
	SlotFacts slot;
	SinkFindings found;
	StartFacts facts;
} Case;

static Case *
calm(void)
{
	static Case c;

	memset(&c, 0, sizeof(c));
	c.row = (StreamRow){ .exists = true,
						 .system_id = 7,
						 .timeline = 1,
						 .shards = 1,
						 .confirmed_lsn = 1000,
						 .is_repaired = true };
	c.slot =
		(SlotFacts){ .exists = true, .is_ours = true, .confirmed_lsn = 900 };
	c.facts = (StartFacts){ .system_id = 7,
							.timeline = 1,
							.flush_lsn = 2000,
							.shards = 1,
							.row = &c.row,
							.slot = &c.slot,
							.found = &c.found };
	return &c;
}

static void
expect(const Case *c, StartVerdict verdict, bool drops, bool creates)
{
	StartDecision decision = decide_start(&c->facts);

	assert_int_equal(decision.verdict, verdict);
	assert_int_equal(decision.drops_slot, drops);
	assert_int_equal(decision.creates_slot, creates);
	assert_non_null(decision.reason);
}

static void
expect_stop(const Case *c, const char *name)
{
	StartDecision decision = decide_start(&c->facts);

	assert_int_equal(decision.verdict, START_STOP);
	assert_string_equal(decision.stop_name, name);
}

static void
goes_on_where_slot_and_record_agree(void **state)
{
	Case *c = calm();

	expect(c, START_STREAM, false, false);
	c->slot.confirmed_lsn = 1000; /* both at the same place */
	expect(c, START_STREAM, false, false);
}

static void
first_start_republishes_into_a_new_slot(void **state)
{
	Case *c = calm();

	memset(&c->row, 0, sizeof(c->row));
	memset(&c->slot, 0, sizeof(c->slot));
	expect(c, START_REPAIR, false, true);
}

static void
a_slot_without_a_record_is_repaired(void **state)
{
	Case *c = calm();

	memset(&c->row, 0, sizeof(c->row));
	expect(c, START_REPAIR, false, false);
}

static void
a_slot_beyond_the_record_was_made_again(void **state)
{
	Case *c = calm();

	c->slot.confirmed_lsn = 1001;
	expect(c, START_REPAIR, false, false);
}

static void
a_missing_slot_is_made_and_repaired(void **state)
{
	Case *c = calm();

	memset(&c->slot, 0, sizeof(c->slot));
	expect(c, START_REPAIR, false, true);
}

static void
a_lost_slot_is_dropped_made_and_repaired(void **state)
{
	Case *c = calm();

	c->slot.is_lost = true;
	expect(c, START_REPAIR, true, true);
}

static void
another_history_is_repaired(void **state)
{
	Case *c = calm();

	c->facts.timeline = 2;
	expect(c, START_REPAIR, false, false);
	c = calm();
	c->facts.system_id = 8;
	memset(&c->slot, 0, sizeof(c->slot));
	expect(c, START_REPAIR, false, true);
}

static void
an_interrupted_repair_is_resumed(void **state)
{
	Case *c = calm();

	c->row.is_repaired = false;
	expect(c, START_RESUME, false, false);
}

/* What was republished went into the old slot: from the beginning again. */
static void
a_repair_whose_slot_was_lost_begins_again(void **state)
{
	Case *c = calm();

	c->row.is_repaired = false;
	c->slot.confirmed_lsn = 1001;
	expect(c, START_REPAIR, false, false);
	c->slot.is_lost = true;
	expect(c, START_REPAIR, true, true);
}

static void
topics_taken_as_they_are_are_filled_again(void **state)
{
	Case *c = calm();

	c->found.is_changed = true;
	expect(c, START_REPAIR, false, false);
}

static void
a_foreign_slot_stops(void **state)
{
	Case *c = calm();

	c->slot.is_ours = false;
	expect_stop(c, "SLOT_FOREIGN");
	memset(&c->row, 0, sizeof(c->row));
	expect_stop(c, "SLOT_FOREIGN");
}

static void
other_shards_stop(void **state)
{
	Case *c = calm();

	c->facts.shards = 4;
	expect_stop(c, "SHARDS_CHANGED");
}

static void
a_database_from_the_past_stops(void **state)
{
	Case *c = calm();

	c->found.last_count = 2;
	c->found.last[0] = (SinkPosition){ 6, 1, 999999 }; /* another one's */
	c->found.last[1] = (SinkPosition){ 7, 1, 2000 };   /* just flushed */
	expect(c, START_STREAM, false, false);
	c->found.last[1].commit_lsn = 2001;
	expect_stop(c, "AHEAD_OF_DATABASE");

	/* also when its record went back with it, or never was */
	memset(&c->row, 0, sizeof(c->row));
	expect_stop(c, "AHEAD_OF_DATABASE");

	/* an earlier timeline's end says nothing about this one */
	c = calm();
	c->facts.timeline = 2;
	c->found.last_count = 1;
	c->found.last[0] = (SinkPosition){ 7, 1, 999999 };
	expect(c, START_REPAIR, false, false);
}

static void
live_only_needs_a_slot(void **state)
{
	SlotFacts slot = { .exists = false };

	assert_true(decide_live_start(&slot).creates_slot);
	slot = (SlotFacts){ .exists = true, .is_ours = true };
	assert_int_equal(decide_live_start(&slot).verdict, START_STREAM);
	assert_false(decide_live_start(&slot).creates_slot);
	slot.is_lost = true;
	assert_true(decide_live_start(&slot).drops_slot);
	slot.is_ours = false;
	assert_int_equal(decide_live_start(&slot).verdict, START_STOP);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goes_on_where_slot_and_record_agree),
		cmocka_unit_test(first_start_republishes_into_a_new_slot),
		cmocka_unit_test(a_slot_without_a_record_is_repaired),
		cmocka_unit_test(a_slot_beyond_the_record_was_made_again),
		cmocka_unit_test(a_missing_slot_is_made_and_repaired),
		cmocka_unit_test(a_lost_slot_is_dropped_made_and_repaired),
		cmocka_unit_test(another_history_is_repaired),
		cmocka_unit_test(an_interrupted_repair_is_resumed),
		cmocka_unit_test(a_repair_whose_slot_was_lost_begins_again),
		cmocka_unit_test(topics_taken_as_they_are_are_filled_again),
		cmocka_unit_test(a_foreign_slot_stops),
		cmocka_unit_test(other_shards_stop),
		cmocka_unit_test(a_database_from_the_past_stops),
		cmocka_unit_test(live_only_needs_a_slot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
