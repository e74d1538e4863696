/* uses: gateway common/jwt common/wire common/base */
/* pkgs: jansson openssl */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "strict_json.h"
#include "verb_args.h"

static bool
has_no_query(const void *arg, const char *name)
{
	(void) arg;
	(void) name;
	return false;
}

static bool
has_that_query(const void *arg, const char *name)
{
	return strcmp(arg, name) == 0;
}

static const Verb *
route(const char *method, const char *path, char allowed[64])
{
	Slice slice = { path, strlen(path) };

	return verb_of_request(method, slice, has_no_query, NULL, allowed, 64);
}

/* Readers go as far as the first that has no name. */
static void
every_list_has_its_end(void **state)
{
	(void) state;
	for (int i = 0; i < verb_count; i++)
	{
		assert_null(verbs[i].args[VERB_ARGS_MAX].name);
		assert_null(verbs[i].columns[VERB_COLUMNS_MAX].name);
	}
}

static void
types_and_routes_are_unique(void **state)
{
	(void) state;
	for (int i = 0; i < verb_count; i++)
	{
		assert_true(verbs[i].type != NULL || verbs[i].method != NULL);
		for (int k = 0; k < i; k++)
		{
			if (verbs[i].type != NULL && verbs[k].type != NULL)
				assert_string_not_equal(verbs[i].type, verbs[k].type);
			if (verbs[i].method != NULL && verbs[k].method != NULL &&
				strcmp(verbs[i].method, verbs[k].method) == 0)
				assert_string_not_equal(verbs[i].path, verbs[k].path);
		}
	}
}

/* $1 is the actor, then each argument once, none beyond. */
static void
every_argument_is_bound(void **state)
{
	(void) state;
	for (int i = 0; i < verb_count; i++)
	{
		const Verb *verb = &verbs[i];
		int count = verb_arg_count(verb);
		char parameter[16];

		assert_true((verb->sql != NULL) == (verb->handler == VERB_SQL));
		if (verb->sql == NULL)
			continue;
		assert_non_null(strstr(verb->sql, "actor => $1::uuid"));
		for (int k = 2; k <= 9; k++)
		{
			bool is_there;

			snprintf(parameter, sizeof(parameter), "$%d::", k);
			is_there = strstr(verb->sql, parameter) != NULL;
			if (is_there != (k <= count + 1))
				fail_msg("%s: %s", parameter, verb->sql);
		}
	}
}

static void
every_path_argument_stands_in_its_path(void **state)
{
	(void) state;
	for (int i = 0; i < verb_count; i++)
	{
		const Verb *verb = &verbs[i];

		if (verb->method == NULL)
			continue;
		for (const VerbArg *arg = verb->args; arg->kind != VERB_NONE; arg++)
			assert_int_equal(arg->place == VERB_PATH,
							 verb_segment(verb, arg->name) >= 0);
		for (const char *at = verb->path; (at = strchr(at, '{')) != NULL; at++)
		{
			char name[32];

			snprintf(name, sizeof(name), "%.*s", (int) strcspn(at + 1, "}"),
					 at + 1);
			if (verb->handler != VERB_DOCUMENT)
				assert_true(verb_segment(verb, name) >= 0);
		}
		/* A GET has no body. */
		for (const VerbArg *arg = verb->args; arg->kind != VERB_NONE; arg++)
			assert_true(strcmp(verb->method, "GET") != 0 ||
						(arg->place != VERB_BODY && arg->place != VERB_MATCH));
	}
}

static void
columns_are_as_many_as_selected(void **state)
{
	(void) state;
	for (int i = 0; i < verb_count; i++)
	{
		const Verb *verb = &verbs[i];
		int columns = verb->flags & VERB_POSITIONED ? 3 : 0;
		int depth = 0;
		int selected = 1;
		const char *at;

		if (verb->sql == NULL)
			continue;
		for (int k = 0; verb->columns[k].kind != VERB_NONE; k++)
			columns++;
		at = strncmp(verb->sql, "WITH ", 5) == 0
				 ? strstr(verb->sql, ") SELECT ") + 2
				 : verb->sql;
		for (; strncmp(at, " FROM chemchat.", 15) != 0 &&
			   strncmp(at, " FROM m", 7) != 0;
			 at++)
		{
			assert_int_not_equal(*at, '\0');
			depth += (*at == '(') - (*at == ')');
			selected += *at == ',' && depth == 0;
		}
		if (selected != columns)
			fail_msg("%d columns, %d selected: %s", columns, selected,
					 verb->sql);
	}
}

