/* uses: relay common/daemon common/kafka common/pg common/wire common/base */
/*
 * The loop's streaming chores, between the players of stage.h.
 */
#include "stage.h"

/*
 * Any transactions, a sink that is full at any moment, acknowledgements in any
 * order, a ledger that is slow and sometimes fails: what is confirmed is on
 * record and acknowledged, and in the end it is everything, once, in order.
 */
static void
only_the_acknowledged_prefix_is_confirmed(void **state)
{
	Random random = random_begin();

	for (int round = 0; round < 60; round++)
	{
		Relay *relay = relay_begin(&random, true);
		int transactions = 1 + (int) random_below(&random, 400);

		for (int i = 0; i < transactions; i++)
		{
			add_transaction(&random);
			if (random_below(&random, 8) == 0)
				add_keepalive(&random);
		}
		memory.wait_percent = (int) random_below(&random, 90);
		for (int i = 0; i < 100000 && server.confirmed < history.lsn; i++)
		{
			now_us += (int64_t) random_below(&random, 400000);
			ledger.fails = random_below(&random, 10) == 0;
			for (int acks = (int) random_below(&random, 20);
				 acks > 0 && memory.count > 0; acks--)
				acknowledge(
					(int) random_below(&random, (uint64_t) memory.count));
			if (server.at == server.count)
			{
				memory.wait_percent = 0;
				for (int j = 0; j < memory.count; j++)
					acknowledge(j);
			}
			turn(relay, random_below(&random, 3) == 0);
			assert_int_equal(relay->exit_code, -1);
		}
		assert_true(server.confirmed >= history.end_lsn[history.count - 1]);
		assert_int_equal(memory.count, history.events);
		for (int i = 0; i < memory.count; i++)
			assert_int_equal(memory.taken[i].number, i + 1);
		relay_end(relay);
	}
}

static void
nothing_is_confirmed_before_it_is_on_record(void **state)
{
	Random random = random_begin();
	Relay *relay = relay_begin(&random, true);

	add_transaction(&random);
	turn(relay, false);
	for (int i = 0; i < memory.count; i++)
		acknowledge(i);
	for (int i = 0; i < 50; i++)
	{
		now_us += 1000000;
		turn(relay, false); /* the ledger never answers */
	}
	assert_true(server.confirmed == 1000);
	turn(relay, true);
	assert_true(server.confirmed == history.lsn);
	relay_end(relay);
}

static void
a_keepalive_does_not_overtake_what_is_in_flight(void **state)
{
	Random random = random_begin();
	Relay *relay = relay_begin(&random, true);

	add_transaction(&random);
	add_keepalive(&random);
	for (int i = 0; i < 20; i++)
	{
		now_us += 2000000;
		turn(relay, true);
	}
	assert_true(server.confirmed == 1000);
	relay_end(relay);
}

static void
a_wanted_reply_is_given_at_once(void **state)
{
	Random random = random_begin();
	Relay *relay = relay_begin(&random, true);
	int before;

	turn(relay, true);
	before = server.feedbacks;
	turn(relay, true);
	assert_int_equal(server.feedbacks, before);
	add_transaction(&random); /* unacknowledged: nothing new to confirm */
	server.packets[server.count++] =
		(Packet){ .wal_end = history.lsn, .wants_reply = true };
	turn(relay, true);
	assert_int_equal(server.feedbacks, before + 1);
	relay_end(relay);
}

/* Blocked for an hour: the server hears from us all the same. */
static void
feedback_goes_on_while_the_sink_is_full(void **state)
{
	Random random = random_begin();
	Relay *relay = relay_begin(&random, true);

	memory.wait_percent = 100;
	add_transaction(&random);
	for (int i = 0; i < 3600; i++)
	{
		now_us += 1000000;
		turn(relay, true);
	}
	assert_in_range(server.feedbacks, 3600 / 12, 3600);
	assert_true(server.confirmed == 1000);
	assert_int_equal(server.at, 1);
	relay_end(relay);
}

/* Unread bytes must not hide that the server, and the lock, are gone. */
static void
a_server_that_left_is_noticed_while_the_sink_is_full(void **state)
{
	Random random = random_begin();
	Relay *relay = relay_begin(&random, true);

	memory.wait_percent = 100;
	add_transaction(&random);
	turn(relay, true);
	assert_int_equal(relay->exit_code, -1);
	server.is_gone = true;
	turn(relay, true);
	assert_int_equal(relay->exit_code, EXIT_UNAVAILABLE);
	relay_end(relay);
}

