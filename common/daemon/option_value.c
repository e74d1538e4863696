#include "option_value.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "xalloc.h"

typedef struct Unit
{
	const char *name;
	int64_t factor;
} Unit;

/* Smallest first; what a value is printed in is the last that divides it. */
static const Unit duration_units[] = {
	{ "ms", 1 },      { "s", 1000 },     { "min", 60000 },
	{ "h", 3600000 }, { "d", 86400000 }, { NULL, 0 },
};
static const Unit size_units[] = {
	{ "B", 1 },           { "kB", 1024 },          { "MB", 1048576 },
	{ "GB", 1073741824 }, { "TB", 1099511627776 }, { NULL, 0 },
};
static const Unit no_units[] = { { NULL, 0 } };

static const Unit *units_of(OptionType type);
static bool parse_number(const Option *option, const char *text, int64_t *value,
						 Error *err);
static bool check_range(const Option *option, int64_t value, Error *err);
static bool parse_bool(const char *text, bool *value, Error *err);
static void write_number(OptionType type, int64_t value, Buf *out);
static void write_text(const char *text, Buf *out);
static size_t secret_at(const char *text, size_t *plain);

bool
option_value_set(const Option *option, void *config, const char *text,
				 Error *err)
{
	char *place = (char *) config + option->offset;
	int64_t number = 0;
	bool flag = false;
	char *copy;

	switch (option->type)
	{
		case OPTION_INT:
		case OPTION_DURATION:
		case OPTION_SIZE:
			if (!parse_number(option, text, &number, err))
				return false;
			memcpy(place, &number, sizeof number);
			return true;
		case OPTION_BOOL:
			if (!parse_bool(text, &flag, err))
				return false;
			memcpy(place, &flag, sizeof flag);
			return true;
		case OPTION_STRING:
		case OPTION_SECRET_FILE:
			option_value_clear(option, config);
			copy = xstrdup(text);
			memcpy(place, &copy, sizeof copy);
			return true;
	}
	return error_set(err, "has a type that nobody knows");
}

bool
option_value_is_set(const Option *option, const void *config)
{
	const char *text;

	if (option->type != OPTION_STRING && option->type != OPTION_SECRET_FILE)
		return true;
	memcpy(&text, (const char *) config + option->offset, sizeof text);
	return text != NULL && text[0] != '\0';
}

void
option_value_write(const Option *option, const void *config, Buf *out)
{
	const char *place = (const char *) config + option->offset;
	const char *text;
	int64_t number = 0;
	bool flag = false;

	switch (option->type)
	{
		case OPTION_INT:
		case OPTION_DURATION:
		case OPTION_SIZE:
			memcpy(&number, place, sizeof number);
			write_number(option->type, number, out);
			break;
		case OPTION_BOOL:
			memcpy(&flag, place, sizeof flag);
			buf_append_str(out, flag ? "on" : "off");
			break;
		case OPTION_STRING:
		case OPTION_SECRET_FILE:
			memcpy(&text, place, sizeof text);
			write_text(text != NULL ? text : "", out);
			break;
	}
}

void
option_value_clear(const Option *option, void *config)
{
	char *place = (char *) config + option->offset;
	char *text;

	if (option->type != OPTION_STRING && option->type != OPTION_SECRET_FILE)
		return;
	memcpy(&text, place, sizeof text);
	free(text);
	text = NULL;
	memcpy(place, &text, sizeof text);
}

static const Unit *
units_of(OptionType type)
{
	return type == OPTION_DURATION ? duration_units
		   : type == OPTION_SIZE   ? size_units
								   : no_units;
}

static bool
parse_number(const Option *option, const char *text, int64_t *value, Error *err)
{
	const Unit *units = units_of(option->type);
	const char *digits = text[0] == '-' ? text + 1 : text;
	char *rest;
	long long number;

	if (digits[0] < '0' || digits[0] > '9')
		return error_set(err, "\"%s\" is not a number", text);

	errno = 0;
	number = strtoll(text, &rest, 10);
	if (errno == ERANGE)
		return error_set(err, "\"%s\" is out of range", text);

	while (*rest == ' ')
		rest++;
	if (units->name == NULL)
	{
		if (*rest != '\0')
			return error_set(err, "\"%s\" is not a whole number", text);
	}
	else if (*rest != '\0' || number != 0)
	{
		const Unit *unit = units;
		int64_t scaled;

		while (unit->name != NULL && strcmp(unit->name, rest) != 0)
			unit++;
		if (unit->name == NULL)
			return error_set(err, "\"%s\" needs a unit: %s", text,
							 option->type == OPTION_DURATION
								 ? "ms, s, min, h or d"
								 : "B, kB, MB, GB or TB");
		if (__builtin_mul_overflow(number, unit->factor, &scaled))
			return error_set(err, "\"%s\" is out of range", text);
		number = scaled;
	}
	*value = number;
	return check_range(option, number, err);
}

