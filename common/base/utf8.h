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

/* Bytes of the character that text begins with; 0 when it is none. */
size_t utf8_width(const char *text, size_t len);

bool utf8_is_valid(const char *text, size_t len);

#endif
