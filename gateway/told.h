/*
 * told - which state was told to whom lately
 *
 * What is heard live is read again when a channel is repaired, and rows are
 * read again while a long transaction is open.  A fixed table of the last rev
 * per target and entity keeps the same from being told twice; when another
 * entity took the slot it is told again, which harms nobody.
 *
 * Pure.  One thread.
 */
#ifndef CHEMCHAT_TOLD_H
#define CHEMCHAT_TOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "uuid.h"

typedef struct Told Told;

Told *told_new(void);
void told_free(Told **told);

/*
 * Notes that the target is told the entity (kind, key, id) as of rev.  False
 * when it was told that or a later one.
 */
bool told_note(Told *told, const Uuid *target, uint8_t kind, const Uuid *key,
			   const Uuid *id, uint64_t rev);

#endif
