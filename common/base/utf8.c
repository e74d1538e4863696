#include "utf8.h"

#include <string.h>

static bool begin(Utf8Check *check, unsigned char first);

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
	Utf8Check check = { 0 };

	return utf8_check_feed(&check, text, len) && utf8_check_is_whole(&check);
}

bool
utf8_check_feed(Utf8Check *check, const void *bytes, size_t len)
{
	const unsigned char *at = bytes;
	const unsigned char *end = at + len;

	while (at < end)
	{
		uint64_t eight;

		if (check->left > 0)
		{
			if (*at < check->low || *at > check->high)
				return false;
			check->left--;
			check->low = 0x80;
			check->high = 0xbf;
			at++;
		}
		else if (end - at >= 8 && (memcpy(&eight, at, 8), true) &&
				 (eight & 0x8080808080808080u) == 0)
			at += 8;
		else if (*at < 0x80)
			at++;
		else if (!begin(check, *at++))
			return false;
	}
	return true;
}

bool
utf8_check_is_whole(const Utf8Check *check)
{
	return check->left == 0;
}

/* What may follow the first byte of a character (RFC 3629, 4). */
static bool
begin(Utf8Check *check, unsigned char first)
{
	if (first < 0xc2 || first > 0xf4)
		return false;
	check->left = first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
	check->low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
	check->high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
	return true;
}
