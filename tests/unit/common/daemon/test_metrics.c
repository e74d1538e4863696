/* uses: common/daemon common/base */
#include "metrics.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void
assert_line(const char *text, const char *line)
{
	char wanted[300];

	(void) snprintf(wanted, sizeof wanted, "\n%s\n", line);
	if (strstr(text, wanted) == NULL)
		fail_msg("no line \"%s\" in:\n%s", line, text);
}

static int
count_of(const char *text, const char *what)
{
	int count = 0;

	for (; (text = strstr(text, what)) != NULL; text++)
		count++;
	return count;
}

static void
samples_of_a_family_stand_together(void **state)
{
	Metric *first = metric_counter("chemchat_test_records_total", "Records.",
								   "topic=\"a\"");
	Metric *between = metric_gauge("chemchat_test_depth", "Depth.", NULL);
	Metric *second = metric_counter("chemchat_test_records_total", "Records.",
									"topic=\"b\"");
	const char *family;
	Buf out;

	(void) state;
	assert_ptr_equal(metric_counter("chemchat_test_records_total", "Records.",
									"topic=\"a\""),
					 first);
	metric_add(first, 3);
	metric_add(second, 40);
	metric_add(second, 2);
	metric_set(between, -7);
	assert_int_equal(metric_value(second), 42);

	buf_init(&out);
	buf_append_char(&out, '\n');
	metrics_write(&out);
	assert_int_equal(count_of(out.data, "# TYPE chemchat_test_records_total"),
					 1);
	family = strstr(out.data, "# HELP chemchat_test_records_total Records.\n"
							  "# TYPE chemchat_test_records_total counter\n"
							  "chemchat_test_records_total{topic=\"a\"} 3\n"
							  "chemchat_test_records_total{topic=\"b\"} 42\n");
	assert_non_null(family);
	assert_line(out.data, "chemchat_test_depth -7");
	buf_fini(&out);
}

static void
histograms_are_cumulative_and_in_seconds(void **state)
{
	Metric *metric =
		metric_histogram("chemchat_test_seconds", "Time.", "to=\"kafka\"");
	Metric *gauge = metric_gauge_us("chemchat_test_age_seconds", "Age.", NULL);
	Buf out;

	(void) state;
	metric_set(gauge, -1500000);
	metric_observe_us(metric, 0);
	metric_observe_us(metric, 100); /* an upper bound belongs to its bucket */
	metric_observe_us(metric, 101);
	metric_observe_us(metric, 60000000);
	metric_observe_us(metric, 60000001);
	metric_observe_us(metric, -5); /* two clocks that disagree */
	assert_int_equal(metric_value(metric), 6);

	buf_init(&out);
	buf_append_char(&out, '\n');
	metrics_write(&out);
	assert_line(out.data,
				"chemchat_test_seconds_bucket{to=\"kafka\",le=\"0.0001\"} 3");
	assert_line(out.data,
				"chemchat_test_seconds_bucket{to=\"kafka\",le=\"0.00025\"} 4");
	assert_line(out.data,
				"chemchat_test_seconds_bucket{to=\"kafka\",le=\"25\"} 4");
	assert_line(out.data,
				"chemchat_test_seconds_bucket{to=\"kafka\",le=\"60\"} 5");
	assert_line(out.data,
				"chemchat_test_seconds_bucket{to=\"kafka\",le=\"+Inf\"} 6");
	assert_line(out.data, "chemchat_test_seconds_sum{to=\"kafka\"} 120.000202");
	assert_line(out.data, "chemchat_test_seconds_count{to=\"kafka\"} 6");
	assert_line(out.data, "chemchat_test_age_seconds -1.500000");
	buf_fini(&out);
}

static void *
add_many(void *context)
{
	for (int i = 0; i < 100000; i++)
	{
		metric_add(context, 1);
	}
	return NULL;
}

static void
nothing_is_lost_between_threads(void **state)
{
	Metric *metric = metric_counter("chemchat_test_adds_total", "Adds.", NULL);
	pthread_t threads[3];

	(void) state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, add_many, metric),
						 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(metric_value(metric), 300000);
}

static void
the_process_tells_about_itself(void **state)
{
	static const char *const names[] = {
		"process_cpu_seconds_total",
		"process_resident_memory_bytes",
		"process_virtual_memory_bytes",
		"process_open_fds",
		"process_max_fds",
		"process_start_time_seconds",
	};
	Buf out;

	(void) state;
	buf_init(&out);
	metrics_write(&out);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
	{
		char sample[80];
		const char *at;

		(void) snprintf(sample, sizeof sample, "\n%s ", names[i]);
		at = strstr(out.data, sample);
		assert_non_null(at);
		assert_true(strtod(at + strlen(sample), NULL) > 0);
	}
	buf_fini(&out);
}

/* The real judge, when it is installed. */
static void
promtool_finds_nothing(void **state)
{
	char path[] = "/tmp/chemchat-metrics-XXXXXX";
	int fd = mkstemp(path);
	int status = 0;
	pid_t child;
	Buf out;

	(void) state;
	assert_true(fd >= 0);
	buf_init(&out);
	metrics_write(&out);
	assert_int_equal(write(fd, out.data, out.len), out.len);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	child = fork();
	if (child == 0)
	{
		(void) dup2(fd, STDIN_FILENO);
		(void) execlp("promtool", "promtool", "check", "metrics",
					  (char *) NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	buf_fini(&out);
	(void) close(fd);
	(void) unlink(path);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 127)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

static bool
aborts(Metric *(*make)(const char *, const char *, const char *),
	   const char *name, const char *help)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0)
	{
		(void) close(STDERR_FILENO);
		(void) make(name, help, NULL);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void
a_name_promtool_would_not_like_is_a_bug(void **state)
{
	(void) state;
	assert_true(aborts(metric_counter, "chemchat_test_things", "Things."));
	assert_true(aborts(metric_gauge, "chemchat_test_total", "Things."));
	assert_true(aborts(metric_gauge, "test_things", "Things."));
	assert_true(aborts(metric_gauge, "chemchat_test-things", "Things."));
	assert_true(aborts(metric_gauge, "chemchat_test_things", ""));
	assert_true(aborts(metric_gauge, "chemchat_test_things", NULL));
	assert_true(aborts(metric_histogram, "chemchat_test_ms", "Time."));
	assert_true(aborts(metric_gauge_us, "chemchat_test_us", "Time."));
	assert_true(aborts(metric_gauge, "chemchat_test_microseconds", "Time."));
	assert_true(aborts(metric_gauge, "chemchat_kilobytes_held", "Size."));
	assert_true(aborts(metric_counter, "chemchat_test_ms_total", "Time."));
	assert_false(aborts(metric_gauge, "chemchat_test_things", "Things."));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples_of_a_family_stand_together),
		cmocka_unit_test(histograms_are_cumulative_and_in_seconds),
		cmocka_unit_test(nothing_is_lost_between_threads),
		cmocka_unit_test(the_process_tells_about_itself),
		cmocka_unit_test(promtool_finds_nothing),
		cmocka_unit_test(a_name_promtool_would_not_like_is_a_bug),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
