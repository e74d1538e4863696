/*
 * slice - some bytes of somebody else's text
 *
 * Borrows; ends when its text does.  No NUL behind it.  Pure.
 */
#ifndef CHEMCHAT_SLICE_H
#define CHEMCHAT_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

typedef struct Slice
{
	const char *at;
	size_t len;
} Slice;

static inline bool
slice_is(Slice slice, const char *text)
{
	return slice.len == strlen(text) &&
		   (slice.len == 0 || memcmp(slice.at, text, slice.len) == 0);
}

#endif
