#include "sign_in_throttle.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bot_token.h"
#include "uuid_map.h"
#include "xalloc.h"

#define SECOND 1000000LL

typedef enum Kind
{
	KIND_PAIR,
	KIND_HANDLE,
	KIND_ADDRESS,
	KINDS
} Kind;

typedef struct Rule
{
	int free;
	int64_t drain_us; /* after which one is forgotten */
	int64_t max_us;   /* the longest wait */
} Rule;

static const Rule rules[KINDS] = {
	[KIND_PAIR] = { SIGN_IN_FREE_PAIR, 900 * SECOND, 900 * SECOND },
	[KIND_HANDLE] = { SIGN_IN_FREE_HANDLE, 30 * SECOND, 60 * SECOND },
	[KIND_ADDRESS] = { SIGN_IN_FREE_ADDRESS, 60 * SECOND, 900 * SECOND },
};

typedef struct Entry
{
	int count;
	bool is_known;    /* a pair that got in */
	int64_t at_us;    /* count is of then */
	int64_t until_us; /* the next may begin */
} Entry;

/* Two generations: what is asked for moves into the young one. */
struct SignInThrottle
{
	UuidMap *young;
	UuidMap *old;
};

static void find_all(SignInThrottle *throttle, const char *handle,
					 size_t handle_len, const char *address, int64_t now_us,
					 Entry *entries[KINDS]);
static Entry *find(SignInThrottle *throttle, const Uuid *key);
static void map_free(UuidMap **map);
static void drain(Entry *entry, const Rule *rule, int64_t now_us);
static int64_t wait_after(const Rule *rule, int count);
static Uuid key_of(Kind kind, const char *handle, size_t handle_len,
				   const void *network, size_t network_len);
static size_t network_of(const char *address, unsigned char network[64]);

SignInThrottle *
sign_in_throttle_new(void)
{
	SignInThrottle *throttle = xcalloc(1, sizeof(*throttle));

	throttle->young = uuid_map_new();
	throttle->old = uuid_map_new();
	return throttle;
}

void
sign_in_throttle_free(SignInThrottle **throttle)
{
	if (*throttle == NULL)
		return;
	map_free(&(*throttle)->young);
	map_free(&(*throttle)->old);
	free(*throttle);
	*throttle = NULL;
}

int64_t
sign_in_throttle_begin(SignInThrottle *throttle, const char *handle,
					   size_t handle_len, const char *address, int64_t now_us)
{
	Entry *entries[KINDS];
	int64_t until_us = 0;

	find_all(throttle, handle, handle_len, address, now_us, entries);
	for (int kind = 0; kind < KINDS; kind++)
	{
		if (kind == KIND_HANDLE && entries[KIND_PAIR]->is_known)
			continue;
		if (entries[kind]->until_us > until_us)
			until_us = entries[kind]->until_us;
	}
	if (until_us > now_us)
		return (until_us - now_us + 999) / 1000;

	for (int kind = 0; kind < KINDS; kind++)
	{
		Entry *entry = entries[kind];

		entry->count++;
		entry->until_us = now_us + wait_after(&rules[kind], entry->count);
	}
	return 0;
}

void
sign_in_throttle_good(SignInThrottle *throttle, const char *handle,
					  size_t handle_len, const char *address, int64_t now_us)
{
	Entry *entries[KINDS];

	find_all(throttle, handle, handle_len, address, now_us, entries);
	for (int kind = 0; kind < KINDS; kind++)
	{
		Entry *entry = entries[kind];

		if (entry->count > 0)
			entry->count--;
		if (entry->count <= rules[kind].free)
			entry->until_us = 0;
	}
	entries[KIND_PAIR]->count = 0;
	entries[KIND_PAIR]->until_us = 0;
	entries[KIND_PAIR]->is_known = true;
}

static void
find_all(SignInThrottle *throttle, const char *handle, size_t handle_len,
		 const char *address, int64_t now_us, Entry *entries[KINDS])
{
	unsigned char network[64];
	size_t network_len = network_of(address, network);

	/* before, so that none of the three is lost to another of them */
	if (uuid_map_count(throttle->young) + KINDS > SIGN_IN_ENTRIES_MAX / 2)
	{
		map_free(&throttle->old);
		throttle->old = throttle->young;
		throttle->young = uuid_map_new();
	}
	for (int kind = 0; kind < KINDS; kind++)
	{
		Uuid key =
			key_of((Kind) kind, handle, kind == KIND_ADDRESS ? 0 : handle_len,
				   network, kind == KIND_HANDLE ? 0 : network_len);

		entries[kind] = find(throttle, &key);
		drain(entries[kind], &rules[kind], now_us);
	}
}

static Entry *
find(SignInThrottle *throttle, const Uuid *key)
{
	Entry *entry = uuid_map_get(throttle->young, key);

	if (entry != NULL)
		return entry;
	entry = uuid_map_remove(throttle->old, key);
	if (entry == NULL)
		entry = xcalloc(1, sizeof(*entry));
	uuid_map_put(throttle->young, key, entry);
	return entry;
}

static void
map_free(UuidMap **map)
{
	size_t cursor = 0;
	Uuid key;
	void *entry;

	while (uuid_map_next(*map, &cursor, &key, &entry))
		free(entry);
	uuid_map_free(map);
}

static void
drain(Entry *entry, const Rule *rule, int64_t now_us)
{
	int64_t forgotten = (now_us - entry->at_us) / rule->drain_us;

	if (entry->at_us == 0 || forgotten >= entry->count)
	{
		entry->count = 0;
		entry->at_us = now_us;
		return;
	}
	entry->count -= (int) forgotten;
	entry->at_us += forgotten * rule->drain_us;
}

/* 1, 2, 4 ... seconds beyond what is free. */
static int64_t
wait_after(const Rule *rule, int count)
{
	int doublings = count - rule->free - 1;
	int64_t wait_us;

	if (doublings < 0)
		return 0;
	wait_us = doublings < 20 ? SECOND << doublings : rule->max_us;
	return wait_us < rule->max_us ? wait_us : rule->max_us;
}

/* A digest: what strangers choose is neither kept nor aimed at our table. */
static Uuid
key_of(Kind kind, const char *handle, size_t handle_len, const void *network,
	   size_t network_len)
{
	unsigned char text[3 + SIGN_IN_HANDLE_MAX + 64];
	uint8_t digest[SHA256_SIZE];
	Uuid key;

	if (handle_len > SIGN_IN_HANDLE_MAX)
		handle_len = SIGN_IN_HANDLE_MAX;
	text[0] = (unsigned char) kind;
	text[1] = (unsigned char) (handle_len >> 8);
	text[2] = (unsigned char) handle_len;
	memcpy(text + 3, handle, handle_len);
	memcpy(text + 3 + handle_len, network, network_len);
	sha256_of(text, 3 + handle_len + network_len, digest);
	memcpy(key.byte, digest, sizeof(key.byte));
	return key;
}

/* Whoever has one IPv6 address has the 2^64 beside it. */
static size_t
network_of(const char *address, unsigned char network[64])
{
	size_t len = strnlen(address, 64);

	if (inet_pton(AF_INET6, address, network) == 1)
		return 8;
	memcpy(network, address, len);
	return len;
}
