#include "etag.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

void
etag_of(const char *bytes, size_t len, char etag[ETAG_SIZE])
{
	unsigned char digest[SHA256_DIGEST_LENGTH];

	SHA256((const unsigned char *) bytes, len, digest);
	etag[0] = '"';
	for (int i = 0; i < 16; i++)
		(void) snprintf(etag + 1 + 2 * i, 3, "%02x", digest[i]);
	etag[33] = '"';
	etag[34] = '\0';
}

bool
etag_is_in(Slice list, const char *etag)
{
	size_t len = strlen(etag);

	while (list.len > 0)
	{
		const char *end = memchr(list.at, ',', list.len);
		Slice item = { list.at, end ? (size_t) (end - list.at) : list.len };

		list.at += end ? item.len + 1 : item.len;
		list.len -= end ? item.len + 1 : item.len;
		while (item.len > 0 && (item.at[0] == ' ' || item.at[0] == '\t'))
		{
			item.at++;
			item.len--;
		}
		while (item.len > 0 &&
			   (item.at[item.len - 1] == ' ' || item.at[item.len - 1] == '\t'))
			item.len--;
		if (item.len > 2 && memcmp(item.at, "W/", 2) == 0)
		{
			item.at += 2;
			item.len -= 2;
		}
		if (slice_is(item, "*") ||
			(item.len == len && memcmp(item.at, etag, len) == 0))
			return true;
	}
	return false;
}
