/*
 * redis_value - one reply of Redis, as a tree
 *
 * Built by hiredis's reader (RESP2) and handed to callbacks, which borrow it.
 * Text is always followed by a NUL that len does not count.
 *
 * Arrays beyond REDIS_VALUE_MAX_ELEMENTS are refused while they are read: a
 * peer that announces a thousand million elements gets no memory for them.
 */
#ifndef CHEMCHAT_REDIS_VALUE_H
#define CHEMCHAT_REDIS_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REDIS_VALUE_MAX_ELEMENTS 65536

typedef enum RedisValueType
{
	REDIS_VALUE_STRING,
	REDIS_VALUE_STATUS, /* +OK */
	REDIS_VALUE_ERROR,  /* -ERR ... */
	REDIS_VALUE_INTEGER,
	REDIS_VALUE_NIL,
	REDIS_VALUE_ARRAY
} RedisValueType;

typedef struct RedisValue RedisValue;

struct RedisValue
{
	RedisValueType type;
	int64_t integer;
	const char *text; /* STRING, STATUS, ERROR; else "" */
	size_t len;
	size_t count; /* ARRAY */
	RedisValue **element;
};

/* Text (of whatever type) that equals `text`. */
bool redis_value_is(const RedisValue *value, const char *text);

/* The reader that makes these; a struct redisReader *. */
struct redisReader *redis_value_reader_new(void);

void redis_value_free(RedisValue *value);

#endif
