#include "lsn.h"

#include <string.h>

/* Upper-case hex without leading zeroes; returns its length. */
static size_t
put_hex(uint32_t value, char *out)
{
	static const char digits[] = "0123456789ABCDEF";
	int shift = 28;
	size_t len = 0;

	while (shift > 0 && (value >> shift) == 0)
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		out[len++] = digits[(value >> shift) & 15];
	return len;
}

size_t
lsn_format(uint64_t lsn, char out[LSN_TEXT_SIZE])
{
	size_t len = put_hex((uint32_t) (lsn >> 32), out);

	out[len++] = '/';
	len += put_hex((uint32_t) lsn, out + len);
	out[len] = '\0';
	return len;
}

static bool
get_hex(const char *text, size_t len, uint32_t *out)
{
	if (len < 1 || len > 8)
		return false;
	*out = 0;
	for (size_t i = 0; i < len; i++)
	{
		char c = text[i];
		uint32_t digit;

		if (c >= '0' && c <= '9')
			digit = (uint32_t) (c - '0');
		else if (c >= 'A' && c <= 'F')
			digit = (uint32_t) (c - 'A' + 10);
		else if (c >= 'a' && c <= 'f')
			digit = (uint32_t) (c - 'a' + 10);
		else
			return false;
		*out = *out << 4 | digit;
	}
	return true;
}

bool
lsn_parse(const char *text, size_t len, uint64_t *out)
{
	const char *slash = memchr(text, '/', len);
	uint32_t high;
	uint32_t low;

	if (slash == NULL || !get_hex(text, (size_t) (slash - text), &high) ||
		!get_hex(slash + 1, len - (size_t) (slash + 1 - text), &low))
		return false;
	*out = (uint64_t) high << 32 | low;
	return true;
}
