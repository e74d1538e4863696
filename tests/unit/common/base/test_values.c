/* uses: common/base */
/*
 * The small ones: error, clock, uuid, utf8.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "clock.h"
#include "error.h"
#include "property.h"
#include "utf8.h"
#include "uuid.h"

static void
an_error_may_quote_itself_and_is_cut_not_overrun(void **state)
{
	Error err = { "" };
	char *lengthy = malloc(2000);

	(void) state;
	assert_non_null(lengthy);
	assert_false(error_set(&err, "connection refused"));
	assert_false(error_wrap(&err, "could not connect to %s", "Kafka"));
	assert_string_equal(err.text,
						"could not connect to Kafka: connection refused");
	assert_false(error_set(&err, "again: %s", err.text));
	assert_string_equal(
		err.text, "again: could not connect to Kafka: connection refused");

	memset(lengthy, 'x', 1999);
	lengthy[1999] = '\0';
	assert_false(error_set(&err, "%s", lengthy));
	assert_int_equal(strlen(err.text), sizeof err.text - 1);
	assert_false(error_wrap(&err, "here"));
	assert_memory_equal(err.text, "here: xxx", 9);
	assert_int_equal(strlen(err.text), sizeof err.text - 1);
	assert_false(error_wrap(&err, "%s", lengthy));
	assert_int_equal(strlen(err.text), sizeof err.text - 1);

	assert_false(error_set(NULL, "nobody asks"));
	assert_false(error_wrap(NULL, "nobody asks"));
	free(lengthy);
}

static void
tests_set_the_time(void **state)
{
	char text[CLOCK_TEXT_SIZE];
	int64_t before;

	(void) state;
	clock_set(5000000, 1795369960123456);
	assert_int_equal(clock_now_us(), 5000000);
	assert_string_equal(clock_format(clock_wall_us(), text),
						"2026-11-22T17:52:40.123456Z");
	assert_string_equal(clock_format(0, text), "1970-01-01T00:00:00.000000Z");
	assert_string_equal(clock_format(-1, text), "1969-12-31T23:59:59.999999Z");
	clock_unset();
	before = clock_now_us();
	assert_true(clock_now_us() >= before);
	assert_true(clock_wall_us() > 1700000000000000);
}

static void
a_uuid_is_36_characters_and_nothing_else(void **state)
{
	static const char good[] = "0190A000-1234-7000-8000-0123456789ab";
	static const char *const bad[] = {
		"",
		"0190a000-1234-7000-8000-0123456789a",
		"0190a000-1234-7000-8000-0123456789abc",
		"0190a00001234-7000-8000-0123456789ab",
		"0190a000-1234-7000-8000-0123456789ag",
		"{190a000-1234-7000-8000-0123456789a}",
		"0190a000-1234-7000-8000--123456789ab",
		" 190a000-1234-7000-8000-0123456789ab",
	};
	char text[UUID_TEXT_LEN + 1];
	Random random = random_begin();
	Uuid id;

	(void) state;
	assert_true(uuid_parse(good, strlen(good), &id));
	assert_string_equal(uuid_format(&id, text),
						"0190a000-1234-7000-8000-0123456789ab");
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(uuid_parse(bad[i], strlen(bad[i]), &id));

	for (int i = 0; i < 10000; i++)
	{
		Uuid again;

		for (int at = 0; at < 16; at++)
			id.byte[at] = (uint8_t) random_next(&random);
		assert_true(uuid_parse(uuid_format(&id, text), UUID_TEXT_LEN, &again));
		assert_true(uuid_equal(&id, &again));
		assert_int_equal(uuid_hash(&id), uuid_hash(&again));
	}
}

/* Keys of one source differ in a few bits; the low bits are what counts. */
static void
neighbouring_uuids_spread(void **state)
{
	enum
	{
		BUCKETS = 256,
		KEYS = BUCKETS * 64
	};

	(void) state;
	for (int byte = 0; byte < 15; byte++)
	{
		int hits[BUCKETS] = { 0 };

		for (int i = 0; i < KEYS; i++)
		{
			Uuid id = { { 0 } };

			id.byte[byte] = (uint8_t) (i >> 8);
			id.byte[byte + 1] = (uint8_t) i;
			hits[uuid_hash(&id) % BUCKETS]++;
		}
		for (int i = 0; i < BUCKETS; i++)
			assert_in_range(hits[i], 20, 130); /* 64 +- 5.5 sigma */
	}
}

/* The definition, by decoding: what RFC 3629 allows and nothing else. */
static size_t
slow_width(const unsigned char *c, size_t len)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t width = c[0] < 0x80             ? 1
				   : (c[0] & 0xe0) == 0xc0 ? 2
				   : (c[0] & 0xf0) == 0xe0 ? 3
				   : (c[0] & 0xf8) == 0xf0 ? 4
										   : 0;
	uint32_t code = width > 1 ? c[0] & (0x7fu >> width) : c[0];

	if (width == 0 || width > len)
		return 0;
	for (size_t i = 1; i < width; i++)
	{
		if ((c[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (c[i] & 0x3f);
	}
	if (code < least[width] || code > 0x10ffff ||
		(code >= 0xd800 && code <= 0xdfff))
		return 0;
	return width;
}

static void
utf8_is_what_the_rfc_says(void **state)
{
	static const unsigned char tails[] = { 0x00, 0x7f, 0x80, 0x8f, 0x90,
										   0x9f, 0xa0, 0xbf, 0xc0, 0xff };

	(void) state;
	for (int a = 0; a < 256; a++)
	{
		for (int b = 0; b < 256; b++)
		{
			for (size_t i = 0; i < sizeof tails; i++)
			{
				for (size_t len = 1; len <= 4; len++)
				{
					unsigned char c[4] = { (unsigned char) a, (unsigned char) b,
										   tails[i],
										   tails[sizeof tails - 1 - i] };

					assert_int_equal(utf8_width((const char *) c, len),
									 slow_width(c, len));
					c[3] = 0x80;
					assert_int_equal(utf8_width((const char *) c, len),
									 slow_width(c, len));
				}
			}
		}
	}
	assert_true(utf8_is_valid("", 0));
	assert_true(utf8_is_valid("a\0b", 3));
	assert_false(utf8_is_valid("ab\xff", 3));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_error_may_quote_itself_and_is_cut_not_overrun),
		cmocka_unit_test(tests_set_the_time),
		cmocka_unit_test(a_uuid_is_36_characters_and_nothing_else),
		cmocka_unit_test(neighbouring_uuids_spread),
		cmocka_unit_test(utf8_is_what_the_rfc_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
