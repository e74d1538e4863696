/*
 * ctl - what the commands of chemchatctl share
 *
 * A command gets its own name as argv[0] ("user add") and returns the exit
 * code.  Its flags are a table: one takes a value, as --name value or
 * --name=value; one without a `what` is a switch; one whose name has no
 * dashes is a word of its own, in the table's order.
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
	const char *name;   /* with its dashes; NULL ends the table */
	const char **value; /* of a switch that is there: its name */
	const char *what;   /* "FILE"; NULL: a switch, or a word */
	const char *help;
	bool is_required;
} CtlFlag;

int ctl_secret(int argc, char **argv);
int ctl_token(int argc, char **argv);
int ctl_token_revoke(int argc, char **argv);
int ctl_user(int argc, char **argv);
int ctl_bot(int argc, char **argv);
int ctl_status(int argc, char **argv);
int ctl_doctor(int argc, char **argv);

/* Runs the one that argv[1] names; the table ends with a NULL name. */
int ctl_dispatch(const CtlCommand *commands, int argc, char **argv);

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
