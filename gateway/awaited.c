#include "awaited.h"

#include <stdlib.h>

#include "xalloc.h"

#define CAP_FIRST 64 /* a power of two, as AWAITED_MAX */

typedef struct Commit
{
	Uuid conversation_id;
	uint64_t ev;
	int64_t due_us;
} Commit;

struct Awaited
{
	Commit *ring;
	uint32_t cap;
	uint32_t head;
	uint32_t count;
};

Awaited *
awaited_new(void)
{
	Awaited *awaited = xcalloc(1, sizeof(*awaited));

	awaited->cap = CAP_FIRST;
	awaited->ring = xmalloc(CAP_FIRST * sizeof(awaited->ring[0]));
	return awaited;
}

void
awaited_free(Awaited **awaited)
{
	if (*awaited == NULL)
		return;
	free((*awaited)->ring);
	free(*awaited);
	*awaited = NULL;
}

void
awaited_add(Awaited *awaited, const Uuid *conversation_id, uint64_t ev,
			int64_t now_us)
{
	Commit *commit;

	if (awaited->count == AWAITED_MAX)
		return;
	if (awaited->count == awaited->cap)
	{
		Commit *ring = xmalloc(2 * awaited->cap * sizeof(ring[0]));

		for (uint32_t i = 0; i < awaited->count; i++)
			ring[i] = awaited->ring[(awaited->head + i) & (awaited->cap - 1)];
		free(awaited->ring);
		awaited->ring = ring;
		awaited->head = 0;
		awaited->cap *= 2;
	}
	commit =
		&awaited->ring[(awaited->head + awaited->count++) & (awaited->cap - 1)];
	commit->conversation_id = *conversation_id;
	commit->ev = ev;
	commit->due_us = now_us + (int64_t) 1000 * AWAITED_MS;
}

bool
awaited_next(Awaited *awaited, int64_t now_us, Uuid *conversation_id,
			 uint64_t *ev)
{
	const Commit *commit = &awaited->ring[awaited->head];

	if (awaited->count == 0 || commit->due_us > now_us)
		return false;
	*conversation_id = commit->conversation_id;
	*ev = commit->ev;
	awaited->head = (awaited->head + 1) & (awaited->cap - 1);
	awaited->count--;
	return true;
}
