/* uses: gateway common/base */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "../property.h"
#include "buf.h"
#include "utf8.h"
#include "ws_frame.h"

#define MAX_BYTES 1024

/* What came of some bytes, as one text: the same for the same meaning. */
typedef struct Told
{
	Buf text;
	bool is_ended;
} Told;

static void
tell(Told *told, const WsEvent *event)
{
	static const char names[] = { [WS_TEXT] = 'T',
								  [WS_PING] = 'I',
								  [WS_PONG] = 'O',
								  [WS_CLOSE] = 'C',
								  [WS_FAIL] = 'F' };

	buf_printf(&told->text, "%c%d:", names[event->kind], event->code);
	if (event->len > 0)
		buf_append(&told->text, event->text, event->len);
	buf_append_char(&told->text, '\n');
	told->is_ended = event->kind == WS_CLOSE || event->kind == WS_FAIL;
}

/* All of it, in parts of at most `most` bytes; most < 0: of random size. */
static void
feed(WsParser *parser, const uint8_t *bytes, size_t len, int most,
	 Random *random, Told *told)
{
	while (len > 0 && !told->is_ended)
	{
		size_t part = most > 0 ? (size_t) most : 1 + random_below(random, 40);
		unsigned char *copy;
		unsigned char *at;
		size_t left;
		WsEvent event;

		part = part < len ? part : len;
		copy = malloc(part); /* so that a byte beyond is noticed */
		memcpy(copy, bytes, part);
		at = copy;
		left = part;
		for (;;)
		{
			ws_parser_next(parser, &at, &left, &event);
			if (event.kind == WS_MORE)
				break;
			tell(told, &event);
		}
		assert_int_equal(left, 0);
		free(copy);
		bytes += part;
		len -= part;
	}
}

static void
put_frame(Buf *out, int first, const void *payload, size_t len,
		  const uint8_t mask[4])
{
	buf_append_char(out, (char) first);
	if (len < 126)
		buf_append_char(out, (char) (0x80 | len));
	else if (len <= UINT16_MAX)
	{
		buf_append_char(out, (char) (0x80 | 126));
		buf_append_char(out, (char) (len >> 8));
		buf_append_char(out, (char) len);
	}
	else
	{
		buf_append_char(out, (char) (0x80 | 127));
		for (int i = 7; i >= 0; i--)
			buf_append_char(out, (char) ((uint64_t) len >> (8 * i)));
	}
	buf_append(out, mask, 4);
	for (size_t i = 0; i < len; i++)
		buf_append_char(out,
						(char) (((const uint8_t *) payload)[i] ^ mask[i & 3]));
}

static void
expect(const void *bytes, size_t len, const char *text)
{
	for (int most = 1; most < 20; most += 6)
	{
		Told told = { 0 };
		WsParser parser;

		buf_init(&told.text);
		ws_parser_init(&parser, MAX_BYTES);
		feed(&parser, bytes, len, most, NULL, &told);
		assert_string_equal(told.text.data, text);
		ws_parser_fini(&parser);
		buf_fini(&told.text);
	}
}

#define EXPECT(text, ...)                                                      \
	do                                                                         \
	{                                                                          \
		static const uint8_t bytes[] = { __VA_ARGS__ };                        \
                                                                               \
		expect(bytes, sizeof(bytes), text);                                    \
	} while (0)
#define MASK 0, 0, 0, 0

static void
a_break_of_the_protocol_has_its_code(void **state)
{
	(void) state;
	EXPECT("F1002:\n", 0x81, 0x01, 'x');
	EXPECT("F1002:\n", 0x88, 0x00);
	EXPECT("F1002:\n", 0xc1, 0x80, MASK);
	EXPECT("F1002:\n", 0xa1, 0x80, MASK);
	EXPECT("F1002:\n", 0x91, 0x80, MASK);
	EXPECT("F1002:\n", 0x83, 0x80, MASK);
	EXPECT("F1002:\n", 0x8b, 0x80, MASK);
	EXPECT("F1002:\n", 0x8f, 0x80, MASK);
	EXPECT("F1002:\n", 0x09, 0x80, MASK);
	EXPECT("F1002:\n", 0x89, 0xfe, 0, 126, MASK);
	EXPECT("F1002:\n", 0x88, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, MASK);
	EXPECT("F1002:\n", 0x80, 0x80, MASK);
	EXPECT("F1002:\n", 0x01, 0x80, MASK, 0x81, 0x80, MASK);
	EXPECT("F1002:\n", 0x81, 0xfe, 0, 125, MASK);
	EXPECT("F1002:\n", 0x81, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff, MASK);
	EXPECT("F1002:\n", 0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, MASK);
	EXPECT("F1003:\n", 0x82, 0x80, MASK);
	EXPECT("F1009:\n", 0x81, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, MASK);
	EXPECT("F1009:\n", 0x81, 0xfe, 4, 1, MASK);
	EXPECT("F1007:\n", 0x81, 0x81, MASK, 0xff);
	EXPECT("F1007:\n", 0x81, 0x81, MASK, 0xc3); /* half a character */
	EXPECT("F1007:\n", 0x01, 0x81, MASK, 0xed, 0x80, 0x81, MASK, 0xa0);
	EXPECT("F1007:\n", 0x01, 0x83, MASK, 0xf4, 0x90, 0x80);
}

