/* uses: common/base */
/* pkgs: jansson */
#include "log.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "clock.h"

#define WALL_US 1795369960123456

static int saved_stderr = -1;
static FILE *caught;

/* What is written to stderr goes to a file until caught_lines reads it. */
static void
catch_stderr(void)
{
	caught = tmpfile();
	assert_non_null(caught);
	(void) fflush(stderr);
	saved_stderr = dup(STDERR_FILENO);
	assert_true(dup2(fileno(caught), STDERR_FILENO) >= 0);
}

static size_t
caught_lines(char lines[][512], size_t max)
{
	size_t count = 0;

	assert_true(dup2(saved_stderr, STDERR_FILENO) >= 0);
	(void) close(saved_stderr);
	rewind(caught);
	while (count < max && fgets(lines[count], 512, caught) != NULL)
		count++;
	(void) fclose(caught);
	return count;
}

static char lines[500][512];

static void
one_event_is_one_line(void **state)
{
	(void) state;
	clock_set(1000000, WALL_US);
	log_init("relay", LOG_INFO, LOG_LOGFMT);
	catch_stderr();
	log_info("stream started", "slot=%s lsn=%s", "chemchat_5_0of1", "0/16B");
	log_warn("odd\nmessage", "reason=%s raw=a\nb", log_quote("a \"b\"\n\\"));
	log_debug("not asked for", NULL);
	log_error("bare", NULL);
	assert_int_equal(caught_lines(lines, 500), 3);
	assert_string_equal(
		lines[0], "time=2026-11-22T17:52:40.123456Z level=info service=relay "
				  "msg=\"stream started\" slot=chemchat_5_0of1 lsn=0/16B\n");
	assert_string_equal(
		lines[1],
		"time=2026-11-22T17:52:40.123456Z level=warn service=relay "
		"msg=\"odd\\nmessage\" reason=\"a \\\"b\\\"\\n\\\\\" raw=a b\n");
	assert_string_equal(lines[2],
						"time=2026-11-22T17:52:40.123456Z level=error "
						"service=relay msg=\"bare\"\n");
	clock_unset();
}

static const char *
member(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

static void
json_says_the_same(void **state)
{
	json_t *object;

	(void) state;
	clock_set(1000000, WALL_US);
	log_init("relay", LOG_INFO, LOG_JSON);
	catch_stderr();
	log_info("json \"line\"", "slot=%s reason=%s empty= last=\xff", "s",
			 log_quote("two words\n\"q\" \\"));
	assert_int_equal(caught_lines(lines, 500), 1);
	object = json_loads(lines[0], JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(object);
	assert_string_equal(member(object, "time"), "2026-11-22T17:52:40.123456Z");
	assert_string_equal(member(object, "level"), "info");
	assert_string_equal(member(object, "service"), "relay");
	assert_string_equal(member(object, "msg"), "json \"line\"");
	assert_string_equal(member(object, "slot"), "s");
	assert_string_equal(member(object, "reason"), "two words\n\"q\" \\");
	assert_string_equal(member(object, "empty"), "");
	assert_string_equal(member(object, "last"), "\xef\xbf\xbd");
	json_decref(object);
	clock_unset();
}

static void
burst(int count)
{
	for (int i = 0; i < count; i++)
		log_warn("again", "i=%d", i);
}

static void
a_burst_is_counted_and_told_later(void **state)
{
	(void) state;
	clock_set(100000000, WALL_US);
	log_init("relay", LOG_INFO, LOG_LOGFMT);
	catch_stderr();
	burst(LOG_BURST + 30);
	log_warn("another site", NULL); /* is not held back */
	clock_set(100000000 + 10000000, WALL_US);
	burst(1);
	assert_int_equal(caught_lines(lines, 500), LOG_BURST + 2);
	assert_non_null(strstr(lines[LOG_BURST], "another site"));
	assert_non_null(strstr(lines[LOG_BURST + 1], "msg=\"again\" i=0"));
	assert_non_null(strstr(lines[LOG_BURST + 1], " repeated=30\n"));
	assert_null(strstr(lines[LOG_BURST - 1], "repeated"));
	clock_unset();
}

static void
a_burst_that_just_ends_is_told_too(void **state)
{
	(void) state;
	clock_set(200000000, WALL_US);
	catch_stderr();
	burst(LOG_BURST + 7);
	log_tell_repeats(false); /* the window is not over */
	clock_set(200000000 + 10000000, WALL_US);
	log_tell_repeats(false);
	log_tell_repeats(false);
	burst(LOG_BURST + 2);
	log_tell_repeats(true);
	assert_int_equal(caught_lines(lines, 500), LOG_BURST + 1 + LOG_BURST + 1);
	assert_non_null(strstr(lines[LOG_BURST], "msg=\"again\" repeated=7\n"));
	assert_non_null(
		strstr(lines[2 * LOG_BURST + 1], "msg=\"again\" repeated=2\n"));
	clock_unset();
}

static void
a_long_value_is_cut_inside_its_quotes(void **state)
{
	char text[2000];
	const char *quoted;

	(void) state;
	memset(text, '"', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	quoted = log_quote(text);
	assert_in_range(strlen(quoted), 400, 511);
	assert_string_equal(quoted + strlen(quoted) - 6, "\\\"...\"");
	assert_string_equal(log_quote(NULL), "\"\"");
}

static void *
log_many(void *context)
{
	/* formats of their own: twenty sites a thread, none held back */
	static const char *const formats[] = { "t=%d i=%d", "t=%d  i=%d" };

	for (int i = 0; i < LOG_BURST; i++)
	{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		log_info("threads", formats[*(int *) context], *(int *) context, i);
#pragma GCC diagnostic pop
	}
	return NULL;
}

static void
threads_do_not_tear_each_others_lines(void **state)
{
	pthread_t threads[2];
	int numbers[2] = { 0, 1 };
	size_t count;

	(void) state;
	log_init("relay", LOG_INFO, LOG_LOGFMT);
	catch_stderr();
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, log_many,
										&numbers[i]),
						 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	count = caught_lines(lines, 500);
	assert_int_equal(count, 2 * LOG_BURST);
	for (size_t i = 0; i < count; i++)
	{
		assert_memory_equal(lines[i], "time=", 5);
		assert_null(strstr(lines[i] + 5, "time="));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_event_is_one_line),
		cmocka_unit_test(json_says_the_same),
		cmocka_unit_test(a_burst_is_counted_and_told_later),
		cmocka_unit_test(a_burst_that_just_ends_is_told_too),
		cmocka_unit_test(a_long_value_is_cut_inside_its_quotes),
		cmocka_unit_test(threads_do_not_tear_each_others_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
