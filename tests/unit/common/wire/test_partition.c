/* uses: common/wire common/base */
#include "partition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* What org.apache.kafka.common.utils.Utils.murmur2 answers. */
static void
hashes_are_those_of_the_java_client(void **state)
{
	static const struct
	{
		const char *key;
		int32_t hash;
	} cases[] = {
		{ "21", -973932308 },
		{ "abc", 479470107 },
		{ "foobar", -790332482 },
		{ "a-little-bit-long-string", -985981536 },
		{ "a-little-bit-longer-string", -1486304829 },
		{ "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal((int32_t) partition_murmur2(cases[i].key,
													 strlen(cases[i].key)),
						 cases[i].hash);
}

/* toPositive() clears the sign bit; it is not the absolute value. */
static void
the_sign_bit_is_cleared(void **state)
{
	assert_int_equal(partition_of("21", 2, 12),
					 ((uint32_t) -973932308 & 0x7fffffff) % 12);
	assert_int_equal(partition_of("21", 2, 1), 0);
}

static void
alignment_does_not_matter(void **state)
{
	char room[64];

	for (int shift = 0; shift < 8; shift++)
	{
		memcpy(room + shift, "foobar", 6);
		assert_int_equal((int32_t) partition_murmur2(room + shift, 6),
						 -790332482);
	}
}

static void
a_shard_is_a_union_of_partitions(void **state)
{
	static const uint32_t shards[] = { 1, 2, 3, 4, 6, 12 };
	char key[36];

	for (unsigned n = 0; n < 2000; n++)
	{
		uint8_t id[16] = { (uint8_t) n, (uint8_t) (n >> 8), 0x42 };

		partition_key_text(id, key);
		for (size_t i = 0; i < sizeof(shards) / sizeof(shards[0]); i++)
			assert_int_equal(partition_of(key, 36, shards[i]),
							 partition_of(key, 36, 12) % shards[i]);
	}
}

static void
the_key_is_the_uuid_as_text(void **state)
{
	static const uint8_t id[16] = { 0x01, 0x8f, 0x3c, 0x6e, 0xAB, 0xCD,
									0x7e, 0xf0, 0x81, 0x23, 0x45, 0x67,
									0x89, 0xab, 0xcd, 0xef };
	char key[37] = { 0 };

	partition_key_text(id, key);
	assert_string_equal(key, "018f3c6e-abcd-7ef0-8123-456789abcdef");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes_are_those_of_the_java_client),
		cmocka_unit_test(the_sign_bit_is_cleared),
		cmocka_unit_test(alignment_does_not_matter),
		cmocka_unit_test(a_shard_is_a_union_of_partitions),
		cmocka_unit_test(the_key_is_the_uuid_as_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
