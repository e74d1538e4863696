/* uses: gateway common/password common/base */
/* pkgs: libuv libsodium */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "password_work.h"

#define RIGHT "correct horse battery"

typedef struct Scene
{
	uv_loop_t loop;
	PasswordWork *work;
	int answers;
	int outcomes[3];
	char hash[PASSWORD_HASH_SIZE];
	bool ends_at_answer;
} Scene;

static void
on_done(void *arg, PasswordOutcome outcome, const char *hash)
{
	Scene *scene = arg;

	scene->answers++;
	scene->outcomes[outcome]++;
	if (hash != NULL)
		(void) snprintf(scene->hash, sizeof(scene->hash), "%s", hash);
	if (scene->ends_at_answer)
		password_work_free(&scene->work);
}

static int
begin(void **state)
{
	Scene *scene = calloc(1, sizeof(*scene));
	Error err;

	assert_non_null(scene);
	assert_int_equal(uv_loop_init(&scene->loop), 0);
	scene->work = password_work_new(&scene->loop, &err);
	assert_non_null(scene->work);
	*state = scene;
	return 0;
}

static int
end(void **state)
{
	Scene *scene = *state;

	password_work_free(&scene->work);
	uv_run(&scene->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&scene->loop), 0);
	free(scene);
	return 0;
}

static void
a_hash_is_of_its_password_alone(void **state)
{
	Scene *scene = *state;

	assert_true(
		password_work_hash(scene->work, RIGHT, strlen(RIGHT), on_done, scene));
	assert_int_equal(scene->answers, 0); /* from the loop, never at once */
	uv_run(&scene->loop, UV_RUN_DEFAULT);
	assert_int_equal(scene->outcomes[PASSWORD_GOOD], 1);
	assert_non_null(strstr(scene->hash, "$argon2id$"));

	assert_true(password_work_verify(scene->work, scene->hash, RIGHT,
									 strlen(RIGHT), on_done, scene));
	uv_run(&scene->loop, UV_RUN_DEFAULT);
	assert_int_equal(scene->outcomes[PASSWORD_GOOD], 2);

	assert_true(password_work_verify(scene->work, scene->hash, RIGHT,
									 strlen(RIGHT) - 1, on_done, scene));
	assert_true(
		password_work_verify(scene->work, scene->hash, "", 0, on_done, scene));
	assert_true(password_work_verify(scene->work, "no hash", RIGHT,
									 strlen(RIGHT), on_done, scene));
	uv_run(&scene->loop, UV_RUN_DEFAULT);
	assert_int_equal(scene->outcomes[PASSWORD_BAD], 3);
	assert_int_equal(scene->answers, 5);
}

/* Nor what does not fit: the work is done on one that nobody knows. */
static void
nobodys_password_is_never_right(void **state)
{
	char long_hash[PASSWORD_HASH_SIZE + 50];
	Scene *scene = *state;

	memset(long_hash, '$', sizeof(long_hash) - 1);
	long_hash[sizeof(long_hash) - 1] = '\0';
	assert_true(password_work_verify(scene->work, NULL, "", 0, on_done, scene));
	assert_true(password_work_verify(scene->work, NULL, RIGHT, strlen(RIGHT),
									 on_done, scene));
	assert_true(password_work_verify(scene->work, long_hash, RIGHT,
									 strlen(RIGHT), on_done, scene));
	uv_run(&scene->loop, UV_RUN_DEFAULT);
	assert_int_equal(scene->outcomes[PASSWORD_BAD], 3);
}

static void
more_than_the_queue_are_refused_and_the_rest_answered(void **state)
{
	Scene *scene = *state;
	static char long_one[PASSWORD_MAX_SIZE + 1];
	int taken = 0;

	assert_false(password_work_verify(scene->work, NULL, long_one,
									  sizeof(long_one), on_done, scene));
	while (password_work_verify(scene->work, NULL, RIGHT, strlen(RIGHT),
								on_done, scene))
		taken++;
	assert_int_equal(taken, PASSWORD_AT_ONCE + PASSWORD_QUEUE_MAX);
	assert_false(
		password_work_hash(scene->work, RIGHT, strlen(RIGHT), on_done, scene));

	/* The end answers all of them, and once. */
	password_work_free(&scene->work);
	assert_int_equal(scene->outcomes[PASSWORD_UNAVAILABLE], taken);
	uv_run(&scene->loop, UV_RUN_DEFAULT);
	assert_int_equal(scene->answers, taken);
}

static void
an_answer_may_end_it_all(void **state)
{
	Scene *scene = *state;

	scene->ends_at_answer = true;
	for (int i = 0; i < 6; i++)
		assert_true(password_work_verify(scene->work, NULL, RIGHT,
										 strlen(RIGHT), on_done, scene));
	uv_run(&scene->loop, UV_RUN_DEFAULT);
	assert_null(scene->work);
	assert_int_equal(scene->answers, 6);
	assert_int_equal(scene->outcomes[PASSWORD_BAD], 1);
	assert_int_equal(scene->outcomes[PASSWORD_UNAVAILABLE], 5);
}

#define SCENE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE(a_hash_is_of_its_password_alone),
		SCENE(nobodys_password_is_never_right),
		SCENE(more_than_the_queue_are_refused_and_the_rest_answered),
		SCENE(an_answer_may_end_it_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
