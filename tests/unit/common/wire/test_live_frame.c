/* uses: common/wire common/base */
#include "live_frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define MESSAGE_SIZE 1024

static const uint8_t key[16] = { 1, 2, 3 };
static const uint8_t id[16] = { 4, 5, 6 };

/* A message of `count` events with ev 1.. */
static size_t
make_message(uint8_t *out, uint16_t count)
{
	LiveHeader header = {
		.is_heartbeat = count == 0,
		.event_count = count,
		.timeline = 3,
		.incarnation = 1700000000000000,
		.number = 9,
		.system_id = 0xFEDCBA9876543210,
		.end_lsn = 0x16B374D848,
	};
	size_t len = LIVE_HEADER_SIZE;

	live_frame_write_header(out, &header);
	for (uint16_t i = 0; i < count; i++)
	{
		Event event = { .kind = EVENT_MESSAGE,
						.key = key,
						.id = id,
						.ev = i + 1U,
						.seq = i + 1U,
						.rev = 1,
						.json = "{}",
						.json_len = 2 };

		bytes_put_u32(out + len, (uint32_t) event_size(&event));
		event_write(out + len + LIVE_EVENT_OVERHEAD, &event);
		len += LIVE_EVENT_OVERHEAD + event_size(&event);
	}
	return len;
}

static void
what_was_written_is_read(void **state)
{
	uint8_t bytes[MESSAGE_SIZE];
	size_t len = make_message(bytes, 3);
	LiveFrameReader reader;
	Event event;

	(void) state;
	assert_true(live_frame_init(&reader, bytes, len));
	assert_false(reader.header.is_heartbeat);
	assert_int_equal(reader.header.event_count, 3);
	assert_int_equal(reader.header.timeline, 3);
	assert_true(reader.header.incarnation == 1700000000000000);
	assert_true(reader.header.number == 9);
	assert_true(reader.header.system_id == 0xFEDCBA9876543210);
	assert_true(reader.header.end_lsn == 0x16B374D848);
	for (uint64_t ev = 1; ev <= 3; ev++)
	{
		assert_true(live_frame_next(&reader, &event));
		assert_true(event.ev == ev);
		assert_memory_equal(event.key, key, 16);
	}
	assert_false(live_frame_next(&reader, &event));
}

static void
heartbeat_has_a_number_and_no_events(void **state)
{
	uint8_t bytes[MESSAGE_SIZE];
	size_t len = make_message(bytes, 0);
	LiveFrameReader reader;
	Event event;

	(void) state;
	assert_int_equal(len, LIVE_HEADER_SIZE);
	assert_true(live_frame_init(&reader, bytes, len));
	assert_true(reader.header.is_heartbeat);
	assert_false(live_frame_next(&reader, &event));
}

static void
every_cut_and_every_addition_is_refused(void **state)
{
	uint8_t bytes[MESSAGE_SIZE] = { 0 };
	size_t len = make_message(bytes, 2);
	LiveFrameReader reader;

	(void) state;
	for (size_t cut = 0; cut < len; cut++)
	{
		/* a copy of exactly that size: a sanitizer sees a read beyond it */
		uint8_t *copy = malloc(cut > 0 ? cut : 1);

		memcpy(copy, bytes, cut);
		assert_false(live_frame_init(&reader, copy, cut));
		assert_non_null(reader.reason);
		free(copy);
	}
	assert_false(live_frame_init(&reader, bytes, len + 1));
}

static void
lies_are_refused(void **state)
{
	static const struct
	{
		size_t at;
		uint8_t value;
	} lies[] = {
		{ 0, 2 },                    /* version */
		{ 1, 'x' },                  /* kind */
		{ 1, LIVE_HEARTBEAT },       /* a heartbeat with events */
		{ 3, 0 },                    /* events without any */
		{ 3, 3 },                    /* more than there are */
		{ 3, 1 },                    /* fewer */
		{ LIVE_HEADER_SIZE, 0xFF },  /* an event of 4 GB */
		{ LIVE_HEADER_SIZE + 4, 9 }, /* an event of another version */
	};
	LiveFrameReader reader;

	(void) state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++)
	{
		uint8_t bytes[MESSAGE_SIZE];
		size_t len = make_message(bytes, 2);

		bytes[lies[i].at] = lies[i].value;
		assert_false(live_frame_init(&reader, bytes, len));
	}
}

static void
zero_numbers_are_refused(void **state)
{
	static const size_t fields[][2] = { { 4, 4 }, { 8, 8 }, { 16, 8 } };
	LiveFrameReader reader;

	(void) state;
	for (int i = 0; i < 3; i++)
	{
		uint8_t bytes[MESSAGE_SIZE];
		size_t len = make_message(bytes, 1);

		memset(bytes + fields[i][0], 0, fields[i][1]);
		assert_false(live_frame_init(&reader, bytes, len));
	}
}

static void
channel_names_go_both_ways(void **state)
{
	static const char *const wrong[] = {
		"",
		"{chemchat:",
		"{chemchat:}:live",
		"{chemchat:64}:live",
		"{chemchat:-1}:live",
		"{chemchat:01}:live",
		"{chemchat:5}:livex",
		"{chemchat:5}:liv",
		"{chemchat:5}",
		"{chemchat:live}:incarnation",
		"{chemchat:123}:live",
		"{Chemchat:5}:live",
	};
	char name[LIVE_CHANNEL_SIZE];

	(void) state;
	for (int i = 0; i < LIVE_CHANNELS; i++)
	{
		live_channel_name(i, name);
		assert_int_equal(live_channel_parse(name, strlen(name)), i);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(live_channel_parse(wrong[i], strlen(wrong[i])), -1);
}

static void
keys_spread_over_all_channels(void **state)
{
	int count[LIVE_CHANNELS] = { 0 };

	(void) state;
	for (uint32_t i = 0; i < 6400; i++)
	{
		uint8_t some[16] = { 0 };

		bytes_put_u32(some, i * 2654435761U);
		count[live_channel_of(some)]++;
	}
	for (int i = 0; i < LIVE_CHANNELS; i++)
		assert_in_range(count[i], 50, 200);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read),
		cmocka_unit_test(heartbeat_has_a_number_and_no_events),
		cmocka_unit_test(every_cut_and_every_addition_is_refused),
		cmocka_unit_test(lies_are_refused),
		cmocka_unit_test(zero_numbers_are_refused),
		cmocka_unit_test(channel_names_go_both_ways),
		cmocka_unit_test(keys_spread_over_all_channels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
