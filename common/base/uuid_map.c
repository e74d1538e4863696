#include "uuid_map.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

#include "clock.h"
#include "xalloc.h"

#define FIRST_CAP 16

/* The cursor of a walk: where it began and how far it got. */
#define CURSOR_BITS 32
#define CURSOR_MASK 0xffffffffu
_Static_assert(sizeof(size_t) == 8, "a cursor holds two 32-bit numbers");

typedef struct Slot
{
	Uuid key;
	void *value; /* NULL: the slot is empty */
} Slot;

struct UuidMap
{
	size_t count;
	size_t cap; /* a power of two */
	Slot *slots;
};

static uint64_t seed[2];
static pthread_once_t seed_once = PTHREAD_ONCE_INIT;

static void seed_init(void);
static size_t home_of(const UuidMap *map, const Uuid *key);
static size_t find(const UuidMap *map, const Uuid *key);
static void grow(UuidMap *map);

UuidMap *
uuid_map_new(void)
{
	UuidMap *map = xcalloc(1, sizeof *map);

	(void) pthread_once(&seed_once, seed_init);
	map->cap = FIRST_CAP;
	map->slots = xcalloc(map->cap, sizeof *map->slots);
	return map;
}

void
uuid_map_free(UuidMap **map)
{
	if (*map == NULL)
		return;
	free((*map)->slots);
	free(*map);
	*map = NULL;
}

size_t
uuid_map_count(const UuidMap *map)
{
	return map->count;
}

void *
uuid_map_get(const UuidMap *map, const Uuid *key)
{
	return map->slots[find(map, key)].value;
}

void *
uuid_map_put(UuidMap *map, const Uuid *key, void *value)
{
	size_t at;
	void *old;

	if (value == NULL)
		return uuid_map_remove(map, key);

	at = find(map, key);
	old = map->slots[at].value;
	if (old == NULL)
	{
		if ((map->count + 1) * 4 > map->cap * 3)
		{
			grow(map);
			at = find(map, key);
		}
		map->slots[at].key = *key;
		map->count++;
	}
	map->slots[at].value = value;
	return old;
}

void *
uuid_map_remove(UuidMap *map, const Uuid *key)
{
	size_t mask = map->cap - 1;
	size_t hole = find(map, key);
	void *old = map->slots[hole].value;

	if (old == NULL)
		return NULL;

	/*
	 * Close the hole: whoever was pushed beyond it by a collision moves
	 * back, so that no probe ends early and no tombstones gather.
	 */
	for (size_t at = (hole + 1) & mask; map->slots[at].value != NULL;
		 at = (at + 1) & mask)
	{
		size_t home = home_of(map, &map->slots[at].key);

		if (((at - home) & mask) >= ((at - hole) & mask))
		{
			map->slots[hole] = map->slots[at];
			hole = at;
		}
	}
	map->slots[hole].value = NULL;
	map->count--;
	return old;
}

/*
 * The walk begins at an empty slot and goes downwards.  A removal moves only
 * entries of the same run of full slots, and only from above the removed one
 * (already returned) into its place: nothing is missed or returned twice.
 */
bool
uuid_map_next(const UuidMap *map, size_t *cursor, Uuid *key, void **value)
{
	size_t mask = map->cap - 1;
	size_t start;
	size_t steps;

	if (*cursor == 0)
	{
		for (start = 0; map->slots[start].value != NULL; start++)
			; /* at most 3/4 are full: there is one */
		steps = 0;
	}
	else
	{
		start = *cursor >> CURSOR_BITS;
		steps = *cursor & CURSOR_MASK;
	}

	while (++steps < map->cap)
	{
		const Slot *slot = &map->slots[(start - steps) & mask];

		if (slot->value != NULL)
		{
			*key = slot->key;
			*value = slot->value;
			*cursor = start << CURSOR_BITS | steps;
			return true;
		}
	}
	*cursor = start << CURSOR_BITS | (map->cap - 1);
	return false;
}

static void
seed_init(void)
{
	if (getrandom(seed, sizeof seed, 0) != (ssize_t) sizeof seed)
	{
		/* early boot of an odd system: better than nothing */
		seed[0] = (uint64_t) clock_now_us();
		seed[1] = (uint64_t) clock_wall_us();
	}
}

static size_t
home_of(const UuidMap *map, const Uuid *key)
{
	Uuid mixed;
	uint64_t half[2];

	memcpy(half, key->byte, sizeof half);
	half[0] ^= seed[0];
	half[1] ^= seed[1];
	memcpy(mixed.byte, half, sizeof half);
	return (size_t) uuid_hash(&mixed) & (map->cap - 1);
}

/* The slot that holds the key, or the empty one where it would go. */
static size_t
find(const UuidMap *map, const Uuid *key)
{
	size_t at = home_of(map, key);

	while (map->slots[at].value != NULL &&
		   !uuid_equal(&map->slots[at].key, key))
		at = (at + 1) & (map->cap - 1);
	return at;
}

static void
grow(UuidMap *map)
{
	Slot *old = map->slots;
	size_t old_cap = map->cap;

	assert(old_cap <= CURSOR_MASK / 2);
	map->cap = old_cap * 2;
	map->slots = xcalloc(map->cap, sizeof *map->slots);
	for (size_t i = 0; i < old_cap; i++)
	{
		if (old[i].value != NULL)
			map->slots[find(map, &old[i].key)] = old[i];
	}
	free(old);
}
