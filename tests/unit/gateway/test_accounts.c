/* uses: gateway common/jwt common/http common/password common/wire common/base */
/* pkgs: jansson openssl libuv libsodium */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "accounts.h"
#include "clock.h"
#include "db_account.h"
#include "log.h"
#include "password_work.h"
#include "sign_in_throttle.h"
#include "xalloc.h"

#define RIGHT  "correct horse battery"
#define OTHER  "another horse entirely"
#define HERE   "192.0.2.1"
#define FAKES  200
#define TTL_S  3600
#define WALL_S INT64_C(1800000000)

/* What the database is asked for waits until the test answers it. */
static struct FakeDb
{
	DbAccountFn account[FAKES];
	void *arg[FAKES];
	int asked;
	int answered;
	DbDoneFn done;
	void *done_arg;
	char hash[PASSWORD_HASH_SIZE]; /* as it is set */
	Uuid revoked;
} db;

typedef struct Scene
{
	uv_loop_t loop;
	Auth *auth;
	Accounts *accounts;
	DbAccount alice;
	char alice_hash[PASSWORD_HASH_SIZE];
	int64_t now_us;
	int answers;
	char code[40]; /* of the last answer, "" when it was good */
	char field[20];
	int64_t retry_ms;
	char token[1024];
	Identity identity;
} Scene;

static void
ask_account(DbAccountFn done, void *arg)
{
	assert_true(db.asked < FAKES);
	db.account[db.asked] = done;
	db.arg[db.asked++] = arg;
}

void
db_account_by_handle(Db *unused, const char *handle, size_t len,
					 DbAccountFn done, void *arg)
{
	(void) unused;
	(void) handle;
	(void) len;
	ask_account(done, arg);
}

void
db_account_by_id(Db *unused, const Uuid *user_id, DbAccountFn done, void *arg)
{
	(void) unused;
	(void) user_id;
	ask_account(done, arg);
}

void
db_set_password(Db *unused, const Uuid *user_id, const char *password_hash,
				DbDoneFn done, void *arg)
{
	(void) unused;
	(void) user_id;
	(void) snprintf(db.hash, sizeof(db.hash), "%s", password_hash);
	db.done = done;
	db.done_arg = arg;
}

void
db_revoke_session(Db *unused, const Uuid *token_id, const Uuid *user_id,
				  int64_t expires_s, DbDoneFn done, void *arg)
{
	(void) unused;
	(void) user_id;
	(void) expires_s;
	db.revoked = *token_id;
	db.done = done;
	db.done_arg = arg;
}

void
db_revocations(Db *unused, int64_t since_us, DbRevocationsFn done, void *arg)
{
	DbError none = { .code = NULL };

	(void) unused;
	(void) since_us;
	done(arg, &none, NULL, 0);
}

void
db_bot_token(Db *unused, const uint8_t hash[DB_TOKEN_HASH_SIZE],
			 DbBotTokenFn done, void *arg)
{
	DbError none = { .code = NULL };

	(void) unused;
	(void) hash;
	done(arg, &none, NULL);
}

static void
on_answer(void *arg, const AccountAnswer *answer)
{
	Scene *scene = arg;

	scene->answers++;
	(void) snprintf(scene->code, sizeof(scene->code), "%s",
					answer->code != NULL ? answer->code : "");
	(void) snprintf(scene->field, sizeof(scene->field), "%s", answer->field);
	(void) snprintf(scene->token, sizeof(scene->token), "%s",
					answer->token != NULL ? answer->token : "");
	scene->retry_ms = answer->retry_ms;
	if (answer->token != NULL)
		scene->identity = answer->identity;
}

static Slice
slice_of(const char *text)
{
	Slice slice = { text, strlen(text) };

	return slice;
}

