#include "address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "xalloc.h"

static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

static bool parse_range(Slice text, AddressRange *range);
static bool is_v4(const Address *address);
static Slice trimmed(const char *at, size_t len);
static Slice without_port(Slice hop);

bool
address_parse(Slice text, Address *address)
{
	char copy[ADDRESS_TEXT_SIZE];
	struct in_addr v4;

	if (text.len == 0 || text.len >= sizeof(copy) ||
		memchr(text.at, '\0', text.len) != NULL)
		return false;
	memcpy(copy, text.at, text.len);
	copy[text.len] = '\0';
	if (inet_pton(AF_INET, copy, &v4) == 1)
	{
		memcpy(address->byte, mapped, 12);
		memcpy(address->byte + 12, &v4, 4);
		return true;
	}
	return inet_pton(AF_INET6, copy, address->byte) == 1;
}

char *
address_format(const Address *address, char text[ADDRESS_TEXT_SIZE])
{
	bool is_short = is_v4(address);

	if (inet_ntop(is_short ? AF_INET : AF_INET6,
				  address->byte + (is_short ? 12 : 0), text,
				  ADDRESS_TEXT_SIZE) == NULL)
		text[0] = '\0';
	return text;
}

void
address_of_socket(const struct sockaddr *from, Address *address)
{
	memset(address, 0, sizeof(*address));
	if (from->sa_family == AF_INET)
	{
		const struct sockaddr_in *v4 = (const struct sockaddr_in *) from;

		memcpy(address->byte, mapped, 12);
		memcpy(address->byte + 12, &v4->sin_addr, 4);
	}
	else if (from->sa_family == AF_INET6)
	{
		const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *) from;

		memcpy(address->byte, &v6->sin6_addr, 16);
	}
}

Address
address_household(const Address *address)
{
	Address household = *address;

	if (!is_v4(address))
		memset(household.byte + 8, 0, 8);
	return household;
}

bool
address_ranges_parse(const char *text, AddressRanges *ranges, Error *err)
{
	ranges->range = NULL;
	ranges->count = 0;
	while (text != NULL && *text != '\0')
	{
		size_t len = strcspn(text, ",");
		Slice item = trimmed(text, len);
		AddressRange *range;

		ranges->range = xrealloc(ranges->range, (size_t) (ranges->count + 1) *
													sizeof(*ranges->range));
		range = &ranges->range[ranges->count];
		if (!parse_range(item, range))
		{
			address_ranges_free(ranges);
			return error_set(err, "\"%.*s\" is no address or range",
							 (int) item.len, item.at);
		}
		ranges->count++;
		text += len;
		if (*text == ',')
			text++;
	}
	return true;
}

void
address_ranges_free(AddressRanges *ranges)
{
	free(ranges->range);
	ranges->range = NULL;
	ranges->count = 0;
}

bool
address_ranges_have(const AddressRanges *ranges, const Address *address)
{
	for (int i = 0; i < ranges->count; i++)
	{
		const AddressRange *range = &ranges->range[i];
		size_t whole = range->bits / 8;
		unsigned rest = range->bits % 8;

		if (memcmp(range->first.byte, address->byte, whole) == 0 &&
			(rest == 0 ||
			 (range->first.byte[whole] ^ address->byte[whole]) >> (8 - rest) ==
				 0))
			return true;
	}
	return false;
}

Address
address_forwarded(const AddressRanges *trusted, const Address *peer,
				  const Slice *lines, int count)
{
	Address client = *peer;

	while (count-- > 0)
	{
		const char *at = lines[count].at;
		size_t end = lines[count].len;

		while (end > 0)
		{
			const char *comma = memrchr(at, ',', end);
			size_t begin = comma ? (size_t) (comma - at) + 1 : 0;

			if (!address_ranges_have(trusted, &client) ||
				!address_parse(without_port(trimmed(at + begin, end - begin)),
							   &client))
				return client;
			end = begin > 0 ? begin - 1 : 0;
		}
	}
	return client;
}

static bool
parse_range(Slice text, AddressRange *range)
{
	const char *slash = memchr(text.at, '/', text.len);
	Slice address = { text.at, slash ? (size_t) (slash - text.at) : text.len };
	unsigned most;
	unsigned bits = 0;

	if (!address_parse(address, &range->first))
		return false;
	most = is_v4(&range->first) && memchr(address.at, ':', address.len) == NULL
			   ? 32
			   : 128;
	if (slash == NULL)
		bits = most;
	else
	{
		const char *at = slash + 1;
		const char *end = text.at + text.len;

		if (at == end || end - at > 3)
			return false;
		for (; at < end; at++)
		{
			if (*at < '0' || *at > '9')
				return false;
			bits = bits * 10 + (unsigned) (*at - '0');
		}
		if (bits > most)
			return false;
	}
	range->bits = (uint8_t) (bits + (most == 32 ? 96 : 0));
	return true;
}

static bool
is_v4(const Address *address)
{
	return memcmp(address->byte, mapped, 12) == 0;
}

static Slice
trimmed(const char *at, size_t len)
{
	Slice text = { at, len };

	while (text.len > 0 && (text.at[0] == ' ' || text.at[0] == '\t'))
	{
		text.at++;
		text.len--;
	}
	while (text.len > 0 &&
		   (text.at[text.len - 1] == ' ' || text.at[text.len - 1] == '\t'))
		text.len--;
	return text;
}

/*
 * Some proxies write the client's port as well: "192.0.2.1:4711",
 * "[2001:db8::1]:4711", "[2001:db8::1]".  What is none of these comes back as
 * it is.
 */
static Slice
without_port(Slice hop)
{
	const char *end = hop.at + hop.len;
	const char *digits = end;
	Slice address = hop;

	while (digits > hop.at && digits[-1] >= '0' && digits[-1] <= '9')
		digits--;
	if (end - digits >= 1 && end - digits <= 5 && digits - hop.at >= 2 &&
		digits[-1] == ':')
		address.len = (size_t) (digits - hop.at) - 1;
	if (address.len >= 2 && address.at[0] == '[' &&
		address.at[address.len - 1] == ']')
		return (Slice){ address.at + 1, address.len - 2 };
	/* more colons: an IPv6 address whose last part is digits */
	return memchr(address.at, ':', address.len) == NULL ? address : hop;
}
