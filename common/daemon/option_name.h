/*
 * option_name - one setting's names: wait_time, --wait-time,
 * CHEMCHAT_WAIT_TIME
 *
 * Pure.  The two that make a name give it to the caller, who frees it.
 */
#ifndef CHEMCHAT_OPTION_NAME_H
#define CHEMCHAT_OPTION_NAME_H

#include <stdbool.h>
#include <stddef.h>

/* Does text name the setting?  '-' and '_' are the same. */
bool option_name_matches(const char *name, const char *text, size_t len);

/* "wait-time" */
char *option_flag_name(const char *name);

/* "CHEMCHAT_WAIT_TIME" */
char *option_variable_name(const char *name);

/*
 * The value in a NULL-terminated list of NAME=value, borrowed.  NULL when it
 * is not there, or empty: `${X:-}` in a compose file is none.
 */
const char *option_variable(char *const *environ_list, const char *name);

#endif
