#include "utf8.h"

static bool
is_tail(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

size_t
utf8_width(const char *text, size_t len)
{
	const unsigned char *c = (const unsigned char *) text;

	if (len == 0)
		return 0;
	if (c[0] < 0x80)
		return 1;
	if (c[0] < 0xc2)
		return 0; /* a tail, or an overlong form of ASCII */
	if (c[0] < 0xe0)
		return len >= 2 && is_tail(c[1]) ? 2 : 0;
	if (c[0] < 0xf0)
	{
		if (len < 3 || !is_tail(c[1]) || !is_tail(c[2]))
			return 0;
		if (c[0] == 0xe0 && c[1] < 0xa0)
			return 0; /* overlong */
		if (c[0] == 0xed && c[1] >= 0xa0)
			return 0; /* a surrogate */
		return 3;
	}
	if (c[0] > 0xf4 || len < 4 || !is_tail(c[1]) || !is_tail(c[2]) ||
		!is_tail(c[3]))
		return 0;
	if (c[0] == 0xf0 && c[1] < 0x90)
		return 0; /* overlong */
	if (c[0] == 0xf4 && c[1] >= 0x90)
		return 0; /* beyond U+10FFFF */
	return 4;
}

bool
utf8_is_valid(const char *text, size_t len)
{
	while (len > 0)
	{
		size_t width = utf8_width(text, len);

		if (width == 0)
			return false;
		text += width;
		len -= width;
	}
	return true;
}
