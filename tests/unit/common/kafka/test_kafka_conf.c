/* uses: common/kafka common/wire common/base */
#include "kafka_conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/chemchat-conf.XXXXXX";

/* Whether a properties file with this text is taken; *err when not. */
static bool
takes(const char *text, Error *err)
{
	KafkaConfig config = { .brokers = "127.0.0.1:1",
						   .properties_file = path,
						   .client_id = "test" };
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	return kafka_config_check(&config, err);
}

static void
a_site_may_set_its_security(void **state)
{
	Error err;

	assert_true(takes("# ours\n\nsasl.username = relay\n"
					  "sasl.password=a=b\n  socket.timeout.ms =  10000  \n",
					  &err));
	assert_true(takes("", &err));
}

static void
what_the_promises_rest_on_is_refused(void **state)
{
	static const char *const lines[] = {
		"acks = 1",
		"enable.idempotence=false",
		"enable.gapless.guarantee=false",
		"message.timeout.ms=5",
		"max.in.flight=100",
		"partitioner=random",
		"enable.auto.commit=true",
		"bootstrap.servers=elsewhere:1",
		"queue.buffering.max.messages=1",
	};
	Error err;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
	{
		assert_false(takes(lines[i], &err));
		assert_non_null(strstr(err.text, ":1: "));
		assert_non_null(strstr(err.text, "is set by ChemChat"));
	}
}

static void
a_bad_line_is_told_by_number(void **state)
{
	Error err;

	assert_false(takes("sasl.username=x\nno.such.setting=1\n", &err));
	assert_non_null(strstr(err.text, ":2: no.such.setting is not a known"));
	assert_false(takes("\n\njust words\n", &err));
	assert_non_null(strstr(err.text, ":3: no '='"));
}

static void
a_value_is_never_repeated(void **state)
{
	Error err;

	assert_false(takes("security.protocol=hunter2\n", &err));
	assert_null(strstr(err.text, "hunter2"));
	assert_non_null(strstr(err.text, "security.protocol"));
}

static void
a_missing_file_is_told(void **state)
{
	KafkaConfig config = { .brokers = "127.0.0.1:1",
						   .properties_file = "/nonexistent/file",
						   .client_id = "test" };
	Error err;

	assert_false(kafka_config_check(&config, &err));
	assert_non_null(strstr(err.text, "/nonexistent/file"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_site_may_set_its_security),
		cmocka_unit_test(what_the_promises_rest_on_is_refused),
		cmocka_unit_test(a_bad_line_is_told_by_number),
		cmocka_unit_test(a_value_is_never_repeated),
		cmocka_unit_test(a_missing_file_is_told),
	};
	int fd = mkstemp(path);
	int failed;

	if (fd < 0)
		return 1;
	close(fd);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return failed;
}