/* Others' WAL: confirmed by and by, but not a row a second for nothing. */
static void
an_idle_stream_reports_seldom(void **state)
{
	Random random = random_begin();
	Relay *relay = relay_begin(&random, true);

	for (int i = 0; i < 600; i++)
	{
		history.lsn += 100;
		server.packets[server.count++] = (Packet){ .wal_end = history.lsn };
		now_us += 1000000;
		turn(relay, true);
	}
	assert_in_range(ledger.reports, 1, 60000 / 4096 + 1);
	history.lsn += 1000000;
	server.packets[server.count++] = (Packet){ .wal_end = history.lsn };
	turn(relay, true);
	turn(relay, true);
	assert_true(server.confirmed == history.lsn);
	relay_end(relay);
}

static void
events_are_reported_at_most_once_a_second(void **state)
{
	Random random = random_begin();
	Relay *relay = relay_begin(&random, true);

	for (int i = 0; i < 1000; i++)
	{
		add_transaction(&random);
		now_us += 10000;
		turn(relay, true);
		for (int j = 0; j < memory.count; j++)
			acknowledge(j);
	}
	assert_in_range(ledger.reports, 8, 11);
	relay_end(relay);
}

static void
a_repair_goes_on_from_its_cursor_and_ends(void **state)
{
	Random random = random_begin();
	Relay *relay = relay_begin(&random, false);

	for (int i = 0; i < 100 && !ledger.row.is_repaired; i++)
	{
		now_us += 500000;
		turn(relay, true);
		if (!ledger.row.is_repaired)
			assert_true(strtol(ledger.row.cursor, NULL, 10) <=
						ledger.republished);
	}
	assert_true(ledger.row.is_repaired);
	assert_int_equal(ledger.republished, 5);
	assert_string_equal(ledger.row.cursor, "");
	relay_end(relay);
}

static void
a_repair_waits_while_the_sink_is_full(void **state)
{
	Random random = random_begin();
	Relay *relay = relay_begin(&random, false);

	memory.wait_percent = 100;
	add_transaction(&random);
	for (int i = 0; i < 100; i++)
	{
		now_us += 500000;
		turn(relay, true);
	}
	assert_int_equal(ledger.republished, 0);
	relay_end(relay);
}

/* Frames that do not follow from what was sent before end it by name. */
static void
a_stream_out_of_step_stops(void **state)
{
	static const struct
	{
		const char *what;
		FrameHeader first;
		FrameHeader second;
	} cases[] = {
		{ "begins inside another",
		  { FRAME_FIRST, 1, 2000, 2050, 0 },
		  { FRAME_FIRST, 1, 3000, 3050, 0 } },
		{ "goes on with none",
		  { FRAME_FIRST | FRAME_LAST, 1, 2000, 2050, 0 },
		  { FRAME_LAST, 1, 3000, 3050, 0 } },
		{ "another's frame",
		  { FRAME_FIRST, 1, 2000, 2050, 0 },
		  { FRAME_LAST, 1, 3000, 3050, 0 } },
		{ "goes backwards",
		  { FRAME_FIRST | FRAME_LAST, 1, 2000, 2050, 0 },
		  { FRAME_FIRST | FRAME_LAST, 1, 1500, 1550, 0 } },
	};
	Random random = random_begin();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		Relay *relay = relay_begin(&random, true);

		add_frame(&cases[i].first, 0);
		add_frame(&cases[i].second, 0);
		turn(relay, true);
		assert_int_equal(relay->exit_code, EXIT_NAMED_STOP);
		relay_end(relay);
	}
}

static void
a_damaged_frame_stops_and_confirms_nothing(void **state)
{
	Random random = random_begin();

	for (size_t cut = 1; cut < FRAME_HEADER_SIZE + 20; cut += 7)
	{
		Relay *relay = relay_begin(&random, true);

		add_transaction(&random);
		server.packets[0].len -= cut < server.packets[0].len ? cut : 1;
		turn(relay, true);
		assert_int_equal(relay->exit_code, EXIT_NAMED_STOP);
		assert_true(server.confirmed <= 1000);
		relay_end(relay);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_acknowledged_prefix_is_confirmed),
		cmocka_unit_test(nothing_is_confirmed_before_it_is_on_record),
		cmocka_unit_test(a_keepalive_does_not_overtake_what_is_in_flight),
		cmocka_unit_test(a_wanted_reply_is_given_at_once),
		cmocka_unit_test(feedback_goes_on_while_the_sink_is_full),
		cmocka_unit_test(a_server_that_left_is_noticed_while_the_sink_is_full),
		cmocka_unit_test(an_idle_stream_reports_seldom),
		cmocka_unit_test(events_are_reported_at_most_once_a_second),
		cmocka_unit_test(a_repair_goes_on_from_its_cursor_and_ends),
		cmocka_unit_test(a_repair_waits_while_the_sink_is_full),
		cmocka_unit_test(a_stream_out_of_step_stops),
		cmocka_unit_test(a_damaged_frame_stops_and_confirms_nothing),
	};

	log_init("test", LOG_ERROR, LOG_LOGFMT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
