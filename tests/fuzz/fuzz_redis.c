/* uses: common/redis common/base */
/* links: -lhiredis -lpthread */
/*
 * fuzz_redis - replies of Redis against any bytes, in any slices
 *
 * The first byte says how the rest is cut.  Beyond not crashing and not
 * leaking: a reply that comes out is a tree within its bounds, and the cut
 * does not matter: in one piece the same number of replies come out.  A second
 * reading as a URL holds its parser to the same.
 */
#include "redis_url.h"
#include "redis_value.h"


#include <hiredis/hiredis.h>

#include "fuzz.h"

static void
check_tree(const RedisValue *value, int depth)
{
	REQUIRE(depth < 16);
	REQUIRE(value->text != NULL && value->text[value->len] == '\0');
	REQUIRE(value->count <= REDIS_VALUE_MAX_ELEMENTS);
	REQUIRE(value->type == REDIS_VALUE_ARRAY || value->count == 0);
	for (size_t i = 0; i < value->count; i++)
	{
		REQUIRE(value->element[i] != NULL);
		check_tree(value->element[i], depth + 1);
	}
}

static int
read_all(const uint8_t *bytes, size_t len, size_t slice)
{
	redisReader *reader = redis_value_reader_new();
	void *reply = NULL;
	int count = 0;

	for (size_t at = 0; at < len; at += slice)
	{
		size_t n = len - at < slice ? len - at : slice;

		if (redisReaderFeed(reader, (const char *) bytes + at, n) != REDIS_OK)
			goto cleanup;
		for (;;)
		{
			if (redisReaderGetReply(reader, &reply) != REDIS_OK)
				goto cleanup;
			if (reply == NULL)
				break;
			check_tree(reply, 0);
			redis_value_free(reply);
			count++;
		}
	}

cleanup:
	redisReaderFree(reader);
	return count;
}

static void
check_url(const uint8_t *bytes, size_t len)
{
	char text[1024];
	char shown[320];
	RedisUrl url;
	Error err;

	if (len >= sizeof(text))
		return;
	memcpy(text, bytes, len);
	text[len] = '\0';
	if (!redis_url_parse(text, &url, &err))
		return;
	REQUIRE(url.host[0] != '\0' && url.password[0] == '\0');
	redis_url_text(&url, shown, sizeof(shown));
	REQUIRE(strlen(shown) < sizeof(shown));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	if (len < 2)
		return 0;
	check_url(bytes, len);
	REQUIRE(read_all(bytes + 1, len - 1, 1U + bytes[0] % 16) ==
			read_all(bytes + 1, len - 1, len));
	return 0;
}
