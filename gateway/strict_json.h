/*
 * strict_json - JSON of strangers
 *
 * An object, and nothing behind it: without duplicate keys, at most
 * STRICT_JSON_DEPTH deep, valid UTF-8, no NUL and no half of a surrogate pair in
 * a string, numbers that fit.  jansson's own bound of depth is 2,048.
 *
 * Pure.
 */
#ifndef CHEMCHAT_STRICT_JSON_H
#define CHEMCHAT_STRICT_JSON_H

#include <jansson.h>
#include <stddef.h>

#define STRICT_JSON_DEPTH 32

/* NULL when it is none of that; *offset says where it was noticed. */
json_t *strict_json_object(const char *text, size_t len, size_t *offset);

#endif