static Auth *
make_auth(void)
{
	char path[] = "/tmp/chemchat-test-XXXXXX";
	AuthConfig config = { .secret_file = path };
	int fd = mkstemp(path);
	char hex[65];
	Auth *auth;
	Error err;

	memset(hex, 'a', 64);
	hex[64] = '\n';
	assert_int_equal(write(fd, hex, 65), 65);
	close(fd);
	auth = auth_open(&config, &err);
	unlink(path);
	assert_non_null(auth);
	return auth;
}

static int
begin(void **state)
{
	static char hash[PASSWORD_HASH_SIZE];
	Scene *scene = xcalloc(1, sizeof(*scene));
	Error err;

	log_init("test", LOG_ERROR, LOG_LOGFMT);
	memset(&db, 0, sizeof(db));
	scene->now_us = 1000000000;
	clock_set(scene->now_us, WALL_S * 1000000);
	uv_loop_init(&scene->loop);
	scene->auth = make_auth();
	scene->accounts =
		accounts_open(&scene->loop, NULL, scene->auth, true, TTL_S, &err);
	assert_non_null(scene->accounts);
	if (hash[0] == '\0')
		assert_true(password_hash(RIGHT, strlen(RIGHT), hash));
	memcpy(scene->alice_hash, hash, sizeof(hash));
	scene->alice.password_hash = scene->alice_hash;
	scene->alice.user_id.byte[0] = 1;
	*state = scene;
	return 0;
}

static int
end(void **state)
{
	Scene *scene = *state;

	if (scene->accounts != NULL)
		accounts_stop(scene->accounts);
	uv_run(&scene->loop, UV_RUN_DEFAULT);
	accounts_free(&scene->accounts);
	auth_close(&scene->auth);
	assert_int_equal(uv_loop_close(&scene->loop), 0);
	free(scene);
	clock_unset();
	return 0;
}

/* The database's answer to the oldest question. */
static void
account_comes(const DbAccount *account, const char *code)
{
	DbError error = { .code = code };
	int which = db.answered++;

	assert_true(which < db.asked);
	db.account[which](db.arg[which], &error, account);
}

static void
sign_in(Scene *scene, const char *password)
{
	accounts_sign_in(scene->accounts, slice_of("alice"), slice_of(password),
					 HERE, on_answer, scene);
}

static void
enter(Scene *scene)
{
	sign_in(scene, RIGHT);
	account_comes(&scene->alice, NULL);
	uv_run(&scene->loop, UV_RUN_DEFAULT);
	assert_string_equal(scene->code, "");
	assert_true(strlen(scene->token) > 0);
}

static void
a_right_password_gives_a_token_of_hers(void **state)
{
	Scene *scene = *state;

	enter(scene);
	assert_int_equal(scene->answers, 1);
	assert_true(uuid_equal(&scene->identity.user_id, &scene->alice.user_id));
	assert_true(scene->identity.is_local);
	assert_int_equal(scene->identity.expires_s, WALL_S + TTL_S);
	assert_true(auth_is_good(scene->auth, &scene->identity));
	assert_int_equal(accounts_counts(scene->accounts).good, 1);
}

/* Nobody learns which of them it was. */
static void
whatever_is_wrong_is_the_same_answer(void **state)
{
	Scene *scene = *state;
	DbAccount without = scene->alice;
	DbAccount deactivated = scene->alice;

	without.password_hash = NULL;
	deactivated.is_deactivated = true;
	sign_in(scene, OTHER);
	sign_in(scene, RIGHT);
	sign_in(scene, RIGHT);
	sign_in(scene, RIGHT);
	account_comes(&scene->alice, NULL);
	account_comes(NULL, NULL);
	account_comes(&without, NULL);
	account_comes(&deactivated, NULL);
	assert_int_equal(scene->answers, 0); /* each after the work */
	for (int i = 1; i <= 4; i++)
	{
		while (scene->answers < i)
			uv_run(&scene->loop, UV_RUN_ONCE);
		assert_string_equal(scene->code, "invalid_credentials");
		assert_string_equal(scene->field, "");
		assert_string_equal(scene->token, "");
	}
	assert_int_equal(accounts_counts(scene->accounts).wrong, 4);
}

