/*
 * position - how far a history was seen: `<system id>:<timeline>:<lsn>`
 *
 * Opaque to clients; here it is taken apart to ask the server about one that
 * a client brings.  Pure.
 */
#ifndef CHEMCHAT_POSITION_H
#define CHEMCHAT_POSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POSITION_TEXT_SIZE 64

typedef struct Position
{
	uint64_t system_id;
	uint32_t timeline;
	uint64_t lsn;
} Position;

/* Exactly the form position_format writes; false for anything else. */
bool position_parse(const char *text, Position *position);
char *position_format(const Position *position, char *buf);

/* On one timeline, and not beyond `now`: certainly on its history. */
bool position_is_before(const Position *position, const Position *now);

#endif
