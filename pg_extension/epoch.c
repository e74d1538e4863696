#include "postgres.h"
#include "pgcompat.h"

#include "epoch.h"

#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "position.h"

#define EPOCH_UNKNOWN (-1)

static int64 known_epoch = EPOCH_UNKNOWN;

static int64 find_epoch(const char *query);

int64
epoch_first_rev(void)
{
	static const char find[] =
		"SELECT e.no FROM chemchat.epoch AS e WHERE e.system_id = $1"
		" AND e.timeline = $2 AND e.database_oid = $3";
	static const char add[] =
		"INSERT INTO chemchat.epoch (no, system_id, timeline, database_oid)"
		" SELECT coalesce(max(e.no) + 1, 0), $1, $2, $3"
		" FROM chemchat.epoch AS e"
		" RETURNING no";

	/* No backend ever writes on two timelines. */
	if (known_epoch == EPOCH_UNKNOWN)
	{
		SPI_connect();
		known_epoch = find_epoch(find);
		if (known_epoch == EPOCH_UNKNOWN)
		{
			/* Two first writes at once must not both take the next number. */
			if (SPI_execute("LOCK TABLE chemchat.epoch"
							" IN SHARE ROW EXCLUSIVE MODE",
							false, 0) != SPI_OK_UTILITY)
				elog(ERROR, "could not lock chemchat.epoch");
			known_epoch = find_epoch(find);
		}
		if (known_epoch == EPOCH_UNKNOWN)
			known_epoch = find_epoch(add);
		SPI_finish();
	}
	return Max(known_epoch << EPOCH_SHIFT, 1);
}

void
epoch_forget(void)
{
	known_epoch = EPOCH_UNKNOWN;
}

/* The one number the query returns, or EPOCH_UNKNOWN. */
static int64
find_epoch(const char *query)
{
	Oid types[3] = { TEXTOID, INT4OID, OIDOID };
	Datum values[3];
	bool is_null;

	values[0] = CStringGetTextDatum(position_system_id());
	values[1] = Int32GetDatum((int32) GetWALInsertionTimeLine());
	values[2] = ObjectIdGetDatum(MyDatabaseId);
	if (SPI_execute_with_args(query, 3, types, values, NULL, false, 1) < 0)
		elog(ERROR, "could not read chemchat.epoch");
	if (SPI_processed == 0)
		return EPOCH_UNKNOWN;
	return DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0],
									   SPI_tuptable->tupdesc, 1, &is_null));
}
