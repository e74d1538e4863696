/* uses: gateway common/jwt common/http common/password common/wire common/base */
/* pkgs: jansson openssl libuv */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "command_scene.h"

static void
calls_pass_their_arguments_and_answers(void **state)
{
	Scene *scene = *state;

	welcome(scene);
	say(scene, "{\"type\":\"changes\",\"ref\":\"c\"," C ",\"afterEv\":41}");
	assert_string_equal(fake_db.verb->type, "changes");
	assert_int_equal(fake_db.values[0].uuid.byte[15], 0xc1);
	assert_int_equal(fake_db.values[1].number, 41);
	assert_int_equal(fake_db.values[2].number, 200);
	fake_answer("\"events\":[]");
	assert_string_equal(fake_last(&scene->socket),
						"{\"type\":\"changes\",\"ref\":\"c\",\"events\":[]}");
	say(scene, "{\"type\":\"history\"," C "}");
	assert_false(fake_db.values[1].is_set);
	assert_int_equal(fake_db.values[3].number, 50);
	fake_answer("\"events\":[]");
	assert_non_null(strstr(fake_last(&scene->socket), "\"history\""));
	say(scene, "{\"type\":\"users\",\"ids\":[\"" ALICE "\",\"" ALICE "\"]}");
	assert_int_equal(fake_db.values[0].count, 2);
	fake_db.answer(fake_db.arg, &(DbError){ .code = "unavailable" }, NULL);
	assert_non_null(strstr(fake_last(&scene->socket), "\"unavailable\""));
	say(scene, "{\"type\":\"heads\"}");
	fake_gone(&scene->socket);
	fake_answer("");
}

static void
writes_are_answered_done(void **state)
{
	Scene *scene = *state;

	welcome(scene);
	say(scene, "{\"type\":\"edit\",\"ref\":\"e\"," C
			   ",\"seq\":7,\"body\":\"better\",\"expectedRev\":3}");
	assert_string_equal(fake_db.verb->type, "edit");
	assert_int_equal(fake_db.values[1].number, 7);
	assert_string_equal(fake_db.texts[2], "better");
	assert_int_equal(fake_db.values[3].number, 3);
	fake_answer("\"ev\":9");
	assert_string_equal(fake_last(&scene->socket),
						"{\"type\":\"done\",\"ref\":\"e\",\"ev\":9}");
	say(scene, "{\"type\":\"preference\"," C
			   ",\"mutedUntil\":\"2027-01-15T10:00:00.5+02:00\"}");
	assert_int_equal(fake_db.values[2].number, INT64_C(1800000000500000));
	fake_answer("\"rev\":1");
	say(scene, "{\"type\":\"mark\"," C ",\"readSeq\":7}");
	assert_int_equal(fake_db.mark.read_seq, 7);
	assert_int_equal(fake_db.mark.delivered_seq, MARK_NONE);
	fake_answer("\"readSeq\":7");
	assert_non_null(strstr(fake_last(&scene->socket), "\"done\""));
}

static void
null_is_as_absent(void **state)
{
	Scene *scene = *state;

	welcome(scene);
	say(scene, "{\"type\":\"update\"," C
			   ",\"title\":null,\"topic\":\"\",\"isPublic\":false}");
	assert_false(fake_db.values[1].is_set);
	assert_true(fake_db.values[2].is_set);
	assert_int_equal(fake_db.values[2].len, 0);
	assert_true(fake_db.values[3].is_set);
	assert_false(fake_db.values[3].truth);
	fake_answer("");
}

static void
a_token_does_what_its_scopes_allow(void **state)
{
	Scene *scene = *state;
	Identity identity;

	welcome(scene);
	identity = *session_identity(scene->socket.session);
	identity.scopes = AUTH_READ;
	session_set_identity(scene->socket.session, &identity);
	say(scene, "{\"type\":\"send\"," C "," M ",\"body\":\"a\"}");
	assert_non_null(strstr(fake_last(&scene->socket), "\"forbidden\""));
	say(scene, "{\"type\":\"leave\"," C "}");
	assert_non_null(strstr(fake_last(&scene->socket), "\"forbidden\""));
	assert_int_equal(fake_db.sends + fake_db.calls, 0);
	say(scene, "{\"type\":\"heads\"}");
	assert_int_equal(fake_db.calls, 1);
	fake_answer("");
}

int
main(void)
{
#define SCENE(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		SCENE(calls_pass_their_arguments_and_answers),
		SCENE(writes_are_answered_done),
		SCENE(null_is_as_absent),
		SCENE(a_token_does_what_its_scopes_allow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
