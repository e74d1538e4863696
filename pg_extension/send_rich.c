#include "postgres.h"
#include "pgcompat.h"

#include "send_rich.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "handles.h"
#include "send_store.h"

#define PLAIN_COLUMNS 10
#define RICH_COLUMNS  (PLAIN_COLUMNS + 3)

typedef struct RichQuery
{
	const char *text;
	int arg_count;
	Oid arg_types[RICH_COLUMNS];
	SPIPlanPtr plan; /* made once per session */
} RichQuery;

static RichQuery find_parents = {
	"SELECT i.n, coalesce(m.thread, m.seq), m.deleted_at IS NOT NULL"
	"  FROM unnest($1, $2) WITH ORDINALITY AS i (conversation_id, seq, n),"
	"       LATERAL ("
	"       SELECT * FROM chemchat.message AS o"
	"        WHERE o.conversation_id = i.conversation_id AND o.seq = i.seq"
	"        LIMIT 1) AS m",
	2,
	{ UUIDARRAYOID, INT8ARRAYOID },
	NULL
};

static RichQuery find_blocks = {
	"SELECT i.n"
	"  FROM unnest($1, $2) WITH ORDINALITY AS i (conversation_id, actor, n)"
	" WHERE EXISTS ("
	"       SELECT FROM chemchat.member AS o"
	"        WHERE o.conversation_id = i.conversation_id"
	"          AND o.user_id <> i.actor"
	"          AND (EXISTS (SELECT FROM chemchat.block AS b"
	"                        WHERE b.user_id = o.user_id"
	"                          AND b.blocked_id = i.actor AND b.is_on)"
	"               OR EXISTS (SELECT FROM chemchat.block AS b"
	"                           WHERE b.user_id = i.actor"
	"                             AND b.blocked_id = o.user_id AND b.is_on)))",
	2,
	{ UUIDARRAYOID, UUIDARRAYOID },
	NULL
};

static RichQuery read_mentions = { "SELECT chemchat._read_mentions($1, $2, $3)",
								   3,
								   { UUIDOID, UUIDOID, TEXTARRAYOID },
								   NULL };

static RichQuery write_mentions = {
	"SELECT chemchat._write_mentions($1, $2, $3, $4, $5)",
	5,
	{ UUIDOID, INT8OID, UUIDOID, TIMESTAMPTZOID, UUIDARRAYOID },
	NULL
};

/* An array of arrays of different lengths there is none: mentions are text. */
static RichQuery insert_messages = {
	"INSERT INTO chemchat.message"
	"       (conversation_id, seq, ev, rev, body_hash, created_at, id, sender,"
	"        client_msg_id, body, reply_to, thread, mentions)"
	"SELECT i.a, i.b, i.c, i.d, i.e, i.f, i.g, i.h, i.i, i.j, i.reply_to,"
	"       i.thread, i.mentions::uuid[]"
	"  FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
	"       AS i (a, b, c, d, e, f, g, h, i, j, reply_to, thread, mentions)",
	RICH_COLUMNS,
	{ UUIDARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID,
	  TIMESTAMPTZARRAYOID, UUIDARRAYOID, UUIDARRAYOID, UUIDARRAYOID,
	  TEXTARRAYOID, INT8ARRAYOID, INT8ARRAYOID, TEXTARRAYOID },
	NULL
};

/* The items that a statement is about, and its arguments. */
typedef struct Asked
{
	SendItem **items;
	Datum *conversations;
	Datum *values; /* the caller's */
	int count;
} Asked;

static bool is_reply_to_find(const SendItem *item);
static bool is_direct(const SendItem *item);
static Asked gather(SendItem *items, int count,
					bool (*is_wanted)(const SendItem *item));
static Datum column(uint64 row, int n);
static void run(RichQuery *query, Datum *args, int expected);
static Datum nullable_array(Datum *values, bool *nulls, int count, Oid type);
static char *mentions_text(Datum mentions);

void
send_rich_find_parents(SendItem *items, int count)
{
	Asked asked = gather(items, count, is_reply_to_find);
	Datum args[2];

	if (asked.count == 0)
		return;
	for (int i = 0; i < asked.count; i++)
		asked.values[i] = Int64GetDatum(asked.items[i]->reply_to);
	args[0] = nullable_array(asked.conversations, NULL, asked.count, UUIDOID);
	args[1] = nullable_array(asked.values, NULL, asked.count, INT8OID);
	run(&find_parents, args, SPI_OK_SELECT);
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		SendItem *item = asked.items[DatumGetInt64(column(row, 1)) - 1];

		item->thread = DatumGetInt64(column(row, 2));
		item->parent = DatumGetBool(column(row, 3)) ? SEND_PARENT_DELETED
													: SEND_PARENT_FOUND;
	}
}

void
send_rich_find_blocks(SendItem *items, int count)
{
	Asked asked = gather(items, count, is_direct);
	Datum args[2];

	if (asked.count == 0)
		return;
	for (int i = 0; i < asked.count; i++)
		asked.values[i] = UUIDPGetDatum(asked.items[i]->actor);
	args[0] = nullable_array(asked.conversations, NULL, asked.count, UUIDOID);
	args[1] = nullable_array(asked.values, NULL, asked.count, UUIDOID);
	run(&find_blocks, args, SPI_OK_SELECT);
	for (uint64 row = 0; row < SPI_processed; row++)
		asked.items[DatumGetInt64(column(row, 1)) - 1]->is_blocked = true;
}

