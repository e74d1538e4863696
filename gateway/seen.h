/*
 * seen - which conversations that are not ours changed lately
 *
 * A gateway hears of every conversation and keeps those of its own users.
 * Between the moment rows are read for a new user and the moment they are
 * applied, an event of one of her conversations may pass by unnoticed.  This
 * remembers the last event per slot of a fixed table; the answer may be yes
 * without cause (another conversation took the slot), never no.
 *
 * Pure.  One thread.
 */
#ifndef CHEMCHAT_SEEN_H
#define CHEMCHAT_SEEN_H

#include <stdbool.h>
#include <stdint.h>

#include "uuid.h"

typedef struct Seen Seen;

Seen *seen_new(void);
void seen_free(Seen **seen);

void seen_note(Seen *seen, const Uuid *conversation_id, uint64_t ev,
			   int64_t now_us);

/* May an event above ev have been noted at or after since_us? */
bool seen_is_newer(const Seen *seen, const Uuid *conversation_id, uint64_t ev,
				   int64_t since_us);

#endif
