#include "auth_cache.h"

#include <stdlib.h>
#include <string.h>

#include "uuid_map.h"
#include "xalloc.h"

typedef struct Entry
{
	uint8_t hash[SHA256_SIZE];
	int64_t put_us;
	bool is_nobody;
	Identity identity;
} Entry;

struct AuthCache
{
	UuidMap *entries; /* by the first half of the hash */
	size_t max;
	int64_t ttl_us;
};

static Uuid key_of(const uint8_t hash[SHA256_SIZE]);
static void empty(AuthCache *cache);

AuthCache *
auth_cache_new(size_t max, int64_t ttl_us)
{
	AuthCache *cache = xcalloc(1, sizeof(*cache));

	cache->entries = uuid_map_new();
	cache->max = max;
	cache->ttl_us = ttl_us;
	return cache;
}

void
auth_cache_free(AuthCache **cache)
{
	if (*cache == NULL)
		return;
	empty(*cache);
	uuid_map_free(&(*cache)->entries);
	free(*cache);
	*cache = NULL;
}

bool
auth_cache_get(const AuthCache *cache, const uint8_t hash[SHA256_SIZE],
			   int64_t now_us, const Identity **identity)
{
	Uuid key = key_of(hash);
	const Entry *entry = uuid_map_get(cache->entries, &key);

	if (entry == NULL || memcmp(entry->hash, hash, SHA256_SIZE) != 0 ||
		now_us - entry->put_us >= cache->ttl_us)
		return false;
	*identity = entry->is_nobody ? NULL : &entry->identity;
	return true;
}

void
auth_cache_put(AuthCache *cache, const uint8_t hash[SHA256_SIZE],
			   int64_t now_us, const Identity *identity)
{
	Uuid key = key_of(hash);
	Entry *entry = uuid_map_get(cache->entries, &key);

	if (entry == NULL)
	{
		if (uuid_map_count(cache->entries) >= cache->max)
			empty(cache);
		entry = xcalloc(1, sizeof(*entry));
		uuid_map_put(cache->entries, &key, entry);
	}
	memcpy(entry->hash, hash, SHA256_SIZE);
	entry->put_us = now_us;
	entry->is_nobody = identity == NULL;
	if (identity != NULL)
		entry->identity = *identity;
}

static Uuid
key_of(const uint8_t hash[SHA256_SIZE])
{
	Uuid key;

	memcpy(key.byte, hash, sizeof(key.byte));
	return key;
}

static void
empty(AuthCache *cache)
{
	size_t cursor = 0;
	Uuid key;
	void *entry;

	while (uuid_map_next(cache->entries, &cursor, &key, &entry))
		free(uuid_map_remove(cache->entries, &key));
}
