#include "address_limit.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "uuid_map.h"
#include "xalloc.h"

typedef struct Entry
{
	RateLimit requests;
	int64_t connections;
} Entry;

struct AddressLimit
{
	UuidMap *entries; /* by household: 16 bytes are 16 bytes */
	int64_t connections;
	RateRule requests;
};

static Entry *entry_of(AddressLimit *limit, const Address *address,
					   bool is_made);

AddressLimit *
address_limit_new(int64_t connections, const RateRule *requests)
{
	AddressLimit *limit = xcalloc(1, sizeof(*limit));

	limit->entries = uuid_map_new();
	limit->connections = connections;
	limit->requests = *requests;
	return limit;
}

void
address_limit_free(AddressLimit **limit_ref)
{
	AddressLimit *limit = *limit_ref;
	size_t cursor = 0;
	void *entry;
	Uuid key;

	if (limit == NULL)
		return;
	*limit_ref = NULL;
	while (uuid_map_next(limit->entries, &cursor, &key, &entry))
		free(entry);
	uuid_map_free(&limit->entries);
	free(limit);
}

bool
address_limit_enter(AddressLimit *limit, const Address *address)
{
	Entry *entry;

	if (limit->connections <= 0)
		return true;
	entry = entry_of(limit, address, true);
	if (entry == NULL || entry->connections >= limit->connections)
		return false;
	entry->connections++;
	return true;
}

void
address_limit_leave(AddressLimit *limit, const Address *address)
{
	Entry *entry;

	if (limit->connections <= 0)
		return;
	entry = entry_of(limit, address, false);
	assert(entry != NULL && entry->connections > 0);
	entry->connections--;
}

bool
address_limit_take(AddressLimit *limit, const Address *address, int64_t now_us,
				   int64_t *retry_after_ms)
{
	Entry *entry;

	*retry_after_ms = 0;
	if (limit->requests.per_second <= 0)
		return true;
	entry = entry_of(limit, address, true);
	if (entry == NULL)
	{
		*retry_after_ms = 10000;
		return false;
	}
	return rate_limit_take(&entry->requests, &limit->requests, now_us,
						   retry_after_ms);
}

void
address_limit_sweep(AddressLimit *limit, int64_t now_us)
{
	size_t cursor = 0;
	void *value;
	Uuid key;

	while (uuid_map_next(limit->entries, &cursor, &key, &value))
	{
		Entry *entry = value;

		if (entry->connections > 0 || entry->requests.full_at_us > now_us)
			continue;
		(void) uuid_map_remove(limit->entries, &key);
		free(entry);
	}
}

size_t
address_limit_count(const AddressLimit *limit)
{
	return uuid_map_count(limit->entries);
}

static Entry *
entry_of(AddressLimit *limit, const Address *address, bool is_made)
{
	Address household = address_household(address);
	Entry *entry;
	Uuid key;

	memcpy(key.byte, household.byte, sizeof(key.byte));
	entry = uuid_map_get(limit->entries, &key);
	if (entry != NULL || !is_made ||
		uuid_map_count(limit->entries) >= ADDRESS_LIMIT_MAX)
		return entry;
	entry = xcalloc(1, sizeof(*entry));
	(void) uuid_map_put(limit->entries, &key, entry);
	return entry;
}
