#include "lsn.h"

#include <string.h>

#include "hex.h"

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
		int digit = hex_digit(text[i]);

		if (digit < 0)
			return false;
		*out = *out << 4 | (uint32_t) digit;
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
