/*
 * bytes - integers in network order, at any alignment
 */
#ifndef CHEMCHAT_BYTES_H
#define CHEMCHAT_BYTES_H

#include <stdint.h>
#include <string.h>

static inline void
bytes_put_u32(uint8_t *out, uint32_t v)
{
	v = __builtin_bswap32(v);
	memcpy(out, &v, 4);
}

static inline void
bytes_put_u64(uint8_t *out, uint64_t v)
{
	v = __builtin_bswap64(v);
	memcpy(out, &v, 8);
}

static inline uint32_t
bytes_get_u32(const uint8_t *in)
{
	uint32_t v;

	memcpy(&v, in, 4);
	return __builtin_bswap32(v);
}

static inline uint64_t
bytes_get_u64(const uint8_t *in)
{
	uint64_t v;

	memcpy(&v, in, 8);
	return __builtin_bswap64(v);
}

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "bytes.h swaps unconditionally: port it first"
#endif

#endif
