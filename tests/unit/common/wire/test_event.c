/* uses: common/wire common/base */
#include "event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const uint8_t key[16] = { 0x01, 0x92, 0x0f };
static const uint8_t id[16] = { 0xff, 0xee };
static const char trace[] =
	"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

static size_t
write_sample(uint8_t *out, bool is_traced)
{
	static const char json[] = "{\"kind\":\"message\"}";
	Event event = { .kind = EVENT_MESSAGE,
					.flags = EVENT_REPLAY,
					.key = key,
					.id = id,
					.ev = UINT64_C(0x0102030405060708),
					.seq = 7,
					.rev = UINT64_C(1) << 40,
					.time_us = -1,
					.trace = is_traced ? trace : NULL,
					.json = json,
					.json_len = sizeof(json) - 1 };

	event_write(out, &event);
	return event_size(&event);
}

static void
bytes_stand_where_the_contract_says(void **state)
{
	uint8_t out[256];
	size_t len = write_sample(out, true);
	const uint8_t ev[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };

	assert_int_equal(len, 72 + 55 + 18);
	assert_int_equal(out[0], 1);
	assert_int_equal(out[1], 'm');
	assert_int_equal(out[2], 1);
	assert_int_equal(out[3], 55);
	assert_memory_equal(out + 4, key, 16);
	assert_memory_equal(out + 20, id, 16);
	assert_memory_equal(out + 36, ev, 8);
	assert_int_equal(out[51], 7);
	assert_int_equal(out[54], 1);
	assert_int_equal(out[60], 0xff);
	assert_int_equal(out[71], 18);
	assert_memory_equal(out + 72, trace, 55);
	assert_memory_equal(out + 127, "{\"kind\":\"message\"}", 18);
}

static void
what_was_written_is_parsed(void **state)
{
	for (int is_traced = 0; is_traced < 2; is_traced++)
	{
		uint8_t out[256];
		size_t len = write_sample(out, is_traced);
		Event event;

		assert_true(event_parse(out, len, &event));
		assert_int_equal(event.kind, EVENT_MESSAGE);
		assert_int_equal(event.flags, EVENT_REPLAY);
		assert_ptr_equal(event.key, out + 4);
		assert_ptr_equal(event.id, out + 20);
		assert_true(event.ev == UINT64_C(0x0102030405060708));
		assert_int_equal(event.seq, 7);
		assert_true(event.rev == UINT64_C(1) << 40);
		assert_int_equal(event.time_us, -1);
		assert_true((event.trace != NULL) == is_traced);
		assert_int_equal(event.json_len, 18);
		assert_ptr_equal(event.json + event.json_len, out + len);
	}
}

static void
another_length_is_no_event(void **state)
{
	uint8_t out[256] = { 0 };
	size_t len = write_sample(out, true);
	Event event;

	for (size_t other = 0; other < sizeof(out); other++)
	{
		/* an exact copy: a read beyond it is seen by ASan */
		uint8_t *copy = malloc(other + 1);

		assert_non_null(copy);
		memcpy(copy, out, other);
		assert_int_equal(event_parse(copy, other, &event), other == len);
		free(copy);
	}
}

static void
foreign_bytes_are_no_event(void **state)
{
	static const struct
	{
		size_t at;
		uint8_t value;
	} cases[] = {
		{ 0, 0 },
		{ 0, 2 },
		{ 1, 'x' },
		{ 1, 0 },
		{ 2, 2 },
		{ 2, 0x80 },
		{ 3, 54 },
		{ 3, 255 },
		{ 3, 0 },
		{ 68, 0xff },
		{ 71, 17 },
		{ 71, 19 },
		{ 54, 0 /* rev becomes 0 */ },
	};
	Event event;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		uint8_t out[256];
		size_t len = write_sample(out, true);

		out[cases[i].at] = cases[i].value;
		assert_false(event_parse(out, len, &event));
	}
}

static void
every_kind_has_a_name(void **state)
{
	int named = 0;

	for (int kind = 0; kind < 256; kind++)
		named += event_kind_name((uint8_t) kind) != NULL;
	assert_int_equal(named, 8);
	assert_string_equal(event_kind_name(EVENT_MESSAGE), "message");
	assert_string_equal(event_kind_name(EVENT_CONVERSATION), "conversation");
	assert_string_equal(event_kind_name(EVENT_MEMBER), "member");
	assert_string_equal(event_kind_name(EVENT_USER), "user");
	assert_string_equal(event_kind_name(EVENT_REACTION), "reaction");
	assert_string_equal(event_kind_name(EVENT_CURSOR), "cursor");
	assert_string_equal(event_kind_name(EVENT_PREFERENCE), "preference");
	assert_string_equal(event_kind_name(EVENT_BLOCK), "block");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_stand_where_the_contract_says),
		cmocka_unit_test(what_was_written_is_parsed),
		cmocka_unit_test(another_length_is_no_event),
		cmocka_unit_test(foreign_bytes_are_no_event),
		cmocka_unit_test(every_kind_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
