/*
 * option_file - `key = value` lines
 *
 * One setting a line; blank lines and what follows a '#' at the beginning of
 * a line or after a blank do not count.  A value with '#', or with blanks at
 * its ends, stands in double quotes, where \" and \\ are escapes.
 *
 * Reads the file; knows no key.
 */
#ifndef CHEMCHAT_OPTION_FILE_H
#define CHEMCHAT_OPTION_FILE_H

#include "error.h"

/*
 * Called for each setting, in the file's order; key and value are borrowed.
 * False ends the reading: the callback's reason gets "path:line: " before it.
 */
typedef bool (*OptionFileSetting)(void *context, const char *key,
								  const char *value, int line, Error *err);

bool option_file_read(const char *path, OptionFileSetting setting,
					  void *context, Error *err) MUST_CHECK;

#endif