void
send_rich_read_mentions(SendItem **items, int count)
{
	for (int i = 0; i < count; i++)
	{
		SendItem *item = items[i];
		ArrayType *handles = handles_named_in(VARDATA_ANY(item->body),
											  VARSIZE_ANY_EXHDR(item->body));
		bool is_null;
		Datum found;
		Datum args[3];

		if (handles == NULL)
			continue;
		args[0] = UUIDPGetDatum(item->conversation_id);
		args[1] = UUIDPGetDatum(item->actor);
		args[2] = PointerGetDatum(handles);
		run(&read_mentions, args, SPI_OK_SELECT);
		found = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1,
							  &is_null);
		/* The event is made when SPI has gone, with its memory. */
		if (!is_null)
			item->mentions = SPI_datumTransfer(found, false, -1);
	}
}

bool
send_rich_is_needed(SendItem **items, int count)
{
	for (int i = 0; i < count; i++)
	{
		if (items[i]->reply_to != 0 || items[i]->mentions != 0)
			return true;
	}
	return false;
}

void
send_rich_insert(SendItem **items, int count, const Datum *columns)
{
	Datum *values[3];
	bool *nulls[3];
	Datum args[RICH_COLUMNS];

	for (int c = 0; c < 3; c++)
	{
		values[c] = palloc0(sizeof(Datum) * (size_t) count);
		nulls[c] = palloc0(sizeof(bool) * (size_t) count);
	}
	for (int i = 0; i < count; i++)
	{
		nulls[0][i] = nulls[1][i] = items[i]->reply_to == 0;
		values[0][i] = Int64GetDatum(items[i]->reply_to);
		values[1][i] = Int64GetDatum(items[i]->thread);
		nulls[2][i] = items[i]->mentions == 0;
		if (!nulls[2][i])
			values[2][i] =
				CStringGetTextDatum(mentions_text(items[i]->mentions));
	}
	memcpy(args, columns, sizeof(Datum) * PLAIN_COLUMNS);
	args[10] = nullable_array(values[0], nulls[0], count, INT8OID);
	args[11] = nullable_array(values[1], nulls[1], count, INT8OID);
	args[12] = nullable_array(values[2], nulls[2], count, TEXTOID);
	run(&insert_messages, args, SPI_OK_INSERT);
	for (int i = 0; i < count; i++)
	{
		Datum mention[5];

		if (items[i]->mentions == 0)
			continue;
		mention[0] = UUIDPGetDatum(items[i]->conversation_id);
		mention[1] = Int64GetDatum(items[i]->seq);
		mention[2] = UUIDPGetDatum(items[i]->actor);
		mention[3] = TimestampTzGetDatum(items[i]->created_at);
		mention[4] = items[i]->mentions;
		run(&write_mentions, mention, SPI_OK_SELECT);
	}
}

static bool
is_reply_to_find(const SendItem *item)
{
	return item->reply_to != 0;
}

static bool
is_direct(const SendItem *item)
{
	return item->conversation->is_direct;
}

/* Without a wanted one, count 0 and no memory. */
static Asked
gather(SendItem *items, int count, bool (*is_wanted)(const SendItem *item))
{
	Asked asked = { 0 };

	for (int i = 0; i < count; i++)
	{
		if (items[i].error != CHAT_OK || items[i].is_answered ||
			!is_wanted(&items[i]))
			continue;
		if (asked.count == 0)
		{
			asked.items = palloc(sizeof(SendItem *) * (size_t) count);
			asked.conversations = palloc(sizeof(Datum) * (size_t) count);
			asked.values = palloc(sizeof(Datum) * (size_t) count);
		}
		asked.conversations[asked.count] =
			UUIDPGetDatum(items[i].conversation_id);
		asked.items[asked.count++] = &items[i];
	}
	return asked;
}

/* Of a row that SPI returned; never NULL. */
static Datum
column(uint64 row, int n)
{
	bool is_null;

	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, n,
						 &is_null);
}

static void
run(RichQuery *query, Datum *args, int expected)
{
	int result;

	if (query->plan == NULL)
	{
		SPIPlanPtr plan =
			SPI_prepare(query->text, query->arg_count, query->arg_types);

		if (plan == NULL || SPI_keepplan(plan) != 0)
			elog(ERROR, "could not prepare: %s",
				 SPI_result_code_string(SPI_result));
		query->plan = plan;
	}
	result = SPI_execute_plan(query->plan, args, NULL, false, 0);
	if (result != expected)
		elog(ERROR, "could not execute: %s", SPI_result_code_string(result));
}

static Datum
nullable_array(Datum *values, bool *nulls, int count, Oid type)
{
	int dims[1] = { count };
	int lower_bounds[1] = { 1 };
	int16 len;
	bool is_by_value;
	char align;

	get_typlenbyvalalign(type, &len, &is_by_value, &align);
	return PointerGetDatum(construct_md_array(values, nulls, 1, dims,
											  lower_bounds, type, len,
											  is_by_value, align));
}

static char *
mentions_text(Datum mentions)
{
	Oid output;
	bool is_varlena;

	getTypeOutputInfo(UUIDARRAYOID, &output, &is_varlena);
	return OidOutputFunctionCall(output, mentions);
}