static void
what_cannot_be_is_refused_before_any_work(void **state)
{
	Scene *scene = *state;
	static char long_text[PASSWORD_MAX_SIZE + 2];

	memset(long_text, 'x', sizeof(long_text) - 1);
	sign_in(scene, long_text);
	assert_string_equal(scene->code, "invalid_argument");
	assert_string_equal(scene->field, "password");
	accounts_sign_in(scene->accounts, slice_of(""), slice_of(RIGHT), HERE,
					 on_answer, scene);
	assert_string_equal(scene->field, "handle");
	long_text[SIGN_IN_HANDLE_MAX + 1] = '\0';
	accounts_sign_in(scene->accounts, slice_of(long_text), slice_of(RIGHT),
					 HERE, on_answer, scene);
	assert_string_equal(scene->field, "handle");
	assert_int_equal(scene->answers, 3);
	assert_int_equal(db.asked, 0);
}

static void
attempts_are_throttled_and_then_allowed_again(void **state)
{
	Scene *scene = *state;

	while (strcmp(scene->code, "rate_limited") != 0)
	{
		sign_in(scene, OTHER);
		if (db.asked > db.answered)
			account_comes(&scene->alice, NULL);
		uv_run(&scene->loop, UV_RUN_DEFAULT);
		assert_true(scene->answers <= SIGN_IN_FREE_PAIR + 2);
	}
	assert_true(scene->answers > SIGN_IN_FREE_PAIR);
	assert_true(scene->retry_ms > 0);
	assert_int_equal(accounts_counts(scene->accounts).throttled, 1);
	scene->now_us += scene->retry_ms * 1000 + 1;
	clock_set(scene->now_us, WALL_S * 1000000);
	enter(scene);
}

static void
the_database_away_is_no_wrong_password(void **state)
{
	Scene *scene = *state;

	sign_in(scene, RIGHT);
	account_comes(NULL, "unavailable");
	assert_string_equal(scene->code, "unavailable");
	assert_int_equal(accounts_counts(scene->accounts).wrong, 0);
}

static void
more_than_can_be_worked_on_are_told_so(void **state)
{
	const int most = PASSWORD_AT_ONCE + PASSWORD_QUEUE_MAX;
	Scene *scene = *state;
	int busy = 0;

	for (int i = 0; i < most + 10; i++)
	{
		char handle[20], address[20];

		(void) snprintf(handle, sizeof(handle), "user%d", i);
		(void) snprintf(address, sizeof(address), "192.0.2.%d", i);
		accounts_sign_in(scene->accounts, slice_of(handle), slice_of(RIGHT),
						 address, on_answer, scene);
		account_comes(NULL, NULL);
		busy += scene->answers > busy;
		if (scene->answers > 0)
			assert_string_equal(scene->code, "unavailable");
	}
	assert_int_equal(busy, 10);
	assert_int_equal(accounts_counts(scene->accounts).busy, 10);

	/* A stop answers the others; what comes later too. */
	accounts_sign_in(scene->accounts, slice_of("late"), slice_of(RIGHT),
					 "192.0.2.250", on_answer, scene);
	accounts_stop(scene->accounts);
	assert_int_equal(scene->answers, most + 10);
	account_comes(&scene->alice, NULL);
	assert_int_equal(scene->answers, most + 11);
	assert_string_equal(scene->code, "unavailable");
	uv_run(&scene->loop, UV_RUN_DEFAULT);
	assert_int_equal(scene->answers, most + 11);
}

