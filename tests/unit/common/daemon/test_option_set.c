/* uses: common/daemon common/base */
#include "option_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct Config
{
	char *config_file;
	char *name;
	int64_t wait_ms;
	int64_t retries;
	bool is_loud;
	char *key_file;
} Config;

static const Option options[] = {
	{ .name = "config_file",
	  .type = OPTION_STRING,
	  .offset = offsetof(Config, config_file) },
	{ .name = "name",
	  .type = OPTION_STRING,
	  .offset = offsetof(Config, name),
	  .is_required = true,
	  .help = "who" },
	{ .name = "wait_time",
	  .type = OPTION_DURATION,
	  .offset = offsetof(Config, wait_ms),
	  .fallback = "5s",
	  .is_required = true },
	{ .name = "retries",
	  .type = OPTION_INT,
	  .offset = offsetof(Config, retries),
	  .fallback = "3",
	  .max = 9 },
	{ .name = "is_loud",
	  .type = OPTION_BOOL,
	  .offset = offsetof(Config, is_loud),
	  .fallback = "off" },
	{ .name = "key_file",
	  .type = OPTION_SECRET_FILE,
	  .offset = offsetof(Config, key_file) },
	{ .name = NULL },
};

static char dir[] = "/tmp/chemchat-option-XXXXXX";
static char conf[64];
static char key[64];
static Config config;
static OptionSet *set;
static Error err;

static int
make_dir(void **state)
{
	(void) state;
	if (mkdtemp(dir) == NULL)
		return -1;
	(void) snprintf(conf, sizeof conf, "%s/x.conf", dir);
	(void) snprintf(key, sizeof key, "%s/key", dir);
	return 0;
}

static int
remove_dir(void **state)
{
	(void) state;
	(void) unlink(conf);
	(void) unlink(key);
	return rmdir(dir);
}

static int
begin(void **state)
{
	(void) state;
	config = (Config){ 0 };
	err.text[0] = '\0';
	set = option_set_new();
	option_set_add(set, options, &config);
	return 0;
}

static int
end(void **state)
{
	(void) state;
	option_set_free(&set);
	return set == NULL && config.name == NULL ? 0 : -1;
}

static void
put(const char *path, const char *text, size_t len, mode_t mode)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static void
put_conf(const char *text)
{
	put(conf, text, strlen(text), 0644);
}

/* argv and environment, each up to four. */
static bool
load(char *const flags[4], char *const env[4])
{
	char program[] = "chemchat-x";
	char *argv[6] = { program };
	char *environ_list[5] = { NULL };
	int argc = 1;

	for (int i = 0; i < 4 && flags != NULL && flags[i] != NULL; i++)
		argv[argc++] = flags[i];
	for (int i = 0; i < 4 && env != NULL && env[i] != NULL; i++)
		environ_list[i] = env[i];
	return option_set_load(set, argc, argv, environ_list, &err);
}

#define LIST(...)                                                              \
	(char *[4])                                                                \
	{                                                                          \
		__VA_ARGS__                                                            \
	}

/* string literals as what main() gets, without losing const */
static char *
word(const char *text)
{
	static char room[64][160];
	static unsigned turn;
	char *out = room[turn++ % 64];

	(void) snprintf(out, 160, "%s", text);
	return out;
}

static char *
conf_flag(void)
{
	static char flag[96];

	(void) snprintf(flag, sizeof flag, "--config-file=%s", conf);
	return flag;
}

static void
refused(char *const flags[4], char *const env[4], const char *reason)
{
	if (load(flags, env))
		fail_msg("was taken; expected: %s", reason);
	if (strstr(err.text, reason) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err.text, reason);
}

/* The same with a file of this text; the reason begins with its line. */
static void
file_refused(const char *text, int line, const char *reason)
{
	char expected[300];

	put_conf(text);
	(void) snprintf(expected, sizeof expected, "%s:%d: %s", conf, line, reason);
	refused(LIST(conf_flag()), NULL, expected);
	(void) end(NULL);
	(void) begin(NULL);
}

static void
each_source_beats_the_one_before(void **state)
{
	(void) state;
	put_conf("name = file\nwait_time = 1s\nretries = 1\nis_loud = on\n");
	assert_true(
		load(LIST(conf_flag(), word("--retries"), word("7")),
			 LIST(word("CHEMCHAT_RETRIES=5"), word("CHEMCHAT_WAIT_TIME=2s"))));
	assert_string_equal(config.name, "file");
	assert_true(config.is_loud);
	assert_int_equal(config.wait_ms, 2000);
	assert_int_equal(config.retries, 7);
}

