#include "position.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool number(const char **at, int base, int digits_max, uint64_t max,
				   uint64_t *value);
static bool skip(const char **at, char c);

bool
position_parse(const char *text, Position *position)
{
	uint64_t timeline;
	uint64_t high;
	uint64_t low;

	if (!number(&text, 10, 20, UINT64_MAX, &position->system_id) ||
		!skip(&text, ':') || !number(&text, 10, 10, INT32_MAX, &timeline) ||
		!skip(&text, ':') || !number(&text, 16, 8, UINT32_MAX, &high) ||
		!skip(&text, '/') || !number(&text, 16, 8, UINT32_MAX, &low) ||
		*text != '\0' || timeline == 0)
		return false;
	position->timeline = (uint32_t) timeline;
	position->lsn = high << 32 | low;
	return true;
}

char *
position_format(const Position *position, char *buf)
{
	snprintf(buf, POSITION_TEXT_SIZE, "%" PRIu64 ":%" PRIu32 ":%X/%X",
			 position->system_id, position->timeline,
			 (unsigned) (position->lsn >> 32), (unsigned) position->lsn);
	return buf;
}

bool
position_is_before(const Position *position, const Position *now)
{
	return position->system_id == now->system_id &&
		   position->timeline == now->timeline && position->lsn <= now->lsn;
}

static bool
number(const char **at, int base, int digits_max, uint64_t max, uint64_t *value)
{
	int digits = 0;

	*value = 0;
	for (;; digits++)
	{
		char c = **at;
		uint64_t digit;

		if (c >= '0' && c <= '9')
			digit = (uint64_t) (c - '0');
		else if (base == 16 && c >= 'A' && c <= 'F')
			digit = (uint64_t) (c - 'A') + 10;
		else
			break;
		if (digits == digits_max || *value > (max - digit) / (uint64_t) base)
			return false;
		*value = *value * (uint64_t) base + digit;
		(*at)++;
	}
	return digits > 0;
}

static bool
skip(const char **at, char c)
{
	if (**at != c)
		return false;
	(*at)++;
	return true;
}