/* min = max = 0: no bounds, but lengths and sizes are never negative. */
static bool
check_range(const Option *option, int64_t value, Error *err)
{
	bool is_bounded = option->min != 0 || option->max != 0;
	Buf range;

	if (is_bounded ? value >= option->min && value <= option->max
				   : option->type == OPTION_INT || value >= 0)
		return true;

	buf_init(&range);
	if (is_bounded)
	{
		write_number(option->type, option->min, &range);
		buf_append_str(&range, " and ");
		write_number(option->type, option->max, &range);
		error_set(err, "must be between %s", range.data);
	}
	else
		error_set(err, "must not be negative");
	buf_fini(&range);
	return false;
}

static bool
parse_bool(const char *text, bool *value, Error *err)
{
	static const char *const yes[] = { "on", "true", "yes", "1" };
	static const char *const no[] = { "off", "false", "no", "0" };

	for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
	{
		if (strcasecmp(text, yes[i]) == 0 || strcasecmp(text, no[i]) == 0)
		{
			*value = strcasecmp(text, yes[i]) == 0;
			return true;
		}
	}
	return error_set(err, "\"%s\" is neither on nor off", text);
}

static void
write_number(OptionType type, int64_t value, Buf *out)
{
	const Unit *units = units_of(type);
	const Unit *best = units;

	if (value == 0 || units->name == NULL)
	{
		buf_printf(out, "%" PRId64, value);
		return;
	}
	for (const Unit *unit = units; unit->name != NULL; unit++)
	{
		if (value % unit->factor == 0)
			best = unit;
	}
	buf_printf(out, "%" PRId64 "%s", value / best->factor, best->name);
}

/* In quotes where the file format needs them. */
static void
write_text(const char *text, Buf *out)
{
	bool is_quoted = strpbrk(text, " \t\"\\#") != NULL || text[0] == '\0';

	if (is_quoted)
		buf_append_char(out, '"');
	while (*text != '\0')
	{
		size_t plain;
		size_t secret = secret_at(text, &plain);

		for (size_t i = 0; i < plain; i++)
		{
			if (is_quoted && (text[i] == '"' || text[i] == '\\'))
				buf_append_char(out, '\\');
			buf_append_char(out, text[i]);
		}
		if (secret > 0)
			buf_append_str(out, "***");
		text += plain + secret;
	}
	if (is_quoted)
		buf_append_char(out, '"');
}

/*
 * The length of the next secret in text and of the *plain text before it:
 * what follows "password=", and the password in "scheme://user:password@".
 */
static size_t
secret_at(const char *text, size_t *plain)
{
	const char *key = strcasestr(text, "password=");
	const char *scheme = strstr(text, "://");

	if (scheme != NULL && (key == NULL || scheme < key))
	{
		size_t authority = strcspn(scheme + 3, "/?#");
		const char *colon = memchr(scheme + 3, ':', authority);
		const char *at = memrchr(scheme + 3, '@', authority);

		if (colon != NULL && at != NULL && colon < at)
		{
			*plain = (size_t) (colon + 1 - text);
			return (size_t) (at - colon - 1);
		}
	}
	if (key != NULL)
	{
		const char *value = key + strlen("password=");

		*plain = (size_t) (value - text);
		if (*value == '\'') /* a conninfo's quotes */
		{
			size_t len = 1;

			while (value[len] != '\0' && value[len] != '\'')
				len += value[len] == '\\' && value[len + 1] != '\0' ? 2 : 1;
			return value[len] == '\'' ? len + 1 : len;
		}
		return strcspn(value, " \t&");
	}
	*plain = strlen(text);
	return 0;
}
