/*
 * ctl_file - a new file that only we may read
 */
#ifndef CHEMCHAT_CTL_FILE_H
#define CHEMCHAT_CTL_FILE_H

#include <stddef.h>

#include "error.h"

/*
 * Mode 0600, and never one that is there already: a key in use is not
 * overwritten, nor a link followed.  What could not be written is removed.
 */
bool ctl_file_write_secret(const char *path, const char *text, size_t len,
						   Error *err) MUST_CHECK;

#endif
