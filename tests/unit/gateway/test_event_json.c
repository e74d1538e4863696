/* uses: gateway common/base */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "event_json.h"

static Slice
slice(const char *text)
{
	Slice s = { text, strlen(text) };

	return s;
}

static void
elements_come_one_after_another(void **state)
{
	Slice rest = slice("[{\"a\":\"]}\\\"\"}, \n[1,[2]],\"x,y\",7 ,null]");
	static const char *const expected[] = { "{\"a\":\"]}\\\"\"}", "[1,[2]]",
											"\"x,y\"", "7", "null" };
	Slice element;
	bool is_bad;

	(void) state;
	for (size_t i = 0; i < 5; i++)
	{
		assert_true(event_json_next(&rest, &element, &is_bad));
		assert_int_equal(element.len, strlen(expected[i]));
		assert_memory_equal(element.at, expected[i], element.len);
	}
	assert_false(event_json_next(&rest, &element, &is_bad));
	assert_false(is_bad);
}

static void
an_empty_array_has_none_and_is_good(void **state)
{
	static const char *const empties[] = { "[]", " [ ] " };
	Slice element;
	bool is_bad = true;

	(void) state;
	for (size_t i = 0; i < 2; i++)
	{
		Slice rest = slice(empties[i]);

		assert_false(event_json_next(&rest, &element, &is_bad));
		assert_false(is_bad);
	}
}

static void
what_is_cut_off_anywhere_is_bad(void **state)
{
	const char *whole =
		"[{\"kind\":\"message\",\"ev\":12,\"a\":[\"\\\\\"]},{}]";
	size_t len = strlen(whole);

	(void) state;
	for (size_t cut = 0; cut < len; cut++)
	{
		Slice rest = { whole, cut };
		Slice element;
		bool is_bad;

		while (event_json_next(&rest, &element, &is_bad))
			assert_in_range(element.at + element.len, whole, whole + cut);
		assert_true(is_bad);
	}
}

static void
fields_are_those_of_the_object_itself(void **state)
{
	Slice object = slice("{ \"x\" : {\"ev\":1}, \"body\":\"\\\"ev\\\":2\","
						 "\"ev\": 42 ,\"state\":\"removed\"}");
	uint64_t number;
	Slice value;

	(void) state;
	assert_true(event_json_number(object, "ev", &number));
	assert_int_equal(number, 42);
	assert_true(event_json_is(object, "state", "removed"));
	assert_false(event_json_is(object, "state", "remove"));
	assert_false(event_json_field(object, "none", &value));
	assert_false(event_json_field(slice("[1]"), "ev", &value));
}

static void
numbers_are_whole_and_below_2_53(void **state)
{
	static const char *const bad[] = {
		"{\"n\":-1}",
		"{\"n\":1.0}",
		"{\"n\":1e3}",
		"{\"n\":\"x\"}",
		"{\"n\":9007199254740992}",
		"{\"n\":null}",
		"{\"n\":99999999999999999999}",
	};
	uint64_t number;

	(void) state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(event_json_number(slice(bad[i]), "n", &number));
	assert_true(
		event_json_number(slice("{\"n\":9007199254740991}"), "n", &number));
	assert_int_equal(number, (INT64_C(1) << 53) - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(elements_come_one_after_another),
		cmocka_unit_test(an_empty_array_has_none_and_is_good),
		cmocka_unit_test(what_is_cut_off_anywhere_is_bad),
		cmocka_unit_test(fields_are_those_of_the_object_itself),
		cmocka_unit_test(numbers_are_whole_and_below_2_53),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
