/* uses: ctl common/jwt common/http common/password common/pg common/base */
/*
 * The commands as a person calls them: output on stdout, a reason on stderr.
 */
#include "ctl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "jwt.h"

#define ALICE "0190a000-0000-7000-8000-00000000000a"

static char dir[] = "/tmp/chemchat-ctl-XXXXXX";
static char key[64];
static char out[64];
static char said[8192];

static int
make_dir(void **state)
{
	(void) state;
	if (mkdtemp(dir) == NULL)
		return -1;
	(void) snprintf(key, sizeof key, "%s/key", dir);
	(void) snprintf(out, sizeof out, "%s/out", dir);
	return 0;
}

static int
remove_dir(void **state)
{
	(void) state;
	(void) unlink(key);
	(void) unlink(out);
	return rmdir(dir);
}

/* Runs a command in a child; what it said is in said. */
static int
call(int (*run)(int, char **), const char *const words[6])
{
	int status = 0;
	pid_t child;
	FILE *file;
	size_t len;

	(void) fflush(NULL);
	child = fork();
	if (child == 0)
	{
		static char room[6][160];
		char *argv[7] = { NULL };
		int argc = 0;

		for (; argc < 6 && words[argc] != NULL; argc++)
		{
			(void) snprintf(room[argc], sizeof room[argc], "%s", words[argc]);
			argv[argc] = room[argc];
		}
		if (freopen(out, "w", stdout) == NULL ||
			dup2(STDOUT_FILENO, STDERR_FILENO) < 0)
			_exit(99);
		exit(run(argc, argv));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	file = fopen(out, "r");
	assert_non_null(file);
	len = fread(said, 1, sizeof said - 1, file);
	said[len] = '\0';
	(void) fclose(file);
	return WEXITSTATUS(status);
}

#define CALL(run, ...) call(run, (const char *const[6]){ __VA_ARGS__, NULL })

static void
a_secret_is_ours_alone_and_never_overwritten(void **state)
{
	struct stat st;
	JwtKeys keys;
	JwtKeys again;
	Error err;

	(void) state;
	(void) unlink(key);
	(void) umask(0);
	assert_int_equal(CALL(ctl_secret, "secret", "--out", key), CTL_OK);
	assert_string_equal(said, "");
	assert_int_equal(stat(key, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, 65);
	assert_true(jwt_keys_load(key, &keys, &err));
	assert_int_equal(keys.key[0].secret_len, 32);

	assert_int_equal(CALL(ctl_secret, "secret", "--out", key), CTL_FAILED);
	assert_non_null(strstr(said, "File exists"));
	assert_true(jwt_keys_load(key, &again, &err));
	assert_memory_equal(&keys, &again, sizeof keys);

	(void) unlink(key);
	assert_int_equal(CALL(ctl_secret, "secret", "--out", key), CTL_OK);
	assert_true(jwt_keys_load(key, &again, &err));
	assert_memory_not_equal(&keys, &again, sizeof keys);
}

static void
a_token_is_for_one_user_and_a_time(void **state)
{
	JwtExpect expect = { .audience = "chat",
						 .leeway_s = 1,
						 .now_s = clock_wall_us() / 1000000 };
	JwtClaims claims;
	JwtKeys keys;
	Error err;

	(void) state;
	(void) unlink(key);
	assert_int_equal(CALL(ctl_secret, "secret", "--out", key), CTL_OK);
	assert_true(jwt_keys_load(key, &keys, &err));
	{
		char secret[96];
		char user[64];

		(void) snprintf(secret, sizeof secret, "--secret-file=%s", key);
		(void) snprintf(user, sizeof user, "--user=%s", ALICE);
		assert_int_equal(CALL(ctl_token, "token", secret, user, "--ttl=30min",
							  "--audience=chat"),
						 CTL_OK);
	}
	said[strcspn(said, "\n")] = '\0';
	expect.now_s = clock_wall_us() / 1000000;
	assert_int_equal(jwt_verify(said, strlen(said), &keys, &expect, &claims),
					 JWT_OK);
	assert_string_equal(claims.subject, ALICE);
	assert_int_equal(claims.expires_s - claims.issued_us / 1000000, 1800);
}

static void
mistakes_are_named(void **state)
{
	char secret[96];

	(void) state;
	(void) snprintf(secret, sizeof secret, "--secret-file=%s", key);
	assert_int_equal(CALL(ctl_secret, "secret"), CTL_USAGE);
	assert_string_equal(said, "chemchatctl secret: --out: is required\n");
	assert_int_equal(CALL(ctl_secret, "secret", "--out"), CTL_USAGE);
	assert_string_equal(said, "chemchatctl secret: --out: needs a value\n");
	assert_int_equal(CALL(ctl_secret, "secret", "--in", "x"), CTL_USAGE);
	assert_int_equal(CALL(ctl_secret, "secret", "--out=a", "--out=b"),
					 CTL_USAGE);
	assert_int_equal(CALL(ctl_token, "token", secret, "--user=bob"),
					 CTL_FAILED);
	assert_non_null(strstr(said, "--user: \"bob\" is not a uuid"));
	assert_int_equal(CALL(ctl_token, "token", secret, "--user=" ALICE,
						  "--ttl=12"),
					 CTL_FAILED);
	assert_non_null(strstr(said, "--ttl: \"12\" is not a time"));

	(void) unlink(key);
	assert_int_equal(CALL(ctl_secret, "secret", "--out", key), CTL_OK);
	assert_int_equal(chmod(key, 0644), 0);
	assert_int_equal(CALL(ctl_token, "token", secret, "--user=" ALICE),
					 CTL_FAILED);
	assert_non_null(strstr(said, "is open to everyone (mode 0644)"));
	assert_int_equal(CALL(ctl_token, "token", "--help"), CTL_OK);
	assert_non_null(strstr(said, "--audience TEXT"));
}

static void
durations_have_units(void **state)
{
	static const char *const bad[] = {
		"",     "12",  "h",    "-1h", "0s",
		"1.5h", "12H", "12 h", "1m",  "9223372036854775807d"
	};
	int64_t seconds = 0;
	Error err;

	(void) state;
	assert_true(ctl_parse_duration("90s", &seconds, &err));
	assert_int_equal(seconds, 90);
	assert_true(ctl_parse_duration("30min", &seconds, &err));
	assert_int_equal(seconds, 1800);
	assert_true(ctl_parse_duration("12h", &seconds, &err));
	assert_int_equal(seconds, 43200);
	assert_true(ctl_parse_duration("7d", &seconds, &err));
	assert_int_equal(seconds, 604800);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
	{
		if (ctl_parse_duration(bad[i], &seconds, &err))
			fail_msg("\"%s\" was taken", bad[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_secret_is_ours_alone_and_never_overwritten),
		cmocka_unit_test(a_token_is_for_one_user_and_a_time),
		cmocka_unit_test(mistakes_are_named),
		cmocka_unit_test(durations_have_units),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