static void
without_any_source_it_is_the_default(void **state)
{
	(void) state;
	assert_true(load(LIST(word("--name=me")), NULL));
	assert_int_equal(config.wait_ms, 5000);
	assert_int_equal(config.retries, 3);
	assert_false(config.is_loud);
	assert_null(config.key_file);
}

static void
dashes_and_underscores_are_the_same(void **state)
{
	(void) state;
	assert_true(load(LIST(word("--name=me"), word("--wait_time=1s")), NULL));
	assert_int_equal(config.wait_ms, 1000);
	assert_true(load(LIST(word("--name=me"), word("--wait-time=2s")), NULL));
	assert_int_equal(config.wait_ms, 2000);
}

static void
the_file_may_come_from_the_environment(void **state)
{
	char variable[96];

	(void) state;
	put_conf("name = file");
	(void) snprintf(variable, sizeof variable, "CHEMCHAT_CONFIG_FILE=%s", conf);
	assert_true(load(NULL, LIST(variable)));
	assert_string_equal(config.name, "file");
}

static void
an_empty_variable_is_none(void **state)
{
	(void) state;
	assert_true(load(LIST(word("--name=me")),
					 LIST(word("CHEMCHAT_RETRIES="), word("CHEMCHAT_NAME="))));
	assert_int_equal(config.retries, 3);
	assert_string_equal(config.name, "me");
}

static void
the_file_knows_comments_and_quotes(void **state)
{
	(void) state;
	put_conf("# a comment\n\n   \t\n"
			 "name = host=a#b user=c   # and why\n"
			 "\tretries=4\r\n"
			 "wait-time   =\t1min  \n");
	assert_true(load(LIST(conf_flag()), NULL));
	assert_string_equal(config.name, "host=a#b user=c");
	assert_int_equal(config.retries, 4);
	assert_int_equal(config.wait_ms, 60000);

	put_conf("name = \" a # \\\"b\\\" \\\\ \" # why\n");
	(void) end(NULL);
	(void) begin(NULL);
	assert_true(load(LIST(conf_flag()), NULL));
	assert_string_equal(config.name, " a # \"b\" \\ ");
}

static void
a_mistake_in_the_file_names_its_line(void **state)
{
	(void) state;
	file_refused("name = a\nwat = 1\n", 2, "wat: there is no such setting");
	file_refused("\n\nretries = many\n", 3,
				 "retries: \"many\" is not a number");
	file_refused("retries = 10\n", 1, "retries: must be between 0 and 9");
	file_refused("retries = 1\nname = a\nretries = 2\n", 3,
				 "retries: is set in line 1 already");
	file_refused("just words\n", 1, "expected \"key = value\"");
	file_refused("= 1\n", 1, "expected \"key = value\"");
	file_refused("name = \"no end\n", 1, "the quoted value has no end");
	file_refused("name = \"a\" b\n", 1,
				 "there is something after the quoted value");
	file_refused("config_file = y\n", 1,
				 "config_file: may not stand in a file");
	put(conf, "name = a\0b\n", 11, 0644);
	refused(LIST(conf_flag()), NULL, "there is a zero byte in the line");
}

static void
a_file_that_is_not_there_is_named(void **state)
{
	(void) state;
	refused(LIST(word("--config-file=/nowhere/x.conf")), NULL,
			"could not open \"/nowhere/x.conf\": No such file");
	refused(LIST(word("--config-file=/tmp")), NULL,
			"could not read \"/tmp\": it is not a file");
}

static void
a_mistake_elsewhere_names_variable_or_flag(void **state)
{
	(void) state;
	refused(LIST(word("--name=a")), LIST(word("CHEMCHAT_RETRIES=x")),
			"CHEMCHAT_RETRIES: \"x\" is not a number");
	refused(LIST(word("--name=a"), word("--wait-time=5")), NULL,
			"--wait-time: \"5\" needs a unit");
	refused(LIST(word("--nome=a")), NULL, "--nome: there is no such flag");
	refused(LIST(word("--name")), NULL, "--name: needs a value");
	refused(LIST(word("name")), NULL, "name: there is no such flag");
	refused(LIST(word("--")), NULL, "--: there is no such flag");
	refused(LIST(word("--nam=a")), NULL, "--nam: there is no such flag");
}