static void
a_close_is_judged(void **state)
{
	(void) state;
	EXPECT("C1005:\n", 0x88, 0x80, MASK);
	EXPECT("C1000:bye\n", 0x88, 0x85, MASK, 3, 232, 'b', 'y', 'e');
	EXPECT("C4999:\n", 0x88, 0x82, MASK, 0x13, 0x87);
	EXPECT("C3000:\n", 0x88, 0x82, MASK, 0x0b, 0xb8);
	EXPECT("F1002:\n", 0x88, 0x81, MASK, 3);
	EXPECT("F1002:\n", 0x88, 0x82, MASK, 0x03, 0xe7); /* 999 */
	EXPECT("F1002:\n", 0x88, 0x82, MASK, 0x03, 0xec); /* 1004 */
	EXPECT("F1002:\n", 0x88, 0x82, MASK, 0x03, 0xed); /* 1005 */
	EXPECT("F1002:\n", 0x88, 0x82, MASK, 0x03, 0xee); /* 1006 */
	EXPECT("C1014:\n", 0x88, 0x82, MASK, 0x03, 0xf6);
	EXPECT("F1002:\n", 0x88, 0x82, MASK, 0x03, 0xf7); /* 1015 */
	EXPECT("F1002:\n", 0x88, 0x82, MASK, 0x0b, 0xb7); /* 2999 */
	EXPECT("F1002:\n", 0x88, 0x82, MASK, 0x13, 0x88); /* 5000 */
	EXPECT("F1007:\n", 0x88, 0x83, MASK, 3, 232, 0xff);

	/* Nothing after it is read. */
	EXPECT("C1000:\n", 0x88, 0x82, MASK, 3, 232, 0x81, 0x81, MASK, 'x');
}

static void
parts_make_one_message(void **state)
{
	(void) state;
	EXPECT("I0:p\nT0:a\xc3\xa9"
		   "b\nO0:\nT0:\n",
		   0x01, 0x82, MASK, 'a', 0xc3, 0x89, 0x81, MASK, 'p', 0x00, 0x80, MASK,
		   0x80, 0x82, MASK, 0xa9, 'b', 0x8a, 0x80, MASK, 0x81, 0x80, MASK);
}

static void
empty_parts_have_an_end(void **state)
{
	static const uint8_t mask[4] = { 1, 2, 3, 4 };
	char text[16];
	Buf bytes;

	(void) state;
	buf_init(&bytes);
	put_frame(&bytes, 0x01, "", 0, mask);
	for (int i = 1; i < WS_FRAGMENTS_MAX; i++)
		put_frame(&bytes, 0x00, "", 0, mask);
	expect(bytes.data, bytes.len, "");
	put_frame(&bytes, 0x80, "", 0, mask);
	(void) snprintf(text, sizeof(text), "F%d:\n", WS_CODE_TOO_MANY);
	expect(bytes.data, bytes.len, text);
	buf_fini(&bytes);
}

static void
all_parts_together_have_a_limit(void **state)
{
	static const uint8_t mask[4] = { 9, 8, 7, 6 };
	char part[MAX_BYTES / 2];
	Buf bytes;

	(void) state;
	memset(part, 'x', sizeof(part));
	buf_init(&bytes);
	put_frame(&bytes, 0x01, part, sizeof(part), mask);
	put_frame(&bytes, 0x00, part, sizeof(part), mask);
	put_frame(&bytes, 0x00, "", 0, mask);
	expect(bytes.data, bytes.len, "");
	put_frame(&bytes, 0x80, "y", 1, mask);
	expect(bytes.data, bytes.len, "F1009:\n");
	buf_fini(&bytes);
}

static void
nothing_is_kept_for_a_length_alone(void **state)
{
	static const uint8_t head[] = { 0x81, 0xfe, 4, 0, MASK };
	unsigned char bytes[sizeof(head)];
	unsigned char *at = bytes;
	size_t len = sizeof(head);
	WsParser parser;
	WsEvent event;

	(void) state;
	memcpy(bytes, head, sizeof(head));
	ws_parser_init(&parser, MAX_BYTES);
	assert_true(ws_parser_is_idle(&parser));
	ws_parser_next(&parser, &at, &len, &event);
	assert_int_equal(event.kind, WS_MORE);
	assert_null(parser.partial);
	assert_false(ws_parser_is_idle(&parser));
	ws_parser_fini(&parser);
}

/* Text that is, or nearly is, UTF-8. */
static size_t
some_text(Random *random, uint8_t *out, size_t most)
{
	static const char *const pieces[] = { "a", "hello ", "\xc3\xa9",
										  "\xe2\x82\xac", "\xf0\x9f\xa7\xaa" };
	size_t len = 0;
	size_t wanted = random_below(random, most);

	while (len + 8 < wanted)
	{
		const char *piece = pieces[random_below(random, 5)];

		memcpy(out + len, piece, strlen(piece));
		len += strlen(piece);
	}
	if (len > 0 && random_below(random, 30) == 0)
		out[random_below(random, len)] = (uint8_t) random_next(random);
	return len;
}