static void
requests_find_their_verb(void **state)
{
	static const struct
	{
		const char *method;
		const char *path;
		const char *type; /* NULL: none */
		const char *allowed;
	} cases[] = {
		{ "GET", "/v1/conversations", "heads", NULL },
		{ "POST", "/v1/conversations", "create", NULL },
		{ "GET", "/v1/conversations/x", "conversation", NULL },
		{ "PATCH", "/v1/conversations/x", "update", NULL },
		{ "PUT", "/v1/conversations/x/messages/7", "edit", NULL },
		{ "PUT", "/v1/conversations/x/messages/7/reactions/%F0%9F%91%8D",
		  "react", NULL },
		{ "PUT", "/v1/conversations", NULL, "GET, HEAD, POST" },
		{ "GET", "/v1/conversations/", NULL, "" },
		{ "GET", "/v1/conversations//messages", NULL, "" },
		{ "GET", "/v1/conversations/x/messages/7/", NULL, "" },
		{ "GET", "/v1/conversation", NULL, "" },
		{ "DELETE", "/v1/me", NULL, "GET, HEAD, PATCH" },
		{ "GET", "/v1/nothing", NULL, "" },
	};
	char allowed[64];

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		const Verb *verb = route(cases[i].method, cases[i].path, allowed);

		assert_int_equal(verb != NULL, cases[i].type != NULL);
		if (verb != NULL)
			assert_string_equal(verb->type, cases[i].type);
		if (cases[i].allowed != NULL)
			assert_string_equal(allowed, cases[i].allowed);
	}
}

static void
a_path_may_depend_on_its_query(void **state)
{
	Slice path = { "/v1/users", 9 };
	char allowed[64];

	(void) state;
	assert_string_equal(route("GET", "/v1/users", allowed)->type, "users");
	assert_string_equal(verb_of_request("GET", path, has_that_query, "query",
										allowed, sizeof(allowed))
							->type,
						"find");
}

static void
segments_are_counted(void **state)
{
	char allowed[64];
	const Verb *verb =
		route("PUT", "/v1/conversations/x/messages/7/reactions/y", allowed);

	(void) state;
	assert_int_equal(verb_segment(verb, "conversationId"), 2);
	assert_int_equal(verb_segment(verb, "seq"), 4);
	assert_int_equal(verb_segment(verb, "emoji"), 6);
	assert_int_equal(verb_segment(verb, "emo"), -1);
}

static void
times_are_those_of_rfc_3339(void **state)
{
	static const struct
	{
		const char *text;
		int64_t wall_us; /* -1: none */
	} cases[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2027-01-15T08:00:00.123456Z", INT64_C(1800000000123456) },
		{ "2027-01-15T08:00:00.1234569Z", INT64_C(1800000000123456) },
		{ "2027-01-15t10:30:00.5+02:30", INT64_C(1800000000500000) },
		{ "2027-01-14T20:00:00-12:00", INT64_C(1800000000000000) },
		{ "2028-02-29T00:00:00Z", INT64_C(1835395200000000) },
		{ "2027-02-29T00:00:00Z", -1 },
		{ "2027-13-01T00:00:00Z", -1 },
		{ "2027-01-15T24:00:00Z", -1 },
		{ "2027-01-15T08:00:00", -1 },
		{ "2027-01-15T08:00:00.Z", -1 },
		{ "2027-01-15 08:00:00Z", -1 },
		{ "2027-01-15T08:00:00Z ", -1 },
		{ "2027-01-15T08:00:00+2:00", -1 },
		{ "+027-01-15T08:00:00Z", -1 },
		{ "", -1 },
	};

	(void) state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		int64_t wall_us = -1;
		bool is_time =
			verb_parse_time(cases[i].text, strlen(cases[i].text), &wall_us);

		if (is_time != (cases[i].wall_us >= 0) ||
			(is_time && wall_us != cases[i].wall_us))
			fail_msg("%s: %lld", cases[i].text, (long long) wall_us);
	}
}

static void
json_of_strangers_is_strict(void **state)
{
	static const char *const bad[] = {
		"",
		"[]",
		"7",
		"{}x",
		"{\"a\":1,\"a\":2}",
		"{\"a\":NaN}",
		"{\"a\":1e999}",
		"{\"a\":9223372036854775808}",
		"{\"a\":\"\\u0000\"}",
		"{\"a\":\"\\ud800\"}",
		"{\"a\":\"\xff\"}",
		"{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"
		"]}",
	};
	size_t offset;
	json_t *good = strict_json_object("{\"a\":\"[[[[\"} ", 13, &offset);

	(void) state;
	assert_non_null(good);
	json_decref(good);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		if (strict_json_object(bad[i], strlen(bad[i]), &offset) != NULL)
			fail_msg("%s", bad[i]);
		assert_true(offset <= strlen(bad[i]));
	}
}

static void
each_verb_prints_as_a_line_of_json(void **state)
{
	Buf out;
	char *line;
	int lines = 0;

	(void) state;
	buf_init(&out);
	verb_print_all(&out);
	line = out.data;
	while (*line != '\0')
	{
		size_t offset;
		size_t len = strcspn(line, "\n");
		json_t *object = strict_json_object(line, len, &offset);

		assert_non_null(object);
		json_decref(object);
		lines++;
		line += len + 1;
	}
	assert_int_equal(lines, verb_count);
	buf_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_list_has_its_end),
		cmocka_unit_test(types_and_routes_are_unique),
		cmocka_unit_test(every_argument_is_bound),
		cmocka_unit_test(every_path_argument_stands_in_its_path),
		cmocka_unit_test(columns_are_as_many_as_selected),
		cmocka_unit_test(requests_find_their_verb),
		cmocka_unit_test(a_path_may_depend_on_its_query),
		cmocka_unit_test(segments_are_counted),
		cmocka_unit_test(times_are_those_of_rfc_3339),
		cmocka_unit_test(json_of_strangers_is_strict),
		cmocka_unit_test(each_verb_prints_as_a_line_of_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
