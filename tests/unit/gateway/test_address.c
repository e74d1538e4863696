/* uses: gateway common/base */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "address.h"
#include "address_limit.h"
#include "proxy_header.h"

static Slice
slice(const char *text)
{
	return (Slice){ text, strlen(text) };
}

static Address
address(const char *text)
{
	Address parsed;

	assert_true(address_parse(slice(text), &parsed));
	return parsed;
}

static void
addresses_are_read_and_written(void **state)
{
	static const char *const bad[] = { "",           "1.2.3",    "1.2.3.256",
									   "1.2.3.4:80", "[::1]",    "::1%lo",
									   "a.b.c.d",    " 1.2.3.4", "1.2.3.4 " };
	char text[ADDRESS_TEXT_SIZE];
	Address parsed;

	(void) state;
	parsed = address("192.0.2.1");
	assert_string_equal(address_format(&parsed, text), "192.0.2.1");
	parsed = address("2001:DB8::1");
	assert_string_equal(address_format(&parsed, text), "2001:db8::1");
	parsed = address("::ffff:192.0.2.1");
	assert_string_equal(address_format(&parsed, text), "192.0.2.1");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(address_parse(slice(bad[i]), &parsed));
}

static void
ranges_have_what_is_in_them(void **state)
{
	static const char *const bad[] = { "10.0.0.0/33", "10.0.0.0/",
									   "10.0.0.0/-1", "10.0.0.0/8/8",
									   "::1/129",     "a",
									   "10.0.0.1,,",  "10.0.0.0/0x8" };
	static const struct
	{
		const char *address;
		bool is_in;
	} cases[] = {
		{ "10.255.255.255", true },   { "11.0.0.0", false },
		{ "192.0.2.7", true },        { "192.0.2.6", false },
		{ "172.31.255.255", true },   { "172.32.0.0", false },
		{ "2001:db8:ffff::1", true }, { "2001:db9::", false },
		{ "::ffff:10.1.2.3", true },  { "::", false },
	};
	AddressRanges ranges;
	Error err;

	(void) state;
	assert_true(address_ranges_parse(
		"10.0.0.0/8, 192.0.2.7,172.16.0.0/12 ,2001:db8::/32", &ranges, &err));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		Address one = address(cases[i].address);

		if (address_ranges_have(&ranges, &one) != cases[i].is_in)
			fail_msg("%s", cases[i].address);
	}
	address_ranges_free(&ranges);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		if (address_ranges_parse(bad[i], &ranges, &err))
			fail_msg("%s", bad[i]);
	}
	assert_true(address_ranges_parse(NULL, &ranges, &err));
	assert_int_equal(ranges.count, 0);
	assert_true(address_ranges_parse("0.0.0.0/0", &ranges, &err));
	assert_true(address_ranges_have(
		&ranges, &(Address){ .byte = { [10] = 0xff, [11] = 0xff } }));
	address_ranges_free(&ranges);
}

