#include "verb_args.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "xalloc.h"

typedef enum HexKind
{
	HEX_NONE, /* not all of it is lower-case hexadecimal */
	HEX_ZERO,
	HEX_NUMBER
} HexKind;

/* An argument's verdict: NULL is good. */
static const char *read_value(const VerbArg *arg, const json_t *field,
							  VerbValue *value);
static const char *read_ids(const VerbArg *arg, const json_t *field,
							VerbValue *value);
static bool read_digits(const char **at, const char *end, int count,
						int *number);
static bool read_char(const char **at, const char *end, char c);
static HexKind hex_kind(const char *text, size_t len);

bool
verb_values_init(VerbValues *values, const Verb *verb, const json_t *object,
				 VerbRefusal *refusal)
{
	memset(values, 0, sizeof(*values));
	for (int i = 0; verb->args[i].kind != VERB_NONE; i++)
	{
		const VerbArg *arg = &verb->args[i];
		const json_t *field = json_object_get(object, arg->name);
		VerbValue *value = &values->value[i];

		refusal->code = NULL;
		refusal->field = arg->name;
		if (field != NULL && !json_is_null(field))
			refusal->code = read_value(arg, field, value);
		else if (arg->is_required)
			refusal->code = "invalid_argument";
		else if (arg->kind == VERB_INT && arg->fallback != VERB_ABSENT)
		{
			value->is_set = true;
			value->number = arg->fallback;
		}
		if (refusal->code != NULL)
			return false;
	}
	return true;
}

void
verb_values_fini(VerbValues *values)
{
	for (int i = 0; i < VERB_ARGS_MAX; i++)
	{
		free(values->value[i].ids);
		values->value[i].ids = NULL;
	}
}

const VerbValue *
verb_value(const Verb *verb, const VerbValues *values, const char *name)
{
	for (int i = 0; verb->args[i].kind != VERB_NONE; i++)
	{
		if (strcmp(verb->args[i].name, name) == 0)
			return &values->value[i];
	}
	return NULL;
}

bool
verb_parse_time(const char *text, size_t len, int64_t *wall_us)
{
	const char *at = text;
	const char *end = text + len;
	struct tm tm = { 0 };
	int offset_hours = 0;
	int offset_minutes = 0;
	int64_t fraction_us = 0;
	int64_t unit_us = 100000;
	int64_t seconds;
	int sign = 0;
	int year;
	int month;
	time_t second;

	if (!read_digits(&at, end, 4, &year) || !read_char(&at, end, '-') ||
		!read_digits(&at, end, 2, &month) || !read_char(&at, end, '-') ||
		!read_digits(&at, end, 2, &tm.tm_mday) ||
		(!read_char(&at, end, 'T') && !read_char(&at, end, 't')) ||
		!read_digits(&at, end, 2, &tm.tm_hour) || !read_char(&at, end, ':') ||
		!read_digits(&at, end, 2, &tm.tm_min) || !read_char(&at, end, ':') ||
		!read_digits(&at, end, 2, &tm.tm_sec))
		return false;
	if (read_char(&at, end, '.'))
	{
		if (at == end || *at < '0' || *at > '9')
			return false;
		for (; at < end && *at >= '0' && *at <= '9'; at++, unit_us /= 10)
			fraction_us += (*at - '0') * unit_us;
	}
	if (read_char(&at, end, '+'))
		sign = 1;
	else if (read_char(&at, end, '-'))
		sign = -1;
	else if (!read_char(&at, end, 'Z') && !read_char(&at, end, 'z'))
		return false;
	if (sign != 0 && (!read_digits(&at, end, 2, &offset_hours) ||
					  !read_char(&at, end, ':') ||
					  !read_digits(&at, end, 2, &offset_minutes) ||
					  offset_hours > 23 || offset_minutes > 59))
		return false;
	if (at != end || year < 1970 || month < 1 || month > 12 || tm.tm_mday < 1 ||
		tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
		return false;
	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;
	second = timegm(&tm);
	if (tm.tm_mon != month - 1) /* 31 April became 1 May */
		return false;
	seconds = (int64_t) second -
			  (int64_t) sign * (offset_hours * 3600 + offset_minutes * 60);
	*wall_us = seconds * 1000000 + fraction_us;
	return true;
}

bool
verb_is_traceparent(const char *text, size_t len)
{
	return len == 55 && memcmp(text, "00-", 3) == 0 &&
		   hex_kind(text + 3, 32) == HEX_NUMBER && text[35] == '-' &&
		   hex_kind(text + 36, 16) == HEX_NUMBER && text[52] == '-' &&
		   hex_kind(text + 53, 2) != HEX_NONE;
}

static HexKind
hex_kind(const char *text, size_t len)
{
	HexKind kind = HEX_ZERO;

	for (size_t i = 0; i < len; i++)
	{
		if ((text[i] < '0' || text[i] > '9') &&
			(text[i] < 'a' || text[i] > 'f'))
			return HEX_NONE;
		if (text[i] != '0')
			kind = HEX_NUMBER;
	}
	return kind;
}

static const char *
read_value(const VerbArg *arg, const json_t *field, VerbValue *value)
{
	value->is_set = true;
	switch (arg->kind)
	{
		case VERB_INT:
			if (!json_is_integer(field))
				return "bad_frame";
			value->number = json_integer_value(field);
			return value->number < arg->min || value->number > arg->max
					   ? "invalid_argument"
					   : NULL;
		case VERB_BOOL:
			value->truth = json_is_true(field);
			return json_is_boolean(field) ? NULL : "bad_frame";
		case VERB_UUIDS:
			return read_ids(arg, field, value);
		case VERB_UUID:
		case VERB_TEXT:
		case VERB_TIME:
			break;
		case VERB_NONE:
		case VERB_JSON:
			return "internal";
	}
	if (!json_is_string(field))
		return "bad_frame";
	value->text = json_string_value(field);
	value->len = json_string_length(field);
	if (arg->kind == VERB_UUID)
		return uuid_parse(value->text, value->len, &value->uuid)
				   ? NULL
				   : "invalid_argument";
	if (arg->kind == VERB_TIME)
		return verb_parse_time(value->text, value->len, &value->number)
				   ? NULL
				   : "invalid_argument";
	return (int64_t) value->len > arg->max   ? "too_large"
		   : (int64_t) value->len < arg->min ? "invalid_argument"
											 : NULL;
}

static const char *
read_ids(const VerbArg *arg, const json_t *field, VerbValue *value)
{
	size_t count = json_array_size(field);

	if (!json_is_array(field))
		return "bad_frame";
	if ((int64_t) count > arg->max)
		return "too_large";
	if ((int64_t) count < arg->min)
		return "invalid_argument";
	value->ids = xcalloc(count + 1, sizeof(value->ids[0]));
	value->count = (int) count;
	for (size_t i = 0; i < count; i++)
	{
		const json_t *id = json_array_get(field, i);

		if (!json_is_string(id))
			return "bad_frame";
		if (!uuid_parse(json_string_value(id), json_string_length(id),
						&value->ids[i]))
			return "invalid_argument";
	}
	return NULL;
}

static bool
read_digits(const char **at, const char *end, int count, int *number)
{
	*number = 0;
	for (int i = 0; i < count; i++)
	{
		if (*at == end || **at < '0' || **at > '9')
			return false;
		*number = *number * 10 + (*(*at)++ - '0');
	}
	return true;
}

static bool
read_char(const char **at, const char *end, char c)
{
	if (*at == end || **at != c)
		return false;
	(*at)++;
	return true;
}
