#include "ctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int usage_fault(const char *command, const char *flag, int flag_len,
					   const char *why);
static void print_help(const CtlFlag *flags, const char *command);
static const CtlFlag *find_flag(const CtlFlag *flags, const char *arg,
								size_t len);
static bool is_word(const CtlFlag *flag);

int
ctl_dispatch(const CtlCommand *commands, int argc, char **argv)
{
	const char *group = argv[0];
	char full[64];

	for (const CtlCommand *command = commands;
		 argc > 1 && command->name != NULL; command++)
	{
		if (strcmp(command->name, argv[1]) != 0)
			continue;
		(void) snprintf(full, sizeof full, "%s %s", group, command->name);
		argv[1] = full;
		return command->run(argc - 1, argv + 1);
	}
	if (argc > 1 && strcmp(argv[1], "--help") != 0 &&
		strcmp(argv[1], "-h") != 0)
	{
		(void) fprintf(stderr,
					   "chemchatctl %s: there is no \"%s\"; see --help\n",
					   group, argv[1]);
		return CTL_USAGE;
	}
	(void) printf("usage: chemchatctl %s COMMAND ...\n\n", group);
	for (const CtlCommand *command = commands; command->name != NULL; command++)
		(void) printf("  %-12s %s\n", command->name, command->summary);
	return argc > 1 ? CTL_OK : CTL_USAGE;
}

bool
ctl_parse(const CtlFlag *flags, int argc, char **argv, int *exit_code)
{
	for (int i = 1; i < argc; i++)
	{
		size_t len = strcspn(argv[i], "=");
		const CtlFlag *flag;

		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
		{
			print_help(flags, argv[0]);
			*exit_code = CTL_OK;
			return false;
		}
		flag = find_flag(flags, argv[i], len);
		if (flag->name == NULL)
		{
			*exit_code = usage_fault(argv[0], argv[i], (int) len,
									 "there is no such flag; see --help");
			return false;
		}
		if (*flag->value != NULL)
		{
			*exit_code =
				usage_fault(argv[0], argv[i], (int) len, "is given twice");
			return false;
		}
		if (is_word(flag))
			*flag->value = argv[i];
		else if (flag->what == NULL && argv[i][len] == '\0')
			*flag->value = flag->name;
		else if (flag->what != NULL)
		{
			*flag->value =
				argv[i][len] == '=' ? argv[i] + len + 1 : argv[i + 1];
			i += argv[i][len] != '=';
		}
		if (*flag->value == NULL || **flag->value == '\0')
		{
			*exit_code =
				usage_fault(argv[0], flag->name, (int) strlen(flag->name),
							flag->what == NULL && !is_word(flag)
								? "takes no value"
								: "needs a value");
			return false;
		}
	}
	for (const CtlFlag *flag = flags; flag->name != NULL; flag++)
	{
		if (flag->is_required && *flag->value == NULL)
		{
			*exit_code = usage_fault(argv[0], flag->name,
									 (int) strlen(flag->name), "is required");
			return false;
		}
	}
	return true;
}

int
ctl_failed(const char *command, const Error *err)
{
	(void) fprintf(stderr, "chemchatctl %s: %s\n", command, err->text);
	return CTL_FAILED;
}

bool
ctl_parse_duration(const char *text, int64_t *seconds, Error *err)
{
	static const struct
	{
		const char *unit;
		int64_t seconds;
	} units[] = { { "s", 1 }, { "min", 60 }, { "h", 3600 }, { "d", 86400 } };
	char *rest;
	long long number;

	errno = 0;
	number = strtoll(text, &rest, 10);
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
	{
		int64_t scaled;

		if (rest != text && strcmp(rest, units[i].unit) == 0 && errno == 0 &&
			number > 0 &&
			!__builtin_mul_overflow(number, units[i].seconds, &scaled))
		{
			*seconds = scaled;
			return true;
		}
	}
	return error_set(err, "\"%s\" is not a time such as 90s, 30min, 12h, 7d",
					 text);
}

/* The end of the table when there is none; a word is the next one's. */
static const CtlFlag *
find_flag(const CtlFlag *flags, const char *arg, size_t len)
{
	const CtlFlag *flag = flags;

	for (; flag->name != NULL; flag++)
	{
		if (arg[0] != '-' && is_word(flag) && *flag->value == NULL)
			break;
		if (arg[0] == '-' && strlen(flag->name) == len &&
			strncmp(flag->name, arg, len) == 0)
			break;
	}
	return flag;
}

static bool
is_word(const CtlFlag *flag)
{
	return flag->name[0] != '-';
}

static int
usage_fault(const char *command, const char *flag, int flag_len,
			const char *why)
{
	(void) fprintf(stderr, "chemchatctl %s: %.*s: %s\n", command, flag_len,
				   flag, why);
	return CTL_USAGE;
}

static void
print_help(const CtlFlag *flags, const char *command)
{
	bool has_flags = false;

	(void) printf("usage: chemchatctl %s", command);
	for (const CtlFlag *flag = flags; flag->name != NULL; flag++)
	{
		if (is_word(flag))
			(void) printf(flag->is_required ? " %s" : " [%s]", flag->name);
		else
			has_flags = true;
	}
	(void) printf("%s\n\n", has_flags ? " [--FLAG VALUE ...]" : "");
	for (const CtlFlag *flag = flags; flag->name != NULL; flag++)
	{
		char left[64];

		(void) snprintf(left, sizeof left, "%s %s", flag->name,
						flag->what != NULL ? flag->what : "");
		(void) printf("  %-22s %s%s\n", left, flag->help,
					  flag->is_required && !is_word(flag) ? " (required)" : "");
	}
}
