/*
 * trusted_file - what anybody may read and only its owner may write
 *
 * A file that says whom we believe: who can write it can tell us anything.
 * So a regular file that neither its group nor others may write; checked on
 * the open descriptor, so what was checked is what is read.
 */
#ifndef CHEMCHAT_TRUSTED_FILE_H
#define CHEMCHAT_TRUSTED_FILE_H

#include "buf.h"
#include "error.h"

/* Appends the whole content, 1 to max_size bytes.  err names no path. */
bool trusted_file_read(const char *path, size_t max_size, Buf *out,
					   Error *err) MUST_CHECK;

#endif
