/*
 * walreader_sql - chemchat.wal_count() and wal_list(), behind outbox()
 *
 * Positions come in as arguments, from pg_replication_slots, so that no file
 * of ours knows the server's slot structs.  schema/outbox.sql has the
 * signatures; both are private to the extension's owner.
 */
#include "postgres.h"
#include "pgcompat.h"

#include "access/tupdesc.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/pg_lsn.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"
#include "utils/uuid.h"

#include "walreader_count.h"
#include "walreader_list.h"

PG_FUNCTION_INFO_V1(chemchat_wal_count);
PG_FUNCTION_INFO_V1(chemchat_wal_list);

static Datum *array_elements(FunctionCallInfo fcinfo, int arg, Oid type,
							 int len, bool by_value, char align, int *count);
static void put_row(void *arg, XLogRecPtr commit_lsn, uint32 ordinal,
					TimestampTz committed_at, const Event *event);
static Datum uuid_datum(const uint8 *bytes);

/* wal_count(slots name[], restart pg_lsn[], confirmed pg_lsn[], budget bigint) */
Datum
chemchat_wal_count(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	int n;
	int other[2];
	Datum *names =
		array_elements(fcinfo, 0, NAMEOID, NAMEDATALEN, false, 'c', &n);
	Datum *restart =
		array_elements(fcinfo, 1, PG_LSNOID, 8, true, 'd', &other[0]);
	Datum *confirmed =
		array_elements(fcinfo, 2, PG_LSNOID, 8, true, 'd', &other[1]);
	int64 budget_bytes = PG_GETARG_INT64(3);
	WalSlot *slots;
	WalCount *counts;

	if (other[0] != n || other[1] != n || budget_bytes <= 0)
		ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("arguments of wal_count() do not fit together"));

	InitMaterializedSRF(fcinfo, 0);
	slots = palloc0(sizeof(WalSlot) * Max(n, 1));
	counts = palloc0(sizeof(WalCount) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		slots[i].filter =
			walreader_slot_filter(NameStr(*DatumGetName(names[i])));
		slots[i].restart_lsn = DatumGetLSN(restart[i]);
		slots[i].confirmed_lsn = DatumGetLSN(confirmed[i]);
	}
	walreader_count(slots, counts, n, (uint64) budget_bytes);

	for (int i = 0; i < n; i++)
	{
		Datum values[] = { names[i], Int64GetDatum((int64) counts[i].events),
						   Int64GetDatum((int64) counts[i].bytes),
						   TimestampTzGetDatum(counts[i].oldest_at),
						   BoolGetDatum(counts[i].is_estimate) };
		bool nulls[] = { false, false, false, counts[i].oldest_at == 0, false };

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* wal_list(slot name, restart pg_lsn, confirmed pg_lsn, max_rows int) */
Datum
chemchat_wal_list(PG_FUNCTION_ARGS)
{
	WalSlot slot = {
		.filter = walreader_slot_filter(NameStr(*PG_GETARG_NAME(0))),
		.restart_lsn = PG_GETARG_LSN(1),
		.confirmed_lsn = PG_GETARG_LSN(2),
	};

	InitMaterializedSRF(fcinfo, 0);
	walreader_list(&slot, PG_GETARG_INT32(3), put_row, fcinfo->resultinfo);
	return (Datum) 0;
}

static Datum *
array_elements(FunctionCallInfo fcinfo, int arg, Oid type, int len,
			   bool by_value, char align, int *count)
{
	Datum *elements;
	bool *nulls;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(arg), type, len, by_value, align,
					  &elements, &nulls, count);
	for (int i = 0; i < *count; i++)
		if (nulls[i])
			ereport(ERROR, errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					errmsg("argument %d must not contain nulls", arg + 1));
	return elements;
}

static void
put_row(void *arg, XLogRecPtr commit_lsn, uint32 ordinal,
		TimestampTz committed_at, const Event *event)
{
	ReturnSetInfo *result = arg;
	text *json = cstring_to_text_with_len(event->json, (int) event->json_len);
	Datum values[] = {
		LSNGetDatum(commit_lsn),
		Int32GetDatum((int32) ordinal),
		TimestampTzGetDatum(committed_at),
		CStringGetTextDatum(event_kind_name((uint8) event->kind)),
		uuid_datum(event->key),
		uuid_datum(event->id),
		Int64GetDatum((int64) event->ev),
		Int64GetDatum((int64) event->seq),
		Int64GetDatum((int64) event->rev),
		BoolGetDatum((event->flags & EVENT_REPLAY) != 0),
		PointerGetDatum(json),
	};
	bool nulls[lengthof(values)] = { false };

	nulls[6] = event->ev == 0;
	nulls[7] = event->seq == 0;
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	pfree(DatumGetPointer(values[3]));
	pfree(DatumGetPointer(values[4]));
	pfree(DatumGetPointer(values[5]));
	pfree(json);
}

static Datum
uuid_datum(const uint8 *bytes)
{
	pg_uuid_t *uuid = palloc(sizeof(pg_uuid_t));

	memcpy(uuid->data, bytes, UUID_LEN);
	return UUIDPGetDatum(uuid);
}
