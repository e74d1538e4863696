/*
 * send_sql - send_message() and send_messages(): arguments in, rows out
 */
#include "postgres.h"
#include "pgcompat.h"

#include "access/detoast.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "acting.h"
#include "outbox.h"
#include "send.h"

/* One array argument, taken apart. */
typedef struct ArrayArgument
{
	Datum *values;
	bool *nulls;
	int count;
} ArrayArgument;

static ArrayArgument get_array(FunctionCallInfo fcinfo, int arg,
							   const char *name, Oid type);
static void set_body(SendItem *item, Datum body);
static void set_reply(SendItem *item, int64 reply_to);
static void set_trace(SendItem *item, Datum trace);
static const pg_uuid_t *uuid_or_null(const ArrayArgument *array, int i);
static void put_row(ReturnSetInfo *result, int n, const SendItem *item);
COMPAT_NORETURN static void raise_for(const SendItem *item);

PG_FUNCTION_INFO_V1(chemchat_send_message);
PG_FUNCTION_INFO_V1(chemchat_send_messages);

Datum
chemchat_send_message(PG_FUNCTION_ARGS)
{
	TupleDesc desc;
	SendItem item = { 0 };
	Datum values[6];
	bool nulls[6] = { false };

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "send_message() must return a row");
	item.actor = acting_for(PG_ARGISNULL(0) ? NULL : PG_GETARG_UUID_P(0));
	item.conversation_id = PG_ARGISNULL(1) ? NULL : PG_GETARG_UUID_P(1);
	item.client_msg_id = PG_ARGISNULL(2) ? NULL : PG_GETARG_UUID_P(2);
	if (!PG_ARGISNULL(3))
		set_body(&item, PG_GETARG_DATUM(3));
	if (!PG_ARGISNULL(4))
		set_reply(&item, PG_GETARG_INT64(4));
	send_batch(&item, 1, true);
	if (item.error != CHAT_OK)
		raise_for(&item);
	values[0] = UUIDPGetDatum(&item.id);
	values[1] = Int64GetDatum(item.seq);
	values[2] = Int64GetDatum(item.ev);
	values[3] = Int64GetDatum(item.rev);
	values[4] = TimestampTzGetDatum(item.created_at);
	values[5] = BoolGetDatum(item.is_duplicate);
	PG_RETURN_DATUM(HeapTupleGetDatum(
		heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

Datum
chemchat_send_messages(PG_FUNCTION_ARGS)
{
	static const char *const names[] = { "actors",         "conversation_ids",
										 "client_msg_ids", "bodies",
										 "traceparents",   "replies_to" };
	static const Oid types[] = { UUIDOID, UUIDOID, UUIDOID,
								 TEXTOID, TEXTOID, INT8OID };
	ArrayArgument args[6] = { 0 };
	SendItem *items;
	int count;

	InitMaterializedSRF(fcinfo, 0);
	for (int a = 0; a < 6; a++)
	{
		if (a >= 4 && PG_ARGISNULL(a))
			continue;
		args[a] = get_array(fcinfo, a, names[a], types[a]);
		if (args[a].count != args[0].count)
			chat_raise(CHAT_INVALID_ARGUMENT, names[a],
					   psprintf("%s must be as long as actors", names[a]));
	}
	count = args[0].count;
	if (count > SEND_ITEMS_MAX)
		chat_raise(CHAT_TOO_LARGE, "actors",
				   psprintf("more than %d messages at once", SEND_ITEMS_MAX));

	items = palloc0(sizeof(SendItem) * (size_t) Max(count, 1));
	for (int i = 0; i < count; i++)
	{
		items[i].actor = uuid_or_null(&args[0], i);
		items[i].conversation_id = uuid_or_null(&args[1], i);
		items[i].client_msg_id = uuid_or_null(&args[2], i);
		if (!args[3].nulls[i])
			set_body(&items[i], args[3].values[i]);
		if (args[4].values != NULL && !args[4].nulls[i])
			set_trace(&items[i], args[4].values[i]);
		if (args[5].values != NULL && !args[5].nulls[i])
			set_reply(&items[i], DatumGetInt64(args[5].values[i]));
	}
	send_batch(items, count, false);
	for (int i = 0; i < count; i++)
		put_row((ReturnSetInfo *) fcinfo->resultinfo, i + 1, &items[i]);
	return (Datum) 0;
}

static ArrayArgument
get_array(FunctionCallInfo fcinfo, int arg, const char *name, Oid type)
{
	ArrayArgument out;
	ArrayType *array;
	int16 len;
	bool is_by_value;
	char align;

	if (PG_ARGISNULL(arg))
		chat_raise(CHAT_INVALID_ARGUMENT, name,
				   psprintf("%s must not be null", name));
	array = PG_GETARG_ARRAYTYPE_P(arg);
	if (ARR_NDIM(array) > 1)
		chat_raise(CHAT_INVALID_ARGUMENT, name,
				   psprintf("%s must have one dimension", name));
	get_typlenbyvalalign(type, &len, &is_by_value, &align);
	deconstruct_array(array, type, len, is_by_value, align, &out.values,
					  &out.nulls, &out.count);
	return out;
}

/* The size is known without unpacking: a gigabyte is refused for nothing. */
static void
set_body(SendItem *item, Datum body)
{
	item->body_bytes = toast_raw_datum_size(body) - VARHDRSZ;
	if (item->body_bytes <= SEND_BODY_MAX_BYTES)
		item->body = PG_DETOAST_DATUM_PACKED(body);
}

/* seq begins with 1: what is not one is refused as such. */
static void
set_reply(SendItem *item, int64 reply_to)
{
	item->reply_to = reply_to > 0 ? reply_to : -1;
}

/* Empty is none, as in the setting. */
static void
set_trace(SendItem *item, Datum trace)
{
	text *value = DatumGetTextPP(trace);
	Size len = VARSIZE_ANY_EXHDR(value);

	if (len == 0)
		return;
	if (!outbox_is_traceparent(VARDATA_ANY(value), len))
	{
		item->error = CHAT_INVALID_ARGUMENT;
		item->field = "traceparent";
		return;
	}
	item->trace = VARDATA_ANY(value);
}

static const pg_uuid_t *
uuid_or_null(const ArrayArgument *array, int i)
{
	return array->nulls[i] ? NULL : DatumGetUUIDP(array->values[i]);
}

static void
put_row(ReturnSetInfo *result, int n, const SendItem *item)
{
	Datum values[9];
	bool nulls[9] = { false };

	values[0] = Int32GetDatum(n);
	values[1] = CStringGetTextDatum(chat_error_code(item->error));
	nulls[2] = true;
	if (item->error != CHAT_OK)
	{
		if (item->field != NULL)
		{
			values[2] = CStringGetTextDatum(item->field);
			nulls[2] = false;
		}
		memset(nulls + 3, true, 6 * sizeof(bool));
	}
	else
	{
		values[3] = UUIDPGetDatum(&item->id);
		values[4] = Int64GetDatum(item->seq);
		values[5] = Int64GetDatum(item->ev);
		values[6] = Int64GetDatum(item->rev);
		values[7] = TimestampTzGetDatum(item->created_at);
		values[8] = BoolGetDatum(item->is_duplicate);
	}
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* psql does not show COLUMN, so the message names the argument too. */
static void
raise_for(const SendItem *item)
{
	const char *message = NULL;

	if (item->field != NULL && strcmp(item->field, "reply_to") == 0)
		message = item->error == CHAT_INVALID_ARGUMENT
					  ? "reply_to must be a seq"
				  : item->error == CHAT_NOT_FOUND ? "there is no such message"
												  : NULL;
	else if (item->error == CHAT_INVALID_ARGUMENT)
		message = psprintf("%s must not be null or empty", item->field);
	else if (item->error == CHAT_TOO_LARGE)
		message = psprintf("%s is longer than %d bytes", item->field,
						   SEND_BODY_MAX_BYTES);
	chat_raise(item->error, item->field, message);
}
