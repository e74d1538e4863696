#include "strict_json.h"

#include <stdbool.h>

static bool is_too_deep(const char *text, size_t len, size_t *offset);

json_t *
strict_json_object(const char *text, size_t len, size_t *offset)
{
	json_error_t where;
	json_t *value;

	if (is_too_deep(text, len, offset))
		return NULL;
	value = json_loadb(text, len, JSON_REJECT_DUPLICATES, &where);
	if (json_is_object(value))
		return value;
	*offset = value == NULL && where.position > 0 ? (size_t) where.position : 0;
	json_decref(value);
	return NULL;
}

/* Brackets inside strings do not count. */
static bool
is_too_deep(const char *text, size_t len, size_t *offset)
{
	bool is_string = false;
	int depth = 0;

	for (size_t i = 0; i < len; i++)
	{
		char c = text[i];

		if (is_string)
		{
			if (c == '\\')
				i++;
			else if (c == '"')
				is_string = false;
		}
		else if (c == '"')
			is_string = true;
		else if (c == '{' || c == '[')
		{
			*offset = i;
			if (++depth > STRICT_JSON_DEPTH)
				return true;
		}
		else if (c == '}' || c == ']')
			depth--;
	}
	return false;
}
