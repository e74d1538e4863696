#include "bot_token.h"

#include <openssl/sha.h>
#include <string.h>
#include <sys/random.h>

#include "base64url.h"

#define RANDOM_SIZE 32

bool
bot_token_new(Buf *out, Error *err)
{
	uint8_t bytes[RANDOM_SIZE];

	if (getrandom(bytes, sizeof bytes, 0) != (ssize_t) sizeof bytes)
		return error_set(err, "there are no random bytes");
	buf_append_str(out, BOT_TOKEN_PREFIX);
	base64url_append(out, bytes, sizeof bytes);
	explicit_bzero(bytes, sizeof bytes);
	return true;
}

bool
bot_token_is_one(const char *text, size_t len)
{
	size_t prefix_len = strlen(BOT_TOKEN_PREFIX);

	return len > prefix_len && strncmp(text, BOT_TOKEN_PREFIX, prefix_len) == 0;
}

void
sha256_of(const void *bytes, size_t len, uint8_t digest[SHA256_SIZE])
{
	SHA256(bytes, len, digest);
}