static void
what_is_required_must_be_there(void **state)
{
	(void) state;
	refused(NULL, NULL,
			"name: is required; set it in the file, as CHEMCHAT_NAME or as "
			"--name");
	refused(LIST(word("--name=")), NULL, "name: is required");
}

static void
a_secret_others_may_read_is_refused(void **state)
{
	char flag[96];

	(void) state;
	put(key, "00", 2, 0644);
	(void) snprintf(flag, sizeof flag, "--key-file=%s", key);
	refused(LIST(word("--name=a"), flag), NULL,
			"is open to everyone (mode 0644): chmod 600");
	assert_memory_equal(err.text, "--key-file: key_file: ", 22);
	assert_int_equal(unlink(key), 0);
	refused(LIST(word("--name=a"), flag), NULL, "No such file");
	put(key, "00", 2, 0600);
	assert_true(load(LIST(word("--name=a"), flag), NULL));
	assert_string_equal(config.key_file, key);
}

static void
a_secret_in_the_environment_is_refused(void **state)
{
	(void) state;
	refused(LIST(word("--name=a")), LIST(word("CHEMCHAT_KEY=0011")),
			"CHEMCHAT_KEY: a secret is read from a file only: "
			"set CHEMCHAT_KEY_FILE to its path");
	assert_null(strstr(err.text, "0011"));
}

static void
what_is_printed_can_be_read_again(void **state)
{
	Config again;
	Buf text;

	(void) state;
	assert_true(load(LIST(word("--name= a \"b\" #c\\"), word("--wait-time=90s"),
						  word("--is-loud=on")),
					 LIST(word("CHEMCHAT_RETRIES=2"))));
	buf_init(&text);
	option_set_print(set, &text);
	assert_non_null(strstr(text.data, "wait_time = 90s  # --wait-time\n"));
	assert_non_null(strstr(text.data, "retries = 2  # CHEMCHAT_RETRIES\n"));
	put_conf(text.data);
	buf_fini(&text);

	(void) end(NULL);
	(void) begin(NULL);
	if (!load(LIST(conf_flag()), NULL))
		fail_msg("%s", err.text);
	again = config;
	assert_string_equal(again.name, " a \"b\" #c\\");
	assert_int_equal(again.wait_ms, 90000);
	assert_int_equal(again.retries, 2);
	assert_true(again.is_loud);
}

static void
a_check_of_the_whole_is_told_its_source(void **state)
{
	(void) state;
	assert_true(load(LIST(word("--name=a"), word("--retries=9")), NULL));
	error_set(&err, "retries: are too many for this name");
	option_set_blame(set, &err);
	assert_string_equal(err.text,
						"--retries: retries: are too many for this name");
	error_set(&err, "something: else");
	option_set_blame(set, &err);
	assert_string_equal(err.text, "something: else");
}

static void
help_is_answered_whatever_else_is_wrong(void **state)
{
	char *argv[] = { word("x"), word("--nome"), word("--version"), NULL };

	(void) state;
	assert_int_equal(option_set_action(3, argv), OPTION_VERSION);
	assert_int_equal(option_set_action(2, argv), OPTION_RUN);
}

/* What is required and has a default need not be given. */
static void
help_shows_defaults_and_what_must_be_given(void **state)
{
	Buf text;

	(void) state;
	buf_init(&text);
	option_set_help(set, &text);
	assert_non_null(strstr(text.data, " (5s)\n"));
	assert_non_null(strstr(text.data, "who (required)\n"));
	assert_null(strstr(strstr(text.data, "(required)") + 1, "(required)"));
	buf_fini(&text);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(each_source_beats_the_one_before),
		EACH(without_any_source_it_is_the_default),
		EACH(dashes_and_underscores_are_the_same),
		EACH(the_file_may_come_from_the_environment),
		EACH(an_empty_variable_is_none),
		EACH(the_file_knows_comments_and_quotes),
		EACH(a_mistake_in_the_file_names_its_line),
		EACH(a_file_that_is_not_there_is_named),
		EACH(a_mistake_elsewhere_names_variable_or_flag),
		EACH(what_is_required_must_be_there),
		EACH(a_secret_others_may_read_is_refused),
		EACH(a_secret_in_the_environment_is_refused),
		EACH(what_is_printed_can_be_read_again),
		EACH(a_check_of_the_whole_is_told_its_source),
		EACH(help_is_answered_whatever_else_is_wrong),
		EACH(help_shows_defaults_and_what_must_be_given),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
