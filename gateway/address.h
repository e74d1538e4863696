/*
 * address - where a client is, and which of our neighbours to believe
 *
 * IPv4 is kept as mapped IPv6 (::ffff:a.b.c.d), so one form holds both.
 *
 * Pure.
 */
#ifndef CHEMCHAT_ADDRESS_H
#define CHEMCHAT_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "error.h"
#include "slice.h"

#define ADDRESS_TEXT_SIZE 46

typedef struct Address
{
	uint8_t byte[16]; /* network order; all zero: not known */
} Address;

/* "192.0.2.1" or "2001:db8::1"; no port, no brackets, no zone. */
bool address_parse(Slice text, Address *address);
char *address_format(const Address *address, char text[ADDRESS_TEXT_SIZE]);
void address_of_socket(const struct sockaddr *from, Address *address);

/* What counts as one client: an IPv4 address, or the /64 of an IPv6 one. */
Address address_household(const Address *address);

typedef struct AddressRange
{
	Address first;
	uint8_t bits;
} AddressRange;

typedef struct AddressRanges
{
	AddressRange *range;
	int count;
} AddressRanges;

/* "10.0.0.0/8, 2001:db8::/32, 192.0.2.7"; NULL or "": none. */
bool address_ranges_parse(const char *text, AddressRanges *ranges,
						  Error *err) MUST_CHECK;
void address_ranges_free(AddressRanges *ranges);
bool address_ranges_have(const AddressRanges *ranges, const Address *address);

/*
 * The client behind a trusted peer: of X-Forwarded-For, whose lines are one
 * list (RFC 9110, 5.3), read from its end, the first that is not trusted
 * itself.  What is no address ends the reading, and then it is whoever was
 * read last.
 */
Address address_forwarded(const AddressRanges *trusted, const Address *peer,
						  const Slice *lines, int count);

#endif
