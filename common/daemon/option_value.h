/*
 * option_value - one setting between text and its place in the config
 *
 * Pure.  Reasons are without the key: who knows the source puts file and
 * line, variable or flag before them.  Text values are owned by the config
 * and given back by option_value_clear.
 */
#ifndef CHEMCHAT_OPTION_VALUE_H
#define CHEMCHAT_OPTION_VALUE_H

#include <stdint.h>

#include "buf.h"
#include "error.h"
#include "option.h"

/* Parses, checks the range and stores; nothing is stored on failure. */
bool option_value_set(const Option *option, void *config, const char *text,
					  Error *err) MUST_CHECK;

/* False for a text or file name that is NULL or empty. */
bool option_value_is_set(const Option *option, const void *config);

/*
 * Appends the value as a configuration file would have it.  A password that
 * somebody put into a conninfo or a URL is masked.
 */
void option_value_write(const Option *option, const void *config, Buf *out);

void option_value_clear(const Option *option, void *config);

#endif
