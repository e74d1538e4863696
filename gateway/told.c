#include "told.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "xalloc.h"

#define SLOTS 32768 /* a power of two; 16 bytes each */

typedef struct Slot
{
	uint64_t entity; /* hash of target, kind, key and id; 0: empty */
	uint64_t rev;
} Slot;

struct Told
{
	uint64_t seed; /* clients choose some of the ids */
	Slot slots[SLOTS];
};

static uint64_t mix(uint64_t hash, const Uuid *id);

Told *
told_new(void)
{
	Told *told = xcalloc(1, sizeof(*told));

	if (getrandom(&told->seed, sizeof(told->seed), 0) !=
		(ssize_t) sizeof(told->seed))
		abort();
	return told;
}

void
told_free(Told **told)
{
	free(*told);
	*told = NULL;
}

bool
told_note(Told *told, const Uuid *target, uint8_t kind, const Uuid *key,
		  const Uuid *id, uint64_t rev)
{
	uint64_t entity = mix(mix(mix(told->seed ^ kind, target), key), id) | 1;
	Slot *slot = &told->slots[(entity >> 32) & (SLOTS - 1)];

	if (slot->entity == entity && slot->rev >= rev)
		return false;
	slot->entity = entity;
	slot->rev = rev;
	return true;
}

/* Ids are random already; the multipliers are those of splitmix64. */
static uint64_t
mix(uint64_t hash, const Uuid *id)
{
	uint64_t word[2];

	memcpy(word, id->byte, sizeof(word));
	for (int i = 0; i < 2; i++)
	{
		hash += word[i] + UINT64_C(0x9e3779b97f4a7c15);
		hash = (hash ^ (hash >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
		hash = (hash ^ (hash >> 27)) * UINT64_C(0x94d049bb133111eb);
		hash ^= hash >> 31;
	}
	return hash;
}
