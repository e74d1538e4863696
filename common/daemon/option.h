/*
 * option - one table of settings, four places they come from
 *
 * default < file (key = value, '#' comments) < environment (CHEMCHAT_<NAME>)
 * < flag (--name value or --name=value; '_' and '-' are the same).  A secret
 * is never a flag or an environment value: it is read from a file, which
 * must not be readable by others (secret_file.h), and the setting names that
 * file.  Options with min = max = 0 have no bounds.
 *
 * A bad value names file and line (or the variable, or the flag), the key and
 * the reason; the daemon exits with 78 (EX_CONFIG).
 */
#ifndef CHEMCHAT_OPTION_H
#define CHEMCHAT_OPTION_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

typedef enum OptionType
{
	OPTION_STRING,   /* char * */
	OPTION_INT,      /* int64_t, min..max */
	OPTION_BOOL,     /* bool: on/off, true/false, 1/0 */
	OPTION_DURATION, /* int64_t ms: 250ms, 5s, 2min; min..max */
	OPTION_SIZE,     /* int64_t bytes: 64kB, 1MB; min..max */
	OPTION_SECRET_FILE /* char *: a path; refused when group or world may read it */
} OptionType;

typedef struct Option
{
	const char *name; /* snake_case; the flag has dashes */
	OptionType type;
	size_t offset;        /* into the daemon's config struct */
	const char *fallback; /* as text; NULL = unset */
	int64_t min;
	int64_t max;
	bool is_required;
	const char *help;
} Option;

#endif
