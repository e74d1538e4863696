#include "poll_cursor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS_MAX 15

bool
poll_cursor_parse(const char *text, PollCursor *cursor)
{
	const char *digits = text + UUID_TEXT_LEN + 1;
	Position position;
	size_t count;

	if (strlen(text) < UUID_TEXT_LEN + 2 || text[UUID_TEXT_LEN] != '.' ||
		!uuid_parse(text, UUID_TEXT_LEN, &cursor->session_id))
		return false;
	count = strspn(digits, "0123456789");
	if (count == 0 || count > DIGITS_MAX || digits[count] != '.' ||
		!position_parse(digits + count + 1, &position))
		return false;
	cursor->number = strtoull(digits, NULL, 10);
	position_format(&position, cursor->position);
	return true;
}

char *
poll_cursor_format(const PollCursor *cursor, char text[POLL_CURSOR_SIZE])
{
	char id[UUID_TEXT_LEN + 1];

	(void) snprintf(text, POLL_CURSOR_SIZE, "%s.%llu.%s",
					uuid_format(&cursor->session_id, id),
					(unsigned long long) cursor->number, cursor->position);
	return text;
}
