#include "redis_value.h"

#include <stdlib.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include "xalloc.h"

#if HIREDIS_MAJOR >= 1
typedef size_t ElementCount;
#else
typedef int ElementCount;
#endif

static void *create_text(const redisReadTask *task, char *text, size_t len);
static void *create_array(const redisReadTask *task, ElementCount elements);
static void *create_integer(const redisReadTask *task, long long integer);
static void *create_nil(const redisReadTask *task);
#if HIREDIS_MAJOR >= 1
static void *refuse_double(const redisReadTask *task, double number, char *text,
						   size_t len);
static void *refuse_bool(const redisReadTask *task, int flag);
#endif
static void free_object(void *object);
static void *attach(const redisReadTask *task, RedisValue *value);

static redisReplyObjectFunctions value_functions = {
	.createString = create_text,
	.createArray = create_array,
	.createInteger = create_integer,
	.createNil = create_nil,
#if HIREDIS_MAJOR >= 1
	.createDouble = refuse_double,
	.createBool = refuse_bool,
#endif
	.freeObject = free_object,
};

bool
redis_value_is(const RedisValue *value, const char *text)
{
	return value->len == strlen(text) &&
		   memcmp(value->text, text, value->len) == 0;
}

redisReader *
redis_value_reader_new(void)
{
	redisReader *reader = redisReaderCreateWithFunctions(&value_functions);

	if (reader == NULL)
		abort();
	return reader;
}

void
redis_value_free(RedisValue *value)
{
	if (value == NULL)
		return;
	for (size_t i = 0; i < value->count; i++)
		redis_value_free(value->element[i]);
	free(value->element);
	free(value);
}

static void
free_object(void *object)
{
	redis_value_free(object);
}

static void *
create_text(const redisReadTask *task, char *text, size_t len)
{
	RedisValue *value = xmalloc(sizeof(*value) + len + 1);
	char *copy = (char *) (value + 1);

	memset(value, 0, sizeof(*value));
	memcpy(copy, text, len);
	copy[len] = '\0';
	value->text = copy;
	value->len = len;
	if (task->type == REDIS_REPLY_ERROR)
		value->type = REDIS_VALUE_ERROR;
	else if (task->type == REDIS_REPLY_STATUS)
		value->type = REDIS_VALUE_STATUS;
	else
		value->type = REDIS_VALUE_STRING;
	return attach(task, value);
}

/* A NULL ends the reader with an error. */
static void *
create_array(const redisReadTask *task, ElementCount elements)
{
	RedisValue *value;

	if ((size_t) elements > REDIS_VALUE_MAX_ELEMENTS)
		return NULL;
	value = xcalloc(1, sizeof(*value));
	value->type = REDIS_VALUE_ARRAY;
	value->text = "";
	value->count = (size_t) elements;
	if (elements > 0)
		value->element = xcalloc((size_t) elements, sizeof(RedisValue *));
	return attach(task, value);
}

static void *
create_integer(const redisReadTask *task, long long integer)
{
	RedisValue *value = xcalloc(1, sizeof(*value));

	value->type = REDIS_VALUE_INTEGER;
	value->text = "";
	value->integer = integer;
	return attach(task, value);
}

static void *
create_nil(const redisReadTask *task)
{
	RedisValue *value = xcalloc(1, sizeof(*value));

	value->type = REDIS_VALUE_NIL;
	value->text = "";
	return attach(task, value);
}

#if HIREDIS_MAJOR >= 1
/* RESP3's, which we did not ask for; without these the reader makes them up. */
static void *
refuse_double(const redisReadTask *task, double number, char *text, size_t len)
{
	return NULL;
}

static void *
refuse_bool(const redisReadTask *task, int flag)
{
	return NULL;
}
#endif

static void *
attach(const redisReadTask *task, RedisValue *value)
{
	if (task->parent != NULL)
	{
		RedisValue *parent = task->parent->obj;

		parent->element[task->idx] = value;
	}
	return value;
}
