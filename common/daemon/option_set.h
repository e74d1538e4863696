/*
 * option_set - the settings of one process, from all their sources
 *
 * Holds one or more option tables, each with the struct it fills; knows for
 * each setting where its value came from.  Owns the text values in those
 * structs until option_set_free.
 */
#ifndef CHEMCHAT_OPTION_SET_H
#define CHEMCHAT_OPTION_SET_H

#include "buf.h"
#include "error.h"
#include "option.h"

typedef struct OptionSet OptionSet;

/* What the command line asks for, besides settings. */
typedef enum OptionAction
{
	OPTION_RUN,
	OPTION_HELP,
	OPTION_VERSION,
	OPTION_CHECK_CONFIG,
	OPTION_PRINT_CONFIG
} OptionAction;

OptionSet *option_set_new(void);
void option_set_free(OptionSet **set);

/* The table ends with a NULL name; it and config are borrowed. */
void option_set_add(OptionSet *set, const Option *table, void *config);

/* The first action asked for, whatever else is right or wrong. */
OptionAction option_set_action(int argc, char *const *argv);

/*
 * default < file < environment < flag, then what is required and the secret
 * files' modes.  The file is the one that the setting `config_file` names, in
 * environment or flag.  An empty variable counts as none.  environ: NULL-
 * terminated NAME=value, borrowed.
 */
bool option_set_load(OptionSet *set, int argc, char *const *argv,
					 char *const *environ_list, Error *err) MUST_CHECK;

/*
 * Puts the source of a setting before a reason that begins with its name and
 * a colon: what a check of the whole configuration writes.
 */
void option_set_blame(const OptionSet *set, Error *err);

/* Every setting as a configuration file, each with its source. */
void option_set_print(const OptionSet *set, Buf *out);

/* The list for --help. */
void option_set_help(const OptionSet *set, Buf *out);

#endif
