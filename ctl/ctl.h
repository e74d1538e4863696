/*
 * ctl - what the commands of chemchatctl share
 *
 * A command gets its own name as argv[0] and returns the exit code.  Its
 * flags are a table; each takes a value, as --name value or --name=value.
 */
#ifndef CHEMCHAT_CTL_H
#define CHEMCHAT_CTL_H

#include <stdint.h>

#include "error.h"

typedef enum CtlExit
{
	CTL_OK = 0,
	CTL_FAILED = 1, /* asked rightly, could not be done */
	CTL_USAGE = 64  /* EX_USAGE */
} CtlExit;

typedef struct CtlCommand
{
	const char *name;
	const char *summary;
	int (*run)(int argc, char **argv);
} CtlCommand;

typedef struct CtlFlag
{
	const char *name; /* with its dashes; NULL ends the table */
	const char **value;
	const char *what; /* "FILE" */
	const char *help;
	bool is_required;
} CtlFlag;

int ctl_secret(int argc, char **argv);
int ctl_token(int argc, char **argv);

/*
 * Fills the flags' values, borrowed from argv.  True: go on; else *exit_code
 * is set and what is to be said was said (a mistake, or --help).
 */
bool ctl_parse(const CtlFlag *flags, int argc, char **argv,
			   int *exit_code) MUST_CHECK;

/* Says "chemchatctl command: reason" on stderr; returns CTL_FAILED. */
int ctl_failed(const char *command, const Error *err);

/* "90s", "30min", "12h", "7d": seconds, at least 1. */
bool ctl_parse_duration(const char *text, int64_t *seconds,
						Error *err) MUST_CHECK;

#endif
