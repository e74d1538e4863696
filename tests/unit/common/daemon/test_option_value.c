/* uses: common/daemon common/base */
#include "option_value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

typedef struct Config
{
	char *text;
	int64_t number;
	bool flag;
} Config;

static const Option text_option = { .name = "text",
									.type = OPTION_STRING,
									.offset = offsetof(Config, text) };
static const Option int_option = { .name = "n",
								   .type = OPTION_INT,
								   .offset = offsetof(Config, number),
								   .min = -5,
								   .max = 100 };
static const Option free_int_option = { .name = "n",
										.type = OPTION_INT,
										.offset = offsetof(Config, number) };
static const Option bool_option = { .name = "b",
									.type = OPTION_BOOL,
									.offset = offsetof(Config, flag) };
static const Option duration_option = { .name = "d",
										.type = OPTION_DURATION,
										.offset = offsetof(Config, number) };
static const Option short_option = { .name = "d",
									 .type = OPTION_DURATION,
									 .offset = offsetof(Config, number),
									 .min = 250,
									 .max = 60000 };
static const Option size_option = { .name = "s",
									.type = OPTION_SIZE,
									.offset = offsetof(Config, number) };

static void
expect(const Option *option, const char *text, int64_t value,
	   const char *printed)
{
	Config config = { 0 };
	Error err = { "" };
	Buf out;

	buf_init(&out);
	if (!option_value_set(option, &config, text, &err))
		fail_msg("%s: %s", text, err.text);
	assert_int_equal(option->type == OPTION_BOOL ? config.flag : config.number,
					 value);
	option_value_write(option, &config, &out);
	assert_string_equal(out.data, printed);
	buf_fini(&out);
}

static void
refuse(const Option *option, const char *text, const char *reason)
{
	Config config = { .number = 77 };
	Error err = { "" };

	if (option_value_set(option, &config, text, &err))
		fail_msg("\"%s\" was taken", text);
	assert_string_equal(err.text, reason);
	assert_int_equal(config.number, 77);
}

static void
numbers_are_whole_and_in_range(void **state)
{
	(void) state;
	expect(&int_option, "42", 42, "42");
	expect(&int_option, "-5", -5, "-5");
	expect(&int_option, "100", 100, "100");
	expect(&free_int_option, "-9223372036854775808", INT64_MIN,
		   "-9223372036854775808");
	refuse(&int_option, "101", "must be between -5 and 100");
	refuse(&int_option, "-6", "must be between -5 and 100");
	refuse(&int_option, "", "\"\" is not a number");
	refuse(&int_option, " 4", "\" 4\" is not a number");
	refuse(&int_option, "+4", "\"+4\" is not a number");
	refuse(&int_option, "0x10", "\"0x10\" is not a whole number");
	refuse(&int_option, "1e3", "\"1e3\" is not a whole number");
	refuse(&int_option, "4s", "\"4s\" is not a whole number");
	refuse(&free_int_option, "9223372036854775808",
		   "\"9223372036854775808\" is out of range");
}

static void
times_have_units(void **state)
{
	(void) state;
	expect(&duration_option, "250ms", 250, "250ms");
	expect(&duration_option, "1500ms", 1500, "1500ms");
	expect(&duration_option, "5 s", 5000, "5s");
	expect(&duration_option, "90s", 90000, "90s");
	expect(&duration_option, "2min", 120000, "2min");
	expect(&duration_option, "24h", 86400000, "1d");
	expect(&duration_option, "7d", 604800000, "7d");
	expect(&duration_option, "0", 0, "0");
	refuse(&duration_option, "5", "\"5\" needs a unit: ms, s, min, h or d");
	refuse(&duration_option, "5m", "\"5m\" needs a unit: ms, s, min, h or d");
	refuse(&duration_option, "1.5s",
		   "\"1.5s\" needs a unit: ms, s, min, h or d");
	refuse(&duration_option, "-5s", "must not be negative");
	refuse(&duration_option, "9223372036854775807d",
		   "\"9223372036854775807d\" is out of range");
	refuse(&short_option, "249ms", "must be between 250ms and 1min");
	refuse(&short_option, "1h", "must be between 250ms and 1min");
}

static void
sizes_have_units(void **state)
{
	(void) state;
	expect(&size_option, "64kB", 65536, "64kB");
	expect(&size_option, "1MB", 1048576, "1MB");
	expect(&size_option, "3 GB", 3221225472, "3GB");
	expect(&size_option, "100B", 100, "100B");
	refuse(&size_option, "64", "\"64\" needs a unit: B, kB, MB, GB or TB");
	refuse(&size_option, "64KB", "\"64KB\" needs a unit: B, kB, MB, GB or TB");
	refuse(&size_option, "-1kB", "must not be negative");
}

static void
switches_are_on_or_off(void **state)
{
	(void) state;
	expect(&bool_option, "on", 1, "on");
	expect(&bool_option, "TRUE", 1, "on");
	expect(&bool_option, "yes", 1, "on");
	expect(&bool_option, "1", 1, "on");
	expect(&bool_option, "off", 0, "off");
	expect(&bool_option, "False", 0, "off");
	expect(&bool_option, "no", 0, "off");
	expect(&bool_option, "0", 0, "off");
	refuse(&bool_option, "", "\"\" is neither on nor off");
	refuse(&bool_option, "2", "\"2\" is neither on nor off");
}

static void
a_password_is_never_printed(void **state)
{
	static const struct
	{
		const char *text;
		const char *printed;
	} cases[] = {
		{ "plain", "plain" },
		{ "", "\"\"" },
		{ "two words", "\"two words\"" },
		{ "a\"b\\c#d", "\"a\\\"b\\\\c#d\"" },
		{ "host=a password=hunter2 user=b", "\"host=a password=*** user=b\"" },
		{ "password='hun ter\\'2' user=b", "\"password=*** user=b\"" },
		{ "password='never ends", "\"password=***\"" },
		{ "postgresql://u:hunter2@h:5432/db", "postgresql://u:***@h:5432/db" },
		{ "redis://:hunter@2@h:6379/0", "redis://:***@h:6379/0" },
		{ "redis://h:6379/0", "redis://h:6379/0" },
		{ "postgresql://h/db?password=hunter2&x=1",
		  "postgresql://h/db?password=***&x=1" },
		{ "postgresql://u:a@h/db?Password=b",
		  "postgresql://u:***@h/db?Password=***" },
		{ "http://a:b@c http://d:e@f", "\"http://a:***@c http://d:***@f\"" },
	};

	(void) state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
	{
		Config config = { 0 };
		Error err = { "" };
		Buf out;

		buf_init(&out);
		assert_true(
			option_value_set(&text_option, &config, cases[i].text, &err));
		option_value_write(&text_option, &config, &out);
		assert_string_equal(out.data, cases[i].printed);
		option_value_clear(&text_option, &config);
		assert_null(config.text);
		buf_fini(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_whole_and_in_range),
		cmocka_unit_test(times_have_units),
		cmocka_unit_test(sizes_have_units),
		cmocka_unit_test(switches_are_on_or_off),
		cmocka_unit_test(a_password_is_never_printed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
