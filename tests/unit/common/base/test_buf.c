/* uses: common/base */
/* pkgs: jansson */
#include "buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "property.h"
#include "utf8.h"

static void
text_is_always_ended(void **state)
{
	Buf buf;

	(void) state;
	buf_init(&buf);
	assert_string_equal(buf.data, "");
	buf_append_str(&buf, "one ");
	buf_append_char(&buf, '2');
	buf_printf(&buf, " %s %d", "three", 4);
	assert_string_equal(buf.data, "one 2 three 4");
	assert_int_equal(buf.len, strlen("one 2 three 4"));
	buf_consume(&buf, 4);
	assert_string_equal(buf.data, "2 three 4");
	buf_consume(&buf, buf.len);
	assert_string_equal(buf.data, "");
	buf_append(&buf, "a\0b", 3);
	assert_memory_equal(buf.data, "a\0b\0", 4);
	buf_reset(&buf);
	assert_string_equal(buf.data, "");
	buf_fini(&buf);
	assert_null(buf.data);

	/* a zeroed one is an empty one */
	buf_append_str(&buf, "again");
	assert_string_equal(buf.data, "again");
	buf_fini(&buf);
}

static void
it_grows_by_any_way_in(void **state)
{
	Random random = random_begin();
	char *model = malloc(1 << 20);
	size_t len = 0;
	Buf buf;

	(void) state;
	assert_non_null(model);
	buf_init(&buf);
	for (int i = 0; i < 3000; i++)
	{
		char piece[300];
		size_t piece_len = random_below(&random, sizeof piece - 1);

		memset(piece, 'a' + i % 26, piece_len);
		piece[piece_len] = '\0';
		switch (random_below(&random, 3))
		{
			case 0:
				buf_append(&buf, piece, piece_len);
				break;
			case 1:
				buf_printf(&buf, "%s", piece);
				break;
			default:
				memcpy(buf_reserve(&buf, piece_len), piece, piece_len);
				buf.len += piece_len;
				buf.data[buf.len] = '\0';
		}
		memcpy(model + len, piece, piece_len);
		len += piece_len;
		assert_int_equal(buf.len, len);
		assert_int_equal(strlen(buf.data), len);
		if (random_below(&random, 50) == 0)
		{
			size_t gone = random_below(&random, len + 1);

			buf_consume(&buf, gone);
			memmove(model, model + gone, len - gone);
			len -= gone;
		}
		assert_memory_equal(buf.data, model, len);
	}
	buf_fini(&buf);
	free(model);
}

static void
json_is_escaped_as_the_rfc_says(void **state)
{
	static const struct
	{
		const char *text;
		size_t len;
		const char *json;
	} cases[] = {
		{ "", 0, "\"\"" },
		{ "plain", 5, "\"plain\"" },
		{ "\"\\/", 3, "\"\\\"\\\\/\"" },
		{ "\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\"" },
		{ "\0\x01\x1f\x7f", 4, "\"\\u0000\\u0001\\u001f\x7f\"" },
		{ "H\xe2\x82\x82O \xf0\x9f\xa7\xaa", 10,
		  "\"H\xe2\x82\x82O \xf0\x9f\xa7\xaa\"" },
		{ "cut \xe2\x82", 6, "\"cut \xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "\xc0\xaf", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
	};

	(void) state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
	{
		Buf buf;

		buf_init(&buf);
		buf_append_json(&buf, cases[i].text, cases[i].len);
		assert_string_equal(buf.data, cases[i].json);
		buf_fini(&buf);
	}
}

/* Whatever bytes come, a strict parser reads it, and reads valid text back. */
static void
any_bytes_become_json_that_others_read(void **state)
{
	static const char pieces[] = "\"\\\n\xe2\x82\xac"
								 "a\x01\xf0\x9f";
	Random random = random_begin();

	(void) state;
	for (int i = 0; i < 20000; i++)
	{
		char text[40];
		size_t len = random_below(&random, sizeof text);
		Buf buf;
		json_t *value;

		for (size_t at = 0; at < len; at++)
		{
			bool is_any = random_below(&random, 3) == 0;

			text[at] = is_any ? (char) random_next(&random)
							  : pieces[random_below(&random, 10)];
		}
		buf_init(&buf);
		buf_append_json(&buf, text, len);
		value = json_loadb(buf.data, buf.len, JSON_DECODE_ANY | JSON_ALLOW_NUL,
						   NULL);
		assert_non_null(value);
		if (utf8_is_valid(text, len))
		{
			assert_int_equal(json_string_length(value), len);
			assert_memory_equal(json_string_value(value), text, len);
		}
		json_decref(value);
		buf_fini(&buf);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_always_ended),
		cmocka_unit_test(it_grows_by_any_way_in),
		cmocka_unit_test(json_is_escaped_as_the_rfc_says),
		cmocka_unit_test(any_bytes_become_json_that_others_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
