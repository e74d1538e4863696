#include "proxy_header.h"

#include <string.h>

#define V1_MAX  107 /* its line end included */
#define V2_HEAD 16

static const unsigned char signature[12] = {
	0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a
};

static ProxyVerdict parse_text(const unsigned char *bytes, size_t len,
							   Address *address, size_t *size);
static ProxyVerdict parse_line(Slice line, Address *address);
static bool take_word(Slice *line, Slice *word);
static bool is_port(Slice word);
static ProxyVerdict parse_binary(const unsigned char *bytes, size_t len,
								 Address *address, size_t *size);

ProxyVerdict
proxy_header_parse(const unsigned char *bytes, size_t len, Address *address,
				   size_t *size)
{
	size_t common = len < sizeof(signature) ? len : sizeof(signature);

	*size = 0;
	if (len == 0)
		return PROXY_MORE;
	if (memcmp(bytes, signature, common) == 0)
		return parse_binary(bytes, len, address, size);
	if (memcmp(bytes, "PROXY ", len < 6 ? len : 6) == 0)
		return parse_text(bytes, len, address, size);
	return PROXY_BAD;
}

/* "PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n", or "PROXY UNKNOWN...". */
static ProxyVerdict
parse_text(const unsigned char *bytes, size_t len, Address *address,
		   size_t *size)
{
	size_t limit = len < V1_MAX ? len : V1_MAX;
	const unsigned char *end = memchr(bytes, '\n', limit);
	Slice line = { (const char *) bytes + 6, 0 };

	if (end == NULL)
	{
		*size = limit;
		return len < V1_MAX ? PROXY_MORE : PROXY_BAD;
	}
	*size = (size_t) (end - bytes) + 1;
	if (end - bytes < 7 || end[-1] != '\r')
		return PROXY_BAD;
	line.len = (size_t) (end - bytes) - 7;
	return parse_line(line, address);
}

static ProxyVerdict
parse_line(Slice line, Address *address)
{
	Slice family;
	Slice client;
	Slice server;
	Slice client_port;
	Address other;
	bool is_v6;

	if (!take_word(&line, &family))
		return PROXY_BAD;
	if (slice_is(family, "UNKNOWN"))
		return PROXY_LOCAL; /* the rest of the line is to be ignored */
	is_v6 = slice_is(family, "TCP6");
	if (!is_v6 && !slice_is(family, "TCP4"))
		return PROXY_BAD;
	if (!take_word(&line, &client) || !take_word(&line, &server) ||
		!take_word(&line, &client_port) || !is_port(client_port) ||
		!is_port(line) || !address_parse(client, address) ||
		!address_parse(server, &other) ||
		is_v6 != (memchr(client.at, ':', client.len) != NULL))
		return PROXY_BAD;
	return PROXY_OK;
}

static bool
take_word(Slice *line, Slice *word)
{
	const char *blank = memchr(line->at, ' ', line->len);

	*word = *line;
	if (blank != NULL)
		word->len = (size_t) (blank - line->at);
	line->at += word->len + (blank != NULL);
	line->len -= word->len + (blank != NULL);
	return word->len > 0;
}

static bool
is_port(Slice word)
{
	unsigned port = 0;

	for (size_t i = 0; i < word.len; i++)
	{
		if (word.at[i] < '0' || word.at[i] > '9' || i == 5)
			return false;
		port = port * 10 + (unsigned) (word.at[i] - '0');
	}
	return word.len > 0 && port <= 65535;
}

/*
 * signature(12) | version(4) command(4) | family(4) protocol(4) | length(16) |
 * addresses: of IPv4 4 + 4 + 2 + 2 bytes, of IPv6 16 + 16 + 2 + 2 | extensions
 */
static ProxyVerdict
parse_binary(const unsigned char *bytes, size_t len, Address *address,
			 size_t *size)
{
	size_t length;

	*size = len < V2_HEAD ? len : V2_HEAD;
	if (len >= 13 && (bytes[12] >> 4 != 2 || (bytes[12] & 0x0f) > 1))
		return PROXY_BAD;
	if (len < V2_HEAD)
		return PROXY_MORE;
	length = (size_t) bytes[14] << 8 | bytes[15];
	if (V2_HEAD + length > PROXY_HEADER_MAX)
		return PROXY_BAD;
	*size = len < V2_HEAD + length ? len : V2_HEAD + length;
	if (len < V2_HEAD + length)
		return PROXY_MORE;
	if ((bytes[12] & 0x0f) == 0)
		return PROXY_LOCAL;
	switch (bytes[13])
	{
		case 0x11: /* TCP over IPv4 */
		{
			static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

			if (length < 12)
				return PROXY_BAD;
			memcpy(address->byte, mapped, 12);
			memcpy(address->byte + 12, bytes + V2_HEAD, 4);
			return PROXY_OK;
		}
		case 0x21: /* TCP over IPv6 */
			if (length < 36)
				return PROXY_BAD;
			memcpy(address->byte, bytes + V2_HEAD, 16);
			return PROXY_OK;
		case 0x00:
			return PROXY_LOCAL;
		default:
			return PROXY_BAD;
	}
}
