/*
 * utf8 - is this text? (RFC 3629)
 *
 * Pure.  Surrogates, overlong forms and what lies beyond U+10FFFF are not
 * UTF-8.
 */
#ifndef CHEMCHAT_UTF8_H
#define CHEMCHAT_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the character that text begins with; 0 when it is none. */
size_t utf8_width(const char *text, size_t len);

bool utf8_is_valid(const char *text, size_t len);

/* Text that comes in parts, cut anywhere.  Zeroed: at its beginning. */
typedef struct Utf8Check
{
	uint8_t left; /* bytes that the character begun still needs */
	uint8_t low;  /* the next of them is at least this .. */
	uint8_t high; /* .. and at most this */
} Utf8Check;

/* False as soon as no continuation could make it text. */
bool utf8_check_feed(Utf8Check *check, const void *bytes, size_t len);

/* Does it end between two characters? */
bool utf8_check_is_whole(const Utf8Check *check);

#endif
