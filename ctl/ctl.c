#include "ctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int usage_fault(const char *command, const char *flag, int flag_len,
					   const char *why);
static void print_help(const CtlFlag *flags, const char *command);

bool
ctl_parse(const CtlFlag *flags, int argc, char **argv, int *exit_code)
{
	for (int i = 1; i < argc; i++)
	{
		size_t len = strcspn(argv[i], "=");
		const CtlFlag *flag = flags;

		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
		{
			print_help(flags, argv[0]);
			*exit_code = CTL_OK;
			return false;
		}
		while (flag->name != NULL && (strlen(flag->name) != len ||
									  strncmp(flag->name, argv[i], len) != 0))
			flag++;
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
		*flag->value = argv[i][len] == '=' ? argv[i] + len + 1 : argv[i + 1];
		if (*flag->value == NULL || **flag->value == '\0')
		{
			*exit_code =
				usage_fault(argv[0], argv[i], (int) len, "needs a value");
			return false;
		}
		i += argv[i][len] != '=';
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
	(void) printf("usage: chemchatctl %s [--FLAG VALUE ...]\n\n", command);
	for (const CtlFlag *flag = flags; flag->name != NULL; flag++)
	{
		char left[64];

		(void) snprintf(left, sizeof left, "%s %s", flag->name, flag->what);
		(void) printf("  %-22s %s%s\n", left, flag->help,
					  flag->is_required ? " (required)" : "");
	}
}
