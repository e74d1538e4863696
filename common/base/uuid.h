/*
 * uuid - 16 bytes and their text (RFC 9562)
 */
#ifndef CHEMCHAT_UUID_H
#define CHEMCHAT_UUID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define UUID_TEXT_LEN 36

typedef struct Uuid
{
	uint8_t byte[16];
} Uuid;

/* Accepts exactly the 36-character form, either case. */
bool uuid_parse(const char *text, size_t len, Uuid *out);

/* Writes 36 lower-case characters and a NUL; returns buf. */
char *uuid_format(const Uuid *id, char buf[UUID_TEXT_LEN + 1]);

static inline bool
uuid_equal(const Uuid *a, const Uuid *b)
{
	return memcmp(a->byte, b->byte, 16) == 0;
}

/* For hash tables: mixes all 16 bytes; not for adversaries' choice of seed. */
uint64_t uuid_hash(const Uuid *id);

#endif