static void
the_client_is_the_last_untrusted_hop(void **state)
{
	static const struct
	{
		const char *peer;
		const char *forwarded; /* a line each, parted by | */
		const char *client;
	} cases[] = {
		{ "10.0.0.1", "", "10.0.0.1" },
		{ "10.0.0.1", "192.0.2.1", "192.0.2.1" },
		{ "10.0.0.1", "6.6.6.6, 192.0.2.1", "192.0.2.1" },
		{ "10.0.0.1", "192.0.2.1,\t10.0.0.2 , 10.0.0.3", "192.0.2.1" },
		{ "10.0.0.1", "10.0.0.9, 10.0.0.2", "10.0.0.9" },
		{ "192.0.2.9", "192.0.2.1", "192.0.2.9" },
		{ "10.0.0.1", "192.0.2.1, unknown", "10.0.0.1" },
		{ "10.0.0.1", "192.0.2.1, nonsense, 10.0.0.2", "10.0.0.2" },
		{ "10.0.0.1", "192.0.2.1,", "10.0.0.1" },
		{ "10.0.0.1", "6.6.6.6, 192.0.2.1:4711", "192.0.2.1" },
		{ "10.0.0.1", "192.0.2.1, 10.0.0.2:65535", "192.0.2.1" },
		{ "10.0.0.1", "[2001:db8::7]:4711", "2001:db8::7" },
		{ "10.0.0.1", "[2001:db8::7]", "2001:db8::7" },
		{ "10.0.0.1", "2001:db8::7:4711", "2001:db8::7:4711" },
		{ "10.0.0.1", "::1", "::1" },
		{ "10.0.0.1", "192.0.2.1:", "10.0.0.1" },
		{ "10.0.0.1", ":80", "10.0.0.1" },
		{ "10.0.0.1", "[]:80", "10.0.0.1" },
		{ "10.0.0.1", "[192.0.2.1:80", "10.0.0.1" },
		{ "10.0.0.1", "192.0.2.1:123456", "10.0.0.1" },
		{ "10.0.0.1", ",", "10.0.0.1" },
		{ "10.0.0.1", "6.6.6.6|192.0.2.1", "192.0.2.1" },
		{ "10.0.0.1", "6.6.6.6, 192.0.2.1|10.0.0.2", "192.0.2.1" },
		{ "10.0.0.1", "192.0.2.1|10.0.0.3|10.0.0.2", "192.0.2.1" },
		{ "10.0.0.1", "2001:db8::7|10.0.0.2,10.0.0.3", "2001:db8::7" },
		{ "10.0.0.1", "6.6.6.6|unknown", "10.0.0.1" },
		{ "10.0.0.1", "6.6.6.6|unknown|10.0.0.2", "10.0.0.2" },
		{ "10.0.0.1", "192.0.2.1||", "192.0.2.1" },
		{ "192.0.2.9", "6.6.6.6|192.0.2.1", "192.0.2.9" },
	};
	AddressRanges trusted;
	Error err;

	(void) state;
	assert_true(address_ranges_parse("10.0.0.0/8", &trusted, &err));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		Address peer = address(cases[i].peer);
		const char *at = cases[i].forwarded;
		char text[ADDRESS_TEXT_SIZE];
		Address client;
		Slice lines[4];
		int count = 0;

		for (;; at++)
		{
			lines[count].at = at;
			lines[count++].len = strcspn(at, "|");
			at += lines[count - 1].len;
			if (*at == '\0')
				break;
		}
		client = address_forwarded(&trusted, &peer, lines, count);

		assert_string_equal(address_format(&client, text), cases[i].client);
	}
	address_ranges_free(&trusted);
}

static void
a_limit_is_each_household_s_own(void **state)
{
	RateRule rule = { 2, 2 };
	AddressLimit *limit = address_limit_new(2, &rule);
	Address a = address("192.0.2.1");
	Address b = address("192.0.2.2");
	Address c = address("2001:db8::1");
	Address d = address("2001:db8::ffff:2"); /* of the same /64 */
	int64_t wait_ms;

	(void) state;
	assert_true(address_limit_enter(limit, &a));
	assert_true(address_limit_enter(limit, &a));
	assert_false(address_limit_enter(limit, &a));
	assert_true(address_limit_enter(limit, &b));
	assert_true(address_limit_enter(limit, &c));
	assert_true(address_limit_enter(limit, &d));
	assert_false(address_limit_enter(limit, &c));
	address_limit_leave(limit, &a);
	assert_true(address_limit_enter(limit, &a));

	assert_true(address_limit_take(limit, &a, 1000000, &wait_ms));
	assert_true(address_limit_take(limit, &a, 1000000, &wait_ms));
	assert_false(address_limit_take(limit, &a, 1000000, &wait_ms));
	assert_int_equal(wait_ms, 500);
	assert_true(address_limit_take(limit, &b, 1000000, &wait_ms));

	/* Forgotten once there is nothing to remember. */
	address_limit_leave(limit, &b);
	address_limit_sweep(limit, 1400000);
	assert_int_equal(address_limit_count(limit), 3);
	address_limit_sweep(limit, 1600000);
	assert_int_equal(address_limit_count(limit), 2);
	address_limit_free(&limit);
}

static void
a_limit_of_0_is_none(void **state)
{
	RateRule none = { 0, 0 };
	AddressLimit *limit = address_limit_new(0, &none);
	Address a = address("192.0.2.1");
	int64_t wait_ms;

	(void) state;
	for (int i = 0; i < 10000; i++)
	{
		assert_true(address_limit_enter(limit, &a));
		assert_true(address_limit_take(limit, &a, 1, &wait_ms));
	}
	assert_int_equal(address_limit_count(limit), 0);
	address_limit_leave(limit, &a);
	address_limit_free(&limit);
}

#define V2 "\r\n\r\n\0\r\nQUIT\n"

