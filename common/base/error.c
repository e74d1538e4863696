#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool
error_set(Error *err, const char *fmt, ...)
{
	/* formatted aside: an argument may be the text that is there */
	Error fresh;
	va_list args;

	va_start(args, fmt);
	(void) vsnprintf(fresh.text, sizeof fresh.text, fmt, args);
	va_end(args);

	if (err != NULL)
		*err = fresh;
	return false;
}

bool
error_wrap(Error *err, const char *fmt, ...)
{
	Error fresh;
	va_list args;
	int len;

	if (err == NULL)
		return false;

	va_start(args, fmt);
	len = vsnprintf(fresh.text, sizeof fresh.text, fmt, args);
	va_end(args);

	/* what does not fit is cut: the context says more than the tail */
	if (len >= 0 && (size_t) len + 2 < sizeof fresh.text)
	{
		size_t at = (size_t) len;
		size_t kept = strnlen(err->text, sizeof fresh.text - at - 3);

		memcpy(fresh.text + at, ": ", 2);
		memcpy(fresh.text + at + 2, err->text, kept);
		fresh.text[at + 2 + kept] = '\0';
	}
	*err = fresh;
	return false;
}