static void
a_new_password_is_hashed_and_makes_older_tokens_void(void **state)
{
	DbError none = { .code = NULL };
	Scene *scene = *state;

	enter(scene);
	accounts_change_password(scene->accounts, &scene->identity, slice_of(RIGHT),
							 slice_of(OTHER), HERE, on_answer, scene);
	account_comes(&scene->alice, NULL);
	while (db.done == NULL)
		uv_run(&scene->loop, UV_RUN_ONCE);
	assert_null(strstr(db.hash, OTHER));
	assert_true(password_is_of(db.hash, OTHER, strlen(OTHER)));
	assert_int_equal(scene->answers, 1);
	db.done(db.done_arg, &none);
	scene->alice.tokens_from_us = (WALL_S + 5) * 1000000;
	account_comes(&scene->alice, NULL);
	assert_int_equal(scene->answers, 2);
	assert_string_equal(scene->code, "");

	/* By the database's clock, also where ours is behind it. */
	assert_true(scene->identity.issued_us >= (WALL_S + 5) * 1000000);
}

static void
a_password_is_changed_by_who_knows_the_old_one(void **state)
{
	Scene *scene = *state;
	Identity bot = { .is_bot = true };

	enter(scene);
	accounts_change_password(scene->accounts, &scene->identity, slice_of(OTHER),
							 slice_of(OTHER), HERE, on_answer, scene);
	account_comes(&scene->alice, NULL);
	uv_run(&scene->loop, UV_RUN_DEFAULT);
	assert_string_equal(scene->code, "invalid_credentials");
	accounts_change_password(scene->accounts, &scene->identity, slice_of(RIGHT),
							 slice_of("short"), HERE, on_answer, scene);
	assert_string_equal(scene->code, "invalid_argument");
	assert_string_equal(scene->field, "newPassword");
	accounts_change_password(scene->accounts, &bot, slice_of(RIGHT),
							 slice_of(OTHER), HERE, on_answer, scene);
	assert_string_equal(scene->code, "forbidden");
	assert_null(db.done);
}

static void
who_signs_out_is_out_here_at_once(void **state)
{
	DbError none = { .code = NULL };
	Scene *scene = *state;
	Identity identity;

	enter(scene);
	identity = scene->identity;
	accounts_sign_out(scene->accounts, &identity, on_answer, scene);
	assert_true(auth_is_good(scene->auth, &identity));
	db.done(db.done_arg, &none);
	assert_true(uuid_equal(&db.revoked, &identity.token_id));
	assert_false(auth_is_good(scene->auth, &identity));

	identity.is_bot = true;
	accounts_sign_out(scene->accounts, &identity, on_answer, scene);
	assert_string_equal(scene->code, "forbidden");
}

static void
where_it_is_off_there_is_only_the_way_out(void **state)
{
	Scene *scene = *state;
	Identity identity;
	Error err;

	enter(scene);
	identity = scene->identity;
	accounts_stop(scene->accounts);
	uv_run(&scene->loop, UV_RUN_DEFAULT);
	accounts_free(&scene->accounts);
	scene->accounts =
		accounts_open(&scene->loop, NULL, scene->auth, false, TTL_S, &err);
	assert_non_null(scene->accounts);
	sign_in(scene, RIGHT);
	assert_string_equal(scene->code, "not_found");
	accounts_refresh(scene->accounts, &identity, on_answer, scene);
	assert_string_equal(scene->code, "forbidden");
	db.done = NULL;
	accounts_sign_out(scene->accounts, &identity, on_answer, scene);
	assert_non_null(db.done);
	db.done(db.done_arg, &(DbError){ .code = NULL });
	assert_string_equal(scene->code, "");
}

#define SCENE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE(a_right_password_gives_a_token_of_hers),
		SCENE(whatever_is_wrong_is_the_same_answer),
		SCENE(what_cannot_be_is_refused_before_any_work),
		SCENE(attempts_are_throttled_and_then_allowed_again),
		SCENE(the_database_away_is_no_wrong_password),
		SCENE(more_than_can_be_worked_on_are_told_so),
		SCENE(a_new_password_is_hashed_and_makes_older_tokens_void),
		SCENE(a_password_is_changed_by_who_knows_the_old_one),
		SCENE(who_signs_out_is_out_here_at_once),
		SCENE(where_it_is_off_there_is_only_the_way_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