static void
a_proxy_header_is_exact(void **state)
{
	static const struct
	{
		const char *bytes;
		size_t len;
		ProxyVerdict verdict;
		size_t used;
		const char *address;
	} cases[] = {
#define CASE(text, verdict, used, address)                                     \
	{ text, sizeof(text) - 1, verdict, used, address }
		CASE("PROXY TCP4 1.2.3.4 5.6.7.8 1 65535\r\nGET", PROXY_OK, 36,
			 "1.2.3.4"),
		CASE("PROXY TCP6 2001:db8::1 ::1 1 2\r\n", PROXY_OK, 32, "2001:db8::1"),
		CASE("PROXY UNKNOWN whatever\r\n", PROXY_LOCAL, 24, NULL),
		CASE("PROXY UNKNOWN\r\n", PROXY_LOCAL, 15, NULL),
		CASE("PRO", PROXY_MORE, 3, NULL),
		CASE("PROXY TCP4 1.2.3.4 5.6.7.8 1 65536\r\n", PROXY_BAD, 36, NULL),
		CASE("PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n", PROXY_BAD, 34, NULL),
		CASE("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n", PROXY_BAD, 31, NULL),
		CASE("PROXY TCP4  1.2.3.4 5.6.7.8 1 2\r\n", PROXY_BAD, 33, NULL),
		CASE("PROXY TCP4 ::1 ::1 1 2\r\n", PROXY_BAD, 24, NULL),
		CASE("PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n", PROXY_BAD, 32, NULL),
		CASE("PROXY\r\n", PROXY_BAD, 0, NULL),
		CASE("GET / HTTP/1.1\r\n", PROXY_BAD, 0, NULL),
		CASE(V2 "\x21\x11\0\x0c\1\2\3\4\5\6\7\x08\0\1\0\2rest", PROXY_OK, 28,
			 "1.2.3.4"),
		CASE(V2 "\x21\x21\0\x24"
				"0123456789abcdef0123456789abcdef1234",
			 PROXY_OK, 52, "3031:3233:3435:3637:3839:6162:6364:6566"),
		CASE(V2 "\x20\0\0\0", PROXY_LOCAL, 16, NULL),
		CASE(V2 "\x21\0\0\0", PROXY_LOCAL, 16, NULL),
		CASE(V2 "\x21\x11\0\x0c\1\2", PROXY_MORE, 18, NULL),
		CASE(V2, PROXY_MORE, 12, NULL),
		CASE(V2 "\x31\x11\0\x0c", PROXY_BAD, 16, NULL),
		CASE(V2 "\x22\x11\0\x0c", PROXY_BAD, 16, NULL),
		CASE(V2 "\x21\x11\0\x0b"
				"01234567890",
			 PROXY_BAD, 27, NULL),
		CASE(V2 "\x21\x31\0\0", PROXY_BAD, 16, NULL),
		CASE(V2 "\x21\x11\x10\0", PROXY_BAD, 16, NULL),
	};

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		char text[ADDRESS_TEXT_SIZE];
		Address client;
		size_t used;
		ProxyVerdict verdict =
			proxy_header_parse((const unsigned char *) cases[i].bytes,
							   cases[i].len, &client, &used);

		if (verdict != cases[i].verdict ||
			(verdict != PROXY_BAD && used != cases[i].used))
			fail_msg("case %zu: %d, %zu bytes", i, verdict, used);
		if (cases[i].address != NULL)
			assert_string_equal(address_format(&client, text),
								cases[i].address);
	}
}

static void
a_line_without_an_end_has_one(void **state)
{
	unsigned char line[200];
	Address client;
	size_t used;

	(void) state;
	memset(line, 'x', sizeof(line));
	memcpy(line, "PROXY UNKNOWN ", 14);
	assert_int_equal(proxy_header_parse(line, 106, &client, &used), PROXY_MORE);
	assert_int_equal(used, 106);
	assert_int_equal(proxy_header_parse(line, 107, &client, &used), PROXY_BAD);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_read_and_written),
		cmocka_unit_test(ranges_have_what_is_in_them),
		cmocka_unit_test(the_client_is_the_last_untrusted_hop),
		cmocka_unit_test(a_limit_is_each_household_s_own),
		cmocka_unit_test(a_limit_of_0_is_none),
		cmocka_unit_test(a_proxy_header_is_exact),
		cmocka_unit_test(a_line_without_an_end_has_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
