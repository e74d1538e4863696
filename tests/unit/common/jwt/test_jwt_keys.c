/* uses: common/jwt common/base */
#include "jwt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base64url.h"
#include "property.h"

#define HEX32 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1F"

static char path[] = "/tmp/chemchat-keys-XXXXXX";
static JwtKeys keys;
static Error err;

static int
make_file(void **state)
{
	int fd = mkstemp(path);

	(void) state;
	return fd < 0 ? -1 : close(fd);
}

static int
remove_file(void **state)
{
	(void) state;
	return unlink(path);
}

static bool
load(const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	return jwt_keys_load(path, &keys, &err);
}

static void
refused(const char *text, const char *reason)
{
	static const JwtKeys none;

	assert_false(load(text));
	if (strstr(err.text, reason) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err.text, reason);
	assert_null(strstr(err.text, "0001"));
	assert_memory_equal(&keys, &none, sizeof keys);
}

static void
a_key_is_hexadecimal_text(void **state)
{
	(void) state;
	assert_true(load(HEX32 "\n"));
	assert_int_equal(keys.count, 1);
	assert_int_equal(keys.key[0].alg, JWT_HS256);
	assert_int_equal(keys.key[0].secret_len, 32);
	assert_string_equal(keys.key[0].kid, "");
	for (int i = 0; i < 32; i++)
		assert_int_equal(keys.key[0].secret[i], i);
	assert_true(load(HEX32)); /* no newline */
	assert_true(load("\r\n  " HEX32 " \r\n"));
	assert_int_equal(keys.key[0].secret_len, 32);
}

static void
several_keys_have_names(void **state)
{
	(void) state;
	assert_true(load("# new since June\n2026-06:" HEX32 HEX32 "\n\n"
					 "2025-12:" HEX32 "\n" HEX32 "\n"));
	assert_int_equal(keys.count, 3);
	assert_string_equal(keys.key[0].kid, "2026-06");
	assert_int_equal(keys.key[0].secret_len, 64);
	assert_string_equal(keys.key[1].kid, "2025-12");
	assert_string_equal(keys.key[2].kid, "");
}

static void
what_is_no_key_is_refused_without_a_byte_of_it(void **state)
{
	(void) state;
	refused("", "there is no key in");
	refused("# only words\n", "there is no key in");
	refused("0001\n", "has 2 bytes; it must have 32 to 128");
	refused(HEX32 "0\n", "odd number of digits");
	refused(HEX32 "\n" HEX32 "zz\n", ":2: the key is not hexadecimal");
	refused(HEX32 HEX32 HEX32 HEX32 "00\n", "has 129 bytes");
	refused(":" HEX32 "\n", "name must have 1 to 127 bytes");
	refused("a:" HEX32 "\na:" HEX32 "\n", ":2: there is a key of that name");
	refused("1:" HEX32 "\n2:" HEX32 "\n3:" HEX32 "\n4:" HEX32 "\n5:" HEX32
			"\n6:" HEX32 "\n7:" HEX32 "\n8:" HEX32 "\n9:" HEX32 "\n",
			":9: there are more than 8 keys");
	refused("-----BEGIN PUBLIC KEY-----\n", "the key");
}

static void
a_key_others_may_read_is_refused(void **state)
{
	(void) state;
	assert_true(load(HEX32));
	assert_int_equal(chmod(path, 0644), 0);
	assert_false(jwt_keys_load(path, &keys, &err));
	assert_non_null(strstr(err.text, "mode 0644"));
	assert_int_equal(chmod(path, 0600), 0);
	assert_false(jwt_keys_load("/nowhere/key", &keys, &err));
}

/* RFC 4648 10, in the alphabet for URLs and without padding. */
static void
base64url_is_the_rfcs(void **state)
{
	static const char *const cases[][2] = {
		{ "", "" },
		{ "f", "Zg" },
		{ "fo", "Zm8" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg" },
		{ "fooba", "Zm9vYmE" },
		{ "foobar", "Zm9vYmFy" },
		{ "\xfb\xff\xfe", "-__-" },
	};
	static const char *const bad[] = { "Z",    "Zg==", "Zh",   "Zm9=", "Zm9",
									   "+__-", "-/_-", "Zm 9", "Zg\n", "\xc3" };

	(void) state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
	{
		Buf out;

		buf_init(&out);
		base64url_append(&out, cases[i][0], strlen(cases[i][0]));
		assert_string_equal(out.data, cases[i][1]);
		buf_reset(&out);
		assert_true(base64url_decode(cases[i][1], strlen(cases[i][1]), &out));
		assert_string_equal(out.data, cases[i][0]);
		buf_fini(&out);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
	{
		Buf out;

		buf_init(&out);
		buf_append_str(&out, "had");
		if (base64url_decode(bad[i], strlen(bad[i]), &out))
			fail_msg("\"%s\" was taken", bad[i]);
		assert_string_equal(out.data, "had");
		assert_int_equal(out.len, 3);
		buf_fini(&out);
	}
}

static void
any_bytes_come_back(void **state)
{
	Random random = random_begin();

	(void) state;
	for (int i = 0; i < 20000; i++)
	{
		uint8_t bytes[70];
		size_t len = random_below(&random, sizeof bytes);
		Buf text;
		Buf back;

		for (size_t at = 0; at < len; at++)
			bytes[at] = (uint8_t) random_next(&random);
		buf_init(&text);
		buf_init(&back);
		base64url_append(&text, bytes, len);
		assert_true(base64url_decode(text.data, text.len, &back));
		assert_int_equal(back.len, len);
		assert_memory_equal(back.data, bytes, len);
		buf_fini(&text);
		buf_fini(&back);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_is_hexadecimal_text),
		cmocka_unit_test(several_keys_have_names),
		cmocka_unit_test(what_is_no_key_is_refused_without_a_byte_of_it),
		cmocka_unit_test(a_key_others_may_read_is_refused),
		cmocka_unit_test(base64url_is_the_rfcs),
		cmocka_unit_test(any_bytes_come_back),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
