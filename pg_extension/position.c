#include "postgres.h"
#include "pgcompat.h"

#include "position.h"

#include "access/timeline.h"
#include "access/xlog.h"
#include "access/xlogrecovery.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/pg_lsn.h"

#include "errors.h"

static XLogRecPtr durable_lsn(TimeLineID *timeline);
static bool is_on_history(TimeLineID timeline, XLogRecPtr lsn);

PG_FUNCTION_INFO_V1(chemchat_position);
PG_FUNCTION_INFO_V1(chemchat_position_status);

char *
position_system_id(void)
{
	return psprintf(UINT64_FORMAT, GetSystemIdentifier());
}

/* position() -> (system_id text, timeline int, lsn pg_lsn) */
Datum
chemchat_position(PG_FUNCTION_ARGS)
{
	TupleDesc desc;
	TimeLineID timeline;
	XLogRecPtr lsn = durable_lsn(&timeline);
	Datum values[3];
	bool nulls[3] = { false, false, false };

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "position() must return a row");
	values[0] = CStringGetTextDatum(position_system_id());
	values[1] = Int32GetDatum((int32) timeline);
	values[2] = LSNGetDatum(lsn);
	PG_RETURN_DATUM(HeapTupleGetDatum(
		heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/* position_status(system_id text, timeline int, lsn pg_lsn) -> text */
Datum
chemchat_position_status(PG_FUNCTION_ARGS)
{
	static const char *const fields[] = { "system_id", "timeline", "lsn" };
	bool is_same;

	for (int i = 0; i < 3; i++)
	{
		if (PG_ARGISNULL(i))
			chat_raise(CHAT_INVALID_ARGUMENT, fields[i],
					   psprintf("%s must not be null", fields[i]));
	}
	if (PG_GETARG_INT32(1) < 1)
		chat_raise(CHAT_INVALID_ARGUMENT, "timeline",
				   "timeline must be at least 1");
	is_same = strcmp(text_to_cstring(PG_GETARG_TEXT_PP(0)),
					 position_system_id()) == 0 &&
			  is_on_history((TimeLineID) PG_GETARG_INT32(1), PG_GETARG_LSN(2));
	PG_RETURN_TEXT_P(cstring_to_text(is_same ? "same" : "reset"));
}

/*
 * The flushed, or replayed, end of WAL.  A server that is being promoted just
 * now may answer either; both are true.
 */
static XLogRecPtr
durable_lsn(TimeLineID *timeline)
{
	return RecoveryInProgress() ? GetXLogReplayRecPtr(timeline)
								: GetFlushRecPtr(timeline);
}

/*
 * A standby that has not come as far yet, in LSN or in timeline, cannot tell
 * and does not say reset: only the primary knows the end of the history.
 */
static bool
is_on_history(TimeLineID timeline, XLogRecPtr lsn)
{
	bool is_standby = RecoveryInProgress();
	TimeLineID current;
	XLogRecPtr end = durable_lsn(&current);
	ListCell *cell;

	if (timeline == current)
		return is_standby || lsn <= end;
	if (timeline > current)
		return is_standby;
	foreach (cell, readTimeLineHistory(current))
	{
		TimeLineHistoryEntry *entry = lfirst(cell);

		if (entry->tli == timeline)
			return lsn <= entry->end;
	}
	return false;
}
