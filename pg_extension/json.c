#include "postgres.h"
#include "pgcompat.h"

#include "json.h"

#include "datatype/timestamp.h"
#include "utils/builtins.h"

#include "partition.h"

static char *append_padded(char *at, uint32 value, int width);

void
json_string(StringInfo out, const char *text, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	size_t start = 0;

	appendStringInfoCharMacro(out, '"');
	for (size_t i = 0; i < len; i++)
	{
		unsigned char c = (unsigned char) text[i];
		char escape[6] = "\\u00";
		int escape_len = 2;

		if (likely(c >= 0x20 && c != '"' && c != '\\'))
			continue;
		switch (c)
		{
			case '"':
			case '\\':
				escape[1] = (char) c;
				break;
			case '\b':
				escape[1] = 'b';
				break;
			case '\f':
				escape[1] = 'f';
				break;
			case '\n':
				escape[1] = 'n';
				break;
			case '\r':
				escape[1] = 'r';
				break;
			case '\t':
				escape[1] = 't';
				break;
			default:
				escape[4] = hex[c >> 4];
				escape[5] = hex[c & 15];
				escape_len = 6;
				break;
		}
		appendBinaryStringInfo(out, text + start, (int) (i - start));
		appendBinaryStringInfo(out, escape, escape_len);
		start = i + 1;
	}
	appendBinaryStringInfo(out, text + start, (int) (len - start));
	appendStringInfoCharMacro(out, '"');
}

void
json_uuid(StringInfo out, const pg_uuid_t *id)
{
	char text[38];

	text[0] = text[37] = '"';
	partition_key_text(id->data, text + 1);
	appendBinaryStringInfo(out, text, sizeof(text));
}

void
json_number(StringInfo out, int64 value)
{
	char digits[MAXINT8LEN + 1];

	appendBinaryStringInfo(out, digits, pg_lltoa(value, digits));
}

void
json_time(StringInfo out, TimestampTz time)
{
	char text[32];
	char *at = text;
	struct pg_tm tm;
	fsec_t microseconds;

	if (timestamp2tm(time, NULL, &tm, &microseconds, NULL, NULL) != 0 ||
		tm.tm_year < 0 || tm.tm_year > 9999)
		ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
						errmsg("timestamp out of range")));
	*at++ = '"';
	at = append_padded(at, (uint32) tm.tm_year, 4);
	*at++ = '-';
	at = append_padded(at, (uint32) tm.tm_mon, 2);
	*at++ = '-';
	at = append_padded(at, (uint32) tm.tm_mday, 2);
	*at++ = 'T';
	at = append_padded(at, (uint32) tm.tm_hour, 2);
	*at++ = ':';
	at = append_padded(at, (uint32) tm.tm_min, 2);
	*at++ = ':';
	at = append_padded(at, (uint32) tm.tm_sec, 2);
	*at++ = '.';
	at = append_padded(at, (uint32) microseconds, 6);
	*at++ = 'Z';
	*at++ = '"';
	appendBinaryStringInfo(out, text, (int) (at - text));
}

static char *
append_padded(char *at, uint32 value, int width)
{
	for (int i = width - 1; i >= 0; i--, value /= 10)
		at[i] = (char) ('0' + value % 10);
	return at + width;
}
