/* uses: common/base */
#include "secret_file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[] = "/tmp/chemchat-secret-XXXXXX";
static char path[64];

static void
put_file(const char *text, mode_t mode)
{
	FILE *file;

	(void) unlink(path);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static int
make_dir(void **state)
{
	(void) state;
	if (mkdtemp(dir) == NULL)
		return -1;
	(void) snprintf(path, sizeof path, "%s/key", dir);
	return 0;
}

static int
remove_dir(void **state)
{
	(void) state;
	(void) unlink(path);
	return rmdir(dir);
}

static void
what_only_we_may_read_is_read_whole(void **state)
{
	Error err;
	Buf secret;

	(void) state;
	put_file("s3cret\n", 0600);
	buf_init(&secret);
	buf_append_str(&secret, "had: ");
	assert_true(secret_file_check(path, &err));
	assert_true(secret_file_read(path, &secret, &err));
	assert_string_equal(secret.data, "had: s3cret\n");
	secret_file_wipe(&secret);
	assert_int_equal(secret.len, 0);
	for (size_t i = 0; i < secret.cap; i++)
		assert_int_equal(secret.data[i], 0);

	put_file("s3cret\n", 0400);
	assert_true(secret_file_check(path, &err));
	buf_fini(&secret);
}

static void
what_others_may_read_is_refused_with_its_mode(void **state)
{
	static const mode_t modes[] = { 0604, 0644, 0640, 0660, 0601, 0610 };
	Error err;

	(void) state;
	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
	{
		char mode[16];

		put_file("s3cret\n", modes[i]);
		(void) snprintf(mode, sizeof mode, "mode %04o", modes[i]);
		assert_false(secret_file_check(path, &err));
		assert_non_null(strstr(err.text, mode));
		assert_non_null(strstr(err.text, path));
		assert_null(strstr(err.text, "s3cret"));
	}
}

/* As Kubernetes mounts it: root's, readable by a group we are in. */
static void
roots_file_may_be_readable_by_our_group(void **state)
{
	pid_t child;
	int status = 0;

	(void) state;
	if (geteuid() != 0)
		skip();
	put_file("s3cret\n", 0640);
	assert_int_equal(chown(path, 0, 65534), 0);
	assert_int_equal(chmod(dir, 0755), 0);
	child = fork();
	if (child == 0)
	{
		Error err;
		bool is_good = setgid(65534) == 0 && setuid(65534) == 0 &&
					   secret_file_check(path, &err);

		_exit(is_good ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void
what_is_no_file_is_refused_at_once(void **state)
{
	Error err;
	Buf secret;

	(void) state;
	(void) unlink(path);
	buf_init(&secret);
	assert_false(secret_file_read(path, &secret, &err));
	assert_non_null(strstr(err.text, "No such file"));
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_false(secret_file_read(path, &secret, &err));
	assert_non_null(strstr(err.text, "not a regular file"));
	assert_false(secret_file_check(dir, &err));
	buf_fini(&secret);
}

static void
a_huge_one_is_refused(void **state)
{
	Error err;
	Buf secret;
	size_t size = SECRET_FILE_MAX_SIZE + 2;
	char *text = malloc(size);

	(void) state;
	assert_non_null(text);
	memset(text, 'a', size);
	text[size - 1] = '\0';
	put_file(text, 0600);
	buf_init(&secret);
	assert_false(secret_file_read(path, &secret, &err));
	assert_non_null(strstr(err.text, "larger than"));
	buf_reset(&secret);
	text[size - 2] = '\0';
	put_file(text, 0600);
	assert_true(secret_file_read(path, &secret, &err));
	assert_int_equal(secret.len, SECRET_FILE_MAX_SIZE);
	buf_fini(&secret);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_only_we_may_read_is_read_whole),
		cmocka_unit_test(what_others_may_read_is_refused_with_its_mode),
		cmocka_unit_test(roots_file_may_be_readable_by_our_group),
		cmocka_unit_test(what_is_no_file_is_refused_at_once),
		cmocka_unit_test(a_huge_one_is_refused),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
