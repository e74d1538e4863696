/*
 * etag - a name for what a resource holds (RFC 9110, 8.8.3)
 *
 * Half of the SHA-256 of its bytes: nobody can make two that agree.  Pure.
 */
#ifndef CHEMCHAT_ETAG_H
#define CHEMCHAT_ETAG_H

#include <stdbool.h>
#include <stddef.h>

#include "slice.h"

#define ETAG_SIZE 36 /* quotes and NUL included */

void etag_of(const char *bytes, size_t len, char etag[ETAG_SIZE]);

/* Does a list of If-None-Match or If-Match name it?  Weak ones compare equal. */
bool etag_is_in(Slice list, const char *etag);

#endif
