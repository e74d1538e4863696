/*
 * json - pieces of compact JSON, appended to a StringInfo
 *
 * Values only: the caller writes the braces and names.  Strings must be valid
 * in the database's encoding, which is UTF-8.
 */
#ifndef CHEMCHAT_JSON_H
#define CHEMCHAT_JSON_H

#include "lib/stringinfo.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

/* Appends a literal: json_literal(out, ",\"ev\":"). */
#define json_literal(out, text)                                                \
	appendBinaryStringInfo(out, text, sizeof(text) - 1)

/* In quotes, escaped. */
extern void json_string(StringInfo out, const char *text, size_t len);

/* In quotes, lower case. */
extern void json_uuid(StringInfo out, const pg_uuid_t *id);

/* value >= 0 */
extern void json_number(StringInfo out, int64 value);

/* In quotes: RFC 3339, UTC, six digits of a second. */
extern void json_time(StringInfo out, TimestampTz time);

#endif
