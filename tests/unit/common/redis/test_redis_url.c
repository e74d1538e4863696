/* uses: common/redis common/base */
#include "redis_url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static RedisUrl
parse(const char *text)
{
	RedisUrl url;
	Error err;

	if (!redis_url_parse(text, &url, &err))
		fail_msg("%s: %s", text, err.text);
	return url;
}

static void
host_alone_has_defaults(void **state)
{
	RedisUrl url = parse("redis://cache.example");

	(void) state;
	assert_string_equal(url.host, "cache.example");
	assert_int_equal(url.port, 6379);
	assert_int_equal(url.db, 0);
	assert_string_equal(url.user, "");
	assert_string_equal(url.password, "");
	assert_false(url.is_unix);
}

static void
every_part_is_taken(void **state)
{
	RedisUrl url = parse("redis://live@[::1]:7001/3");

	(void) state;
	assert_string_equal(url.host, "::1");
	assert_string_equal(url.user, "live");
	assert_int_equal(url.port, 7001);
	assert_int_equal(url.db, 3);

	url = parse("unix:///run/redis.sock?db=2");
	assert_true(url.is_unix);
	assert_string_equal(url.host, "/run/redis.sock");
	assert_int_equal(url.db, 2);
	url = parse("unix://live@/run/redis.sock");
	assert_string_equal(url.user, "live");
	assert_string_equal(url.host, "/run/redis.sock");
}

static void
nonsense_is_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		"localhost:6379",
		"http://localhost",
		"rediss://localhost",
		"redis://",
		"redis://:6379",
		"redis://host:",
		"redis://host:0",
		"redis://host:65536",
		"redis://host:6379x",
		"redis://host:-1",
		"redis://host:99999999999",
		"redis://host/x",
		"redis://host/0/1",
		"redis://host?db=1",
		"redis://[::1",
		"redis://[::1]x",
		"redis://user:secret@host",
		"redis://:secret@host",
		"unix://relative",
		"unix://user:secret@/run/redis.sock",
		"unix://user@relative",
		"unix:///a?x=1",
		"unix:///a?db=",
	};
	RedisUrl url;
	Error err;

	(void) state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
	{
		if (redis_url_parse(wrong[i], &url, &err))
			fail_msg("taken: %s", wrong[i]);
		assert_null(strstr(err.text, "secret"));
	}
}

static void
too_long_parts_are_refused(void **state)
{
	char text[400];
	RedisUrl url;
	Error err;

	(void) state;
	snprintf(text, sizeof(text), "redis://%0300d", 1);
	assert_false(redis_url_parse(text, &url, &err));
	snprintf(text, sizeof(text), "redis://%0200d@h", 1);
	assert_false(redis_url_parse(text, &url, &err));
	snprintf(text, sizeof(text), "unix:///%0200d", 1);
	assert_false(redis_url_parse(text, &url, &err));
}

static void
text_for_the_log_has_no_secret(void **state)
{
	RedisUrl url = parse("redis://live@[::1]:7001/3");
	char text[320];

	(void) state;
	snprintf(url.password, sizeof(url.password), "hunter2");
	redis_url_text(&url, text, sizeof(text));
	assert_string_equal(text, "redis://[::1]:7001/3");
	url = parse("unix:///run/r.sock");
	redis_url_text(&url, text, sizeof(text));
	assert_string_equal(text, "unix:///run/r.sock?db=0");
}

static void
password_is_the_first_line_of_a_private_file(void **state)
{
	char path[] = "/tmp/test_redis_url.XXXXXX";
	RedisUrl url = parse("redis://h");
	int fd = mkstemp(path);
	Error err;

	(void) state;
	assert_true(fd >= 0);
	assert_false(redis_url_read_password(&url, path, &err));
	assert_int_equal(write(fd, "hunter2\nmore\n", 13), 13);
	assert_true(redis_url_read_password(&url, path, &err));
	assert_string_equal(url.password, "hunter2");
	assert_int_equal(fchmod(fd, 0644), 0);
	assert_false(redis_url_read_password(&url, path, &err));
	assert_null(strstr(err.text, "hunter2"));
	close(fd);
	unlink(path);
	assert_false(redis_url_read_password(&url, path, &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(host_alone_has_defaults),
		cmocka_unit_test(every_part_is_taken),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(too_long_parts_are_refused),
		cmocka_unit_test(text_for_the_log_has_no_secret),
		cmocka_unit_test(password_is_the_first_line_of_a_private_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
