/* uses: common/base */
#include "uuid_map.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "property.h"

#define KEYS 600

/* The i-th key; keys differ in few bits, as those of one minute do. */
static Uuid
key_of(size_t i)
{
	Uuid key = { { 0x01, 0x90, 0xa0 } };

	key.byte[6] = 0x70;
	key.byte[8] = 0x80;
	key.byte[14] = (uint8_t) (i >> 8);
	key.byte[15] = (uint8_t) i;
	return key;
}

static void
check_walk(const UuidMap *map, int *const model[KEYS], size_t count)
{
	bool is_seen[KEYS] = { false };
	size_t cursor = 0;
	size_t seen = 0;
	Uuid key;
	void *value;

	while (uuid_map_next(map, &cursor, &key, &value))
	{
		size_t i = (size_t) key.byte[14] << 8 | key.byte[15];

		assert_true(i < KEYS);
		assert_false(is_seen[i]);
		assert_ptr_equal(value, model[i]);
		is_seen[i] = true;
		seen++;
	}
	assert_int_equal(seen, count);
	assert_false(uuid_map_next(map, &cursor, &key, &value));
}

static void
it_holds_what_a_plain_table_holds(void **state)
{
	static int values[64];
	Random random = random_begin();
	int *model[KEYS] = { NULL };
	UuidMap *map = uuid_map_new();
	size_t count = 0;

	(void) state;
	for (int i = 0; i < 60000; i++)
	{
		/* it fills, is emptied, and fills again */
		bool is_growing = i / 6000 % 2 == 0;
		size_t at = random_below(&random, KEYS);
		Uuid key = key_of(at);

		assert_ptr_equal(uuid_map_get(map, &key), model[at]);
		if (random_below(&random, 10) < (is_growing ? 7 : 2))
		{
			int *value = &values[random_below(&random, 64)];

			assert_ptr_equal(uuid_map_put(map, &key, value), model[at]);
			count += model[at] == NULL;
			model[at] = value;
		}
		else
		{
			assert_ptr_equal(uuid_map_remove(map, &key), model[at]);
			count -= model[at] != NULL;
			model[at] = NULL;
		}
		assert_int_equal(uuid_map_count(map), count);
		if (i % 997 == 0)
			check_walk(map, model, count);
	}
	uuid_map_free(&map);
	assert_null(map);
}

static void
a_walk_survives_the_removal_of_what_it_returned(void **state)
{
	Random random = random_begin();

	(void) state;
	for (int round = 0; round < 300; round++)
	{
		static int value;
		UuidMap *map = uuid_map_new();
		size_t total = 1 + random_below(&random, KEYS);
		bool is_seen[KEYS] = { false };
		size_t seen = 0;
		size_t removed = 0;
		size_t cursor = 0;
		Uuid key;
		void *found;

		for (size_t i = 0; i < total; i++)
		{
			key = key_of(i);
			assert_null(uuid_map_put(map, &key, &value));
		}
		while (uuid_map_next(map, &cursor, &key, &found))
		{
			size_t i = (size_t) key.byte[14] << 8 | key.byte[15];

			assert_false(is_seen[i]);
			is_seen[i] = true;
			seen++;
			if (random_below(&random, 3) != 0)
			{
				assert_ptr_equal(uuid_map_remove(map, &key), &value);
				removed++;
			}
		}
		assert_int_equal(seen, total);
		assert_int_equal(uuid_map_count(map), total - removed);
		uuid_map_free(&map);
	}
}

static void
putting_nothing_removes(void **state)
{
	static int value;
	UuidMap *map = uuid_map_new();
	Uuid key = key_of(1);

	(void) state;
	assert_null(uuid_map_put(map, &key, &value));
	assert_ptr_equal(uuid_map_put(map, &key, NULL), &value);
	assert_int_equal(uuid_map_count(map), 0);
	assert_null(uuid_map_remove(map, &key));
	uuid_map_free(&map);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_holds_what_a_plain_table_holds),
		cmocka_unit_test(a_walk_survives_the_removal_of_what_it_returned),
		cmocka_unit_test(putting_nothing_removes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
