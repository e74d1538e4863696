#include "event_json.h"

#include <string.h>

#define NUMBER_MAX ((UINT64_C(1) << 53) - 1)
#define DEPTH_MAX  32

static void skip_blanks(Slice *rest);
static bool skip_value(Slice *rest, Slice *value);
static bool skip_string(Slice *rest, Slice *inner);
static void advance(Slice *rest, size_t n);

bool
event_json_next(Slice *rest, Slice *element, bool *is_bad)
{
	*is_bad = true;
	skip_blanks(rest);
	if (rest->len == 0)
		return false;
	if (rest->at[0] == ']')
	{
		advance(rest, 1);
		*is_bad = false;
		return false;
	}
	if (rest->at[0] != '[' && rest->at[0] != ',')
		return false;
	if (rest->at[0] == '[')
	{
		advance(rest, 1);
		skip_blanks(rest);
		if (rest->len > 0 && rest->at[0] == ']')
		{
			*is_bad = false;
			return false;
		}
	}
	else
		advance(rest, 1);
	skip_blanks(rest);
	if (!skip_value(rest, element))
		return false;
	*is_bad = false;
	return true;
}

bool
event_json_field(Slice object, const char *name, Slice *value)
{
	size_t name_len = strlen(name);

	skip_blanks(&object);
	if (object.len == 0 || object.at[0] != '{')
		return false;
	do
	{
		Slice key;
		Slice found;

		advance(&object, 1);
		skip_blanks(&object);
		if (!skip_string(&object, &key))
			return false;
		skip_blanks(&object);
		if (object.len == 0 || object.at[0] != ':')
			return false;
		advance(&object, 1);
		skip_blanks(&object);
		if (!skip_value(&object, &found))
			return false;
		if (key.len == name_len && memcmp(key.at, name, name_len) == 0)
		{
			*value = found;
			if (found.len >= 2 && found.at[0] == '"')
			{
				value->at++;
				value->len -= 2;
			}
			return true;
		}
		skip_blanks(&object);
	} while (object.len > 0 && object.at[0] == ',');
	return false;
}

bool
event_json_number(Slice object, const char *name, uint64_t *value)
{
	Slice digits;
	uint64_t number = 0;

	if (!event_json_field(object, name, &digits) || digits.len == 0 ||
		digits.len > 16)
		return false;
	for (size_t i = 0; i < digits.len; i++)
	{
		if (digits.at[i] < '0' || digits.at[i] > '9')
			return false;
		number = number * 10 + (uint64_t) (digits.at[i] - '0');
	}
	if (number > NUMBER_MAX)
		return false;
	*value = number;
	return true;
}

bool
event_json_is(Slice object, const char *name, const char *text)
{
	Slice value;

	return event_json_field(object, name, &value) &&
		   value.len == strlen(text) && memcmp(value.at, text, value.len) == 0;
}

static void
advance(Slice *rest, size_t n)
{
	rest->at += n;
	rest->len -= n;
}

static void
skip_blanks(Slice *rest)
{
	while (rest->len > 0 && (rest->at[0] == ' ' || rest->at[0] == '\n' ||
							 rest->at[0] == '\t' || rest->at[0] == '\r'))
		advance(rest, 1);
}

/* A string, a bracketed value, or a run of other bytes (number, true, null). */
static bool
skip_value(Slice *rest, Slice *value)
{
	int depth = 0;
	Slice inner;

	value->at = rest->at;
	do
	{
		char c;

		if (rest->len == 0)
			return false;
		c = rest->at[0];
		if (c == '"')
		{
			if (!skip_string(rest, &inner))
				return false;
		}
		else if (c == '{' || c == '[')
		{
			if (++depth > DEPTH_MAX)
				return false;
			advance(rest, 1);
		}
		else if (c == '}' || c == ']')
		{
			if (--depth < 0)
				return false;
			advance(rest, 1);
		}
		else if (depth > 0)
			advance(rest, 1);
		else
		{
			while (rest->len > 0 && strchr(",]} \n\t\r", rest->at[0]) == NULL)
				advance(rest, 1);
		}
	} while (depth > 0);
	value->len = (size_t) (rest->at - value->at);
	return value->len > 0;
}

static bool
skip_string(Slice *rest, Slice *inner)
{
	if (rest->len == 0 || rest->at[0] != '"')
		return false;
	advance(rest, 1);
	inner->at = rest->at;
	while (rest->len > 0 && rest->at[0] != '"')
	{
		size_t step = rest->at[0] == '\\' ? 2 : 1;

		if (step > rest->len)
			return false;
		advance(rest, step);
	}
	if (rest->len == 0)
		return false;
	inner->len = (size_t) (rest->at - inner->at);
	advance(rest, 1);
	return true;
}