/* Mostly proper traffic; sometimes a byte is another. */
static void
some_traffic(Random *random, Buf *bytes)
{
	uint8_t text[MAX_BYTES];

	for (uint64_t i = 1 + random_below(random, 6); i > 0; i--)
	{
		size_t len = some_text(random, text, MAX_BYTES - 1);
		size_t done = 0;
		int first = 1;

		for (;;)
		{
			size_t part = random_below(random, 3) == 0
							  ? random_below(random, len - done + 1)
							  : len - done;
			uint64_t mask = random_next(random);
			bool is_last = done + part == len;

			put_frame(bytes, (is_last ? 0x80 : 0) | first, text + done, part,
					  (const uint8_t *) &mask);
			done += part;
			first = 0;
			if (is_last)
				break;
			if (random_below(random, 3) == 0)
				put_frame(bytes, 0x89, "ping", random_below(random, 5),
						  (const uint8_t *) &mask);
		}
	}
	if (random_below(random, 3) == 0)
		put_frame(bytes, 0x88,
				  "\x03\xe8"
				  "bye",
				  5, (const uint8_t *) "abcd");
	if (random_below(random, 2) == 0)
		bytes->data[random_below(random, bytes->len)] ^=
			(char) (1 << random_below(random, 8));
}

static void
however_it_is_cut_it_says_the_same(void **state)
{
	Random random = random_begin();

	(void) state;
	for (int turn = 0; turn < 2000; turn++)
	{
		Told whole = { 0 };
		Told cut = { 0 };
		WsParser one;
		WsParser other;
		Buf bytes;

		buf_init(&bytes);
		buf_init(&whole.text);
		buf_init(&cut.text);
		some_traffic(&random, &bytes);
		ws_parser_init(&one, MAX_BYTES);
		ws_parser_init(&other, MAX_BYTES);
		feed(&one, (uint8_t *) bytes.data, bytes.len, (int) bytes.len, &random,
			 &whole);
		feed(&other, (uint8_t *) bytes.data, bytes.len, -1, &random, &cut);
		assert_int_equal(whole.text.len, cut.text.len);
		assert_memory_equal(whole.text.data, cut.text.data, whole.text.len);
		assert_int_equal(ws_parser_is_idle(&one), ws_parser_is_idle(&other));
		assert_true(!ws_parser_is_idle(&other) || other.partial == NULL);
		ws_parser_fini(&one);
		ws_parser_fini(&other);
		buf_fini(&bytes);
		buf_fini(&whole.text);
		buf_fini(&cut.text);
	}
}

static void
text_in_parts_is_judged_as_a_whole(void **state)
{
	Random random = random_begin();
	uint8_t text[200];

	(void) state;
	for (int turn = 0; turn < 20000; turn++)
	{
		size_t len = some_text(&random, text, sizeof(text));
		Utf8Check check = { 0 };
		bool is_text = true;
		bool slowly = true;
		size_t width;

		for (size_t at = 0; at < len && slowly; at += width)
		{
			width = utf8_width((char *) text + at, len - at);
			slowly = width > 0;
		}
		for (size_t at = 0; at < len && is_text;)
		{
			size_t part = 1 + random_below(&random, 12);

			part = part < len - at ? part : len - at;
			is_text = utf8_check_feed(&check, text + at, part);
			at += part;
		}
		is_text = is_text && utf8_check_is_whole(&check);
		assert_int_equal(is_text, slowly);
		assert_int_equal(utf8_is_valid((char *) text, len), slowly);
	}
}

static void
our_heads_have_the_shortest_length(void **state)
{
	uint8_t head[WS_SERVER_HEAD];

	(void) state;
	assert_int_equal(ws_frame_head(head, WS_OP_TEXT, 125), 2);
	assert_memory_equal(head, "\x81\x7d", 2);
	assert_int_equal(ws_frame_head(head, WS_OP_TEXT, 126), 4);
	assert_memory_equal(head, "\x81\x7e\x00\x7e", 4);
	assert_int_equal(ws_frame_head(head, WS_OP_PONG, 65535), 4);
	assert_memory_equal(head, "\x8a\x7e\xff\xff", 4);
	assert_int_equal(ws_frame_head(head, WS_OP_TEXT, 65536), 10);
	assert_memory_equal(head, "\x81\x7f\0\0\0\0\0\1\0\0", 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_break_of_the_protocol_has_its_code),
		cmocka_unit_test(a_close_is_judged),
		cmocka_unit_test(parts_make_one_message),
		cmocka_unit_test(empty_parts_have_an_end),
		cmocka_unit_test(all_parts_together_have_a_limit),
		cmocka_unit_test(nothing_is_kept_for_a_length_alone),
		cmocka_unit_test(however_it_is_cut_it_says_the_same),
		cmocka_unit_test(text_in_parts_is_judged_as_a_whole),
		cmocka_unit_test(our_heads_have_the_shortest_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
