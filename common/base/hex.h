/*
 * hex - what a hexadecimal digit is worth
 *
 * 0 to 15, in either case; -1 for what is no such digit, '\0' among them.
 *
 * Pure.
 */
#ifndef CHEMCHAT_HEX_H
#define CHEMCHAT_HEX_H

static inline int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

#endif
