/*
 * chemchatctl - the operator's tool
 *
 * In: a command and its flags.
 * Out: the answer on stdout, reasons on stderr.
 * Promise: a secret is never an argument: it is read from a file or asked for
 * at the terminal.  What is made to be handed on, a token, is written to
 * stdout or to a file of mode 0600.
 */
#include <stdio.h>
#include <string.h>

#include "ctl.h"

static const CtlCommand commands[] = {
	{ "secret", "make a key file to sign tokens with", ctl_secret },
	{ "token", "sign a token for a user; revoke tokens", ctl_token },
	{ "user", "people: add, passwd, list, deactivate, ...", ctl_user },
	{ "bot", "bots: add, token, tokens, revoke", ctl_bot },
	{ "status", "the daemons, the outbox: one screen", ctl_status },
	{ "doctor", "what is wrong with the database or a configuration",
	  ctl_doctor },
	{ NULL, NULL, NULL },
};

int
main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "--help";

	if (strcmp(name, "--version") == 0)
	{
		(void) printf("chemchatctl %s\n", CHEMCHAT_VERSION);
		return CTL_OK;
	}
	for (const CtlCommand *command = commands; command->name != NULL; command++)
	{
		if (strcmp(name, command->name) == 0)
			return command->run(argc - 1, argv + 1);
	}
	if (strcmp(name, "--help") != 0 && strcmp(name, "-h") != 0)
	{
		(void) fprintf(stderr,
					   "chemchatctl: there is no command \"%s\"; see --help\n",
					   name);
		return CTL_USAGE;
	}
	(void) puts("usage: chemchatctl COMMAND ...\n");
	for (const CtlCommand *command = commands; command->name != NULL; command++)
		(void) printf("  %-10s %s\n", command->name, command->summary);
	(void) puts("\nchemchatctl COMMAND --help tells its flags.");
	return CTL_OK;
}
