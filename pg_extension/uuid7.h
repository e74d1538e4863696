/*
 * uuid7 - ids that sort by the time they were made (RFC 9562, version 7)
 */
#ifndef CHEMCHAT_UUID7_H
#define CHEMCHAT_UUID7_H

#include "utils/timestamp.h"
#include "utils/uuid.h"

/*
 * Makes count ids for one moment.  Milliseconds since 1970, then 12 bits of
 * the microseconds within, then 62 random bits.  Raises when the system has no
 * randomness.
 */
extern void uuid7_make(pg_uuid_t *ids, int count, TimestampTz now);

/* The moment for which uuid7_make made it; false: another kind of id. */
extern bool uuid7_time(const pg_uuid_t *id, TimestampTz *made_at);

#endif
