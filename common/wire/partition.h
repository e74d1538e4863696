/*
 * partition - where a key goes
 *
 * murmur2 as Apache Kafka's Java client computes it (seed 0x9747b28c), so
 * that a Java producer or consumer places the same key in the same partition.
 * The key is the 36-character lower-case text of a uuid.  Shards use the same
 * hash: with shards dividing partitions, a partition has one writer.
 *
 * Pure; compiles in the backend and in a daemon.
 */
#ifndef CHEMCHAT_PARTITION_H
#define CHEMCHAT_PARTITION_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t
partition_murmur2(const void *key, size_t len)
{
	const uint32_t m = 0x5bd1e995;
	const uint8_t *data = (const uint8_t *) key;
	uint32_t h = 0x9747b28cU ^ (uint32_t) len;

	for (; len >= 4; len -= 4, data += 4)
	{
		uint32_t k = (uint32_t) data[0] | (uint32_t) data[1] << 8 |
					 (uint32_t) data[2] << 16 | (uint32_t) data[3] << 24;

		k *= m;
		k ^= k >> 24;
		k *= m;
		h *= m;
		h ^= k;
	}
	if (len >= 3)
		h ^= (uint32_t) data[2] << 16;
	if (len >= 2)
		h ^= (uint32_t) data[1] << 8;
	if (len >= 1)
	{
		h ^= data[0];
		h *= m;
	}
	h ^= h >> 13;
	h *= m;
	h ^= h >> 15;
	return h;
}

/* What a Java client would choose among `count` partitions (or shards). */
static inline uint32_t
partition_of(const void *key, size_t len, uint32_t count)
{
	return (partition_murmur2(key, len) & 0x7fffffff) % count;
}

/* Lower-case text of 16 bytes; out holds 36, no NUL. */
static inline void
partition_key_text(const uint8_t id[16], char out[36])
{
	static const char hex[] = "0123456789abcdef";
	int at = 0;

	for (int i = 0; i < 16; i++)
	{
		if (i == 4 || i == 6 || i == 8 || i == 10)
			out[at++] = '-';
		out[at++] = hex[id[i] >> 4];
		out[at++] = hex[id[i] & 15];
	}
}

#endif
