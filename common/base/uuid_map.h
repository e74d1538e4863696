/*
 * uuid_map - from a uuid to a pointer
 *
 * Open addressing with linear probing, grown at 3/4 full; the hash is seeded
 * per process, since clients choose some of the keys.  Pointers are borrowed.
 *
 * Pure.  One thread.
 */
#ifndef CHEMCHAT_UUID_MAP_H
#define CHEMCHAT_UUID_MAP_H

#include "uuid.h"

typedef struct UuidMap UuidMap;

UuidMap *uuid_map_new(void);
void uuid_map_free(UuidMap **map);
size_t uuid_map_count(const UuidMap *map);

void *uuid_map_get(const UuidMap *map, const Uuid *key);

/* Sets the value and returns the one that was there, or NULL. */
void *uuid_map_put(UuidMap *map, const Uuid *key, void *value);
void *uuid_map_remove(UuidMap *map, const Uuid *key);

/*
 * Walks all entries: start with *cursor = 0; false at the end.  The map must
 * not change meanwhile, except by removing the entry just returned.
 */
bool uuid_map_next(const UuidMap *map, size_t *cursor, Uuid *key, void **value);

#endif
