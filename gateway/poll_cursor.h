/*
 * poll_cursor - where a client of the long poll stands
 *
 * "<session>.<number of the answer>.<position>": opaque to clients.  The
 * session and number name the frames she has; the position says whose history
 * they were of, when the session is gone.
 *
 * Pure.
 */
#ifndef CHEMCHAT_POLL_CURSOR_H
#define CHEMCHAT_POLL_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "position.h"
#include "uuid.h"

#define POLL_CURSOR_SIZE 160

typedef struct PollCursor
{
	Uuid session_id;
	uint64_t number;
	char position[POSITION_TEXT_SIZE];
} PollCursor;

/* False for anything that poll_cursor_format did not write. */
bool poll_cursor_parse(const char *text, PollCursor *cursor);
char *poll_cursor_format(const PollCursor *cursor, char text[POLL_CURSOR_SIZE]);

#endif
