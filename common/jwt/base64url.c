#include "base64url.h"

static const char alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static int value_of(char c);

void
base64url_append(Buf *out, const void *bytes, size_t len)
{
	const uint8_t *in = bytes;
	uint32_t bits = 0;
	int count = 0;

	for (size_t i = 0; i < len; i++)
	{
		bits = bits << 8 | in[i];
		for (count += 8; count >= 6; count -= 6)
			buf_append_char(out, alphabet[bits >> (count - 6) & 63]);
	}
	if (count > 0)
		buf_append_char(out, alphabet[bits << (6 - count) & 63]);
}

bool
base64url_decode(const char *text, size_t len, Buf *out)
{
	size_t before = out->len;
	uint32_t bits = 0;
	int count = 0;

	if (len % 4 == 1)
		return false;
	(void) buf_reserve(out, len);
	for (size_t i = 0; i < len; i++)
	{
		int value = value_of(text[i]);

		if (value < 0)
			goto refused;
		bits = bits << 6 | (uint32_t) value;
		count += 6;
		if (count >= 8)
		{
			count -= 8;
			buf_append_char(out, (char) (bits >> count & 255));
		}
	}
	if ((bits & ((1u << count) - 1)) != 0)
		goto refused;
	return true;

refused:
	out->len = before;
	if (out->data != NULL)
		out->data[before] = '\0';
	return false;
}

static int
value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}
