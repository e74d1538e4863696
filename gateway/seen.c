#include "seen.h"

#include <stdlib.h>

#include "xalloc.h"

#define SLOTS 4096

typedef struct SeenSlot
{
	Uuid id;
	uint64_t ev;
	int64_t at_us;
} SeenSlot;

struct Seen
{
	SeenSlot slots[SLOTS];
};

Seen *
seen_new(void)
{
	Seen *seen = xcalloc(1, sizeof(*seen));

	for (int i = 0; i < SLOTS; i++)
		seen->slots[i].at_us = INT64_MIN;
	return seen;
}

void
seen_free(Seen **seen)
{
	free(*seen);
	*seen = NULL;
}

void
seen_note(Seen *seen, const Uuid *conversation_id, uint64_t ev, int64_t now_us)
{
	SeenSlot *slot = &seen->slots[uuid_hash(conversation_id) % SLOTS];

	slot->id = *conversation_id;
	slot->ev = ev;
	slot->at_us = now_us;
}

bool
seen_is_newer(const Seen *seen, const Uuid *conversation_id, uint64_t ev,
			  int64_t since_us)
{
	const SeenSlot *slot = &seen->slots[uuid_hash(conversation_id) % SLOTS];

	if (slot->at_us < since_us)
		return false;
	return !uuid_equal(&slot->id, conversation_id) || slot->ev > ev;
}
