#include "postgres.h"
#include "pgcompat.h"

#include "uuid7.h"

#include "fmgr.h"

#include "outbox.h"

PG_FUNCTION_INFO_V1(chemchat_uuid7);
PG_FUNCTION_INFO_V1(chemchat_uuid7_time);

void
uuid7_make(pg_uuid_t *ids, int count, TimestampTz now)
{
	int64 unix_us = outbox_unix_time_us(now);
	uint64 unix_ms = (uint64) (unix_us / 1000);
	uint32 fraction = (uint32) (unix_us % 1000) * 4096 / 1000;

	if (!pg_strong_random(ids, sizeof(pg_uuid_t) * (size_t) count))
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR),
						errmsg("could not generate random values")));
	for (int i = 0; i < count; i++)
	{
		uint8 *id = ids[i].data;

		for (int byte = 0; byte < 6; byte++)
			id[byte] = (uint8) (unix_ms >> (40 - 8 * byte));
		id[6] = (uint8) (0x70 | fraction >> 8);
		id[7] = (uint8) fraction;
		id[8] = (id[8] & 0x3f) | 0x80;
	}
}

/* 12 bits name each of 1000 microseconds: rounded up they are the same again. */
bool
uuid7_time(const pg_uuid_t *id, TimestampTz *made_at)
{
	const uint8 *bytes = id->data;
	int64 unix_ms = 0;
	int64 fraction = (int64) (bytes[6] & 0x0f) << 8 | bytes[7];

	if (bytes[6] >> 4 != 7 || bytes[8] >> 6 != 2)
		return false;
	for (int byte = 0; byte < 6; byte++)
		unix_ms = unix_ms << 8 | bytes[byte];
	*made_at = unix_ms * 1000 + (fraction * 1000 + 4095) / 4096 -
			   outbox_unix_time_us(0);
	return true;
}

/* _uuid7() -> uuid */
Datum
chemchat_uuid7(PG_FUNCTION_ARGS)
{
	pg_uuid_t *id = palloc(sizeof(pg_uuid_t));

	uuid7_make(id, 1, GetCurrentTimestamp());
	PG_RETURN_UUID_P(id);
}

/* _uuid7_time(uuid) -> timestamptz, NULL for an id of another kind */
Datum
chemchat_uuid7_time(PG_FUNCTION_ARGS)
{
	TimestampTz made_at;

	if (PG_ARGISNULL(0) || !uuid7_time(PG_GETARG_UUID_P(0), &made_at))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(made_at);
}
