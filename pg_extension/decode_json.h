/*
 * decode_json - an event as one JSON object, for people and tests
 *
 * {"commit_lsn","ordinal","kind","key","id","ev","seq","rev","replay","event"}
 * as docs/sql.md says; a number that the event does not have is null.
 */
#ifndef CHEMCHAT_DECODE_JSON_H
#define CHEMCHAT_DECODE_JSON_H

#include "postgres.h"
#include "access/xlogdefs.h"
#include "lib/stringinfo.h"

#include "event.h"

extern void decode_json_append(StringInfo out, XLogRecPtr commit_lsn,
							   uint32 ordinal, const Event *event);

#endif
