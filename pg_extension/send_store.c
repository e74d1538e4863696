#include "postgres.h"
#include "pgcompat.h"

#include "send_store.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "send_heads.h"
#include "send_rich.h"

/* The columns of a row that SPI returned, by number from 1. */
#define COLUMN(row, n, is_null)                                                \
	SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, n, is_null)

/*
 * LIMIT 1 where a key finds one row at most keeps the look-up apart, by its
 * index: a plan made while the table was empty would else be allowed to read
 * all of it, once per batch, for as long as the plan lives.
 */
/*
 * A stranger alone must not wait for a lock, nor hold one, which takes a
 * flush: the time would tell her that there is such a conversation.  Nor is
 * its row looked at: what she costs is a look for a seat, there or not.  Among
 * others she cannot tell.
 */
#define KNOWN_IDS                                                              \
	"(CASE WHEN pg_catalog.cardinality($2) = 0 THEN $1"                        \
	" ELSE ARRAY(SELECT i.id FROM pg_catalog.unnest($1) AS i (id)"             \
	"  CROSS JOIN LATERAL ("                                                   \
	"       SELECT FROM chemchat.member AS seat"                               \
	"        WHERE seat.conversation_id = i.id AND seat.user_id = $2[1]"       \
	"          AND seat.state = 'joined' LIMIT 1) AS s) END)"

static const char lock_waiting[] =
	"SELECT c.id, c.kind, c.archived_at IS NOT NULL"
	"  FROM chemchat.conversation AS c"
	" WHERE c.id = ANY " KNOWN_IDS " ORDER BY c.id FOR NO KEY UPDATE";

static const char lock_free[] = "SELECT c.id, c.kind, c.archived_at IS NOT NULL"
								"  FROM chemchat.conversation AS c"
								" WHERE c.id = ANY " KNOWN_IDS
								" ORDER BY c.id FOR NO KEY UPDATE SKIP LOCKED";

/*
 * The last change says both numbers when it is a new message, which it mostly
 * is.  Looking for the end of a conversation reads a whole leaf of the index,
 * so one look instead of two is worth it, and so is a place to look from
 * (send_heads.h).
 */
static const char read_heads[] =
	"SELECT i.n, e.ev,"
	"       coalesce(CASE e.kind WHEN 'm' THEN e.seq END,"
	"                (SELECT m.seq FROM chemchat.message AS m"
	"                  WHERE m.conversation_id = i.conversation_id"
	"                  ORDER BY m.seq DESC LIMIT 1),"
	"                0)"
	"  FROM unnest($1, $2) WITH ORDINALITY AS i (conversation_id, hint, n)"
	"  CROSS JOIN LATERAL ("
	"       SELECT ch.ev, ch.seq, ch.kind FROM chemchat.change AS ch"
	"        WHERE ch.conversation_id = i.conversation_id"
	"          AND ch.ev >= i.hint"
	"        ORDER BY ch.ev DESC LIMIT 1) AS e";

/*
 * The wall for a set, as _authorized() is for one: the same tables, with the
 * permissions read once a batch, and the kind not looked up where the lock has
 * brought it.  Few users are deactivated: they have an
 * index of their own.
 */
static const char look_up[] =
	"SELECT i.n, s.role IS NOT NULL,"
	"       (coalesce(i.kind, (SELECT c.kind FROM chemchat.conversation AS c"
	"                           WHERE c.id = i.conversation_id)), s.role)"
	"       IN (SELECT p.kind, p.role FROM chemchat.permission AS p"
	"            WHERE p.verb = 'send'),"
	"       NOT EXISTS (SELECT FROM chemchat.app_user AS u"
	"                    WHERE u.id = i.actor"
	"                      AND u.deactivated_at IS NOT NULL),"
	"       m.body_hash, m.id, m.seq, m.ev, m.rev, m.created_at, m.reply_to"
	"  FROM unnest($1, $2, $3, $4) WITH ORDINALITY"
	"       AS i (actor, conversation_id, client_msg_id, kind, n)"
	"  LEFT JOIN LATERAL ("
	"       SELECT * FROM chemchat.message AS o"
	"        WHERE o.sender = i.actor"
	"          AND o.conversation_id = i.conversation_id"
	"          AND o.client_msg_id = i.client_msg_id LIMIT 1) AS m ON true"
	"  LEFT JOIN LATERAL ("
	"       SELECT seat.role FROM chemchat.member AS seat"
	"        WHERE seat.conversation_id = i.conversation_id"
	"          AND seat.user_id = i.actor"
	"          AND seat.state = 'joined' LIMIT 1) AS s ON true";

/* its columns */
typedef enum LookUpColumn
{
	FOUND_N = 1,
	FOUND_IS_MEMBER,
	FOUND_IS_ALLOWED,
	FOUND_IS_ACTIVE,
	FOUND_BODY_HASH, /* from here on NULL when the key is new */
	FOUND_ID,
	FOUND_SEQ,
	FOUND_EV,
	FOUND_REV,
	FOUND_CREATED_AT,
	FOUND_REPLY_TO
} LookUpColumn;

static const char insert_messages[] =
	"INSERT INTO chemchat.message"
	"       (conversation_id, seq, ev, rev, body_hash, created_at, id, sender,"
	"        client_msg_id, body)"
	"SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

static const char insert_changes[] =
	"INSERT INTO chemchat.change (conversation_id, ev, seq, id, kind)"
	"SELECT i.conversation_id, i.ev, i.seq, i.id, 'm'"
	"  FROM unnest($1, $2, $3, $4) AS i (conversation_id, ev, seq, id)";

typedef enum StoreQuery
{
	LOCK_WAITING,
	LOCK_FREE,
	READ_HEADS,
	LOOK_UP,
	INSERT_MESSAGES,
	INSERT_CHANGES,
	QUERY_COUNT
} StoreQuery;

typedef struct QueryText
{
	const char *text;
	int arg_count;
	Oid arg_types[10];
} QueryText;

static const QueryText query_texts[QUERY_COUNT] = {
	[LOCK_WAITING] = { lock_waiting, 2, { UUIDARRAYOID, UUIDARRAYOID } },
	[LOCK_FREE] = { lock_free, 2, { UUIDARRAYOID, UUIDARRAYOID } },
	[READ_HEADS] = { read_heads, 2, { UUIDARRAYOID, INT8ARRAYOID } },
	[LOOK_UP] = { look_up,
				  4,
				  { UUIDARRAYOID, UUIDARRAYOID, UUIDARRAYOID, TEXTARRAYOID } },
	[INSERT_MESSAGES] = { insert_messages,
						  10,
						  { UUIDARRAYOID, INT8ARRAYOID, INT8ARRAYOID,
							INT8ARRAYOID, INT8ARRAYOID, TIMESTAMPTZARRAYOID,
							UUIDARRAYOID, UUIDARRAYOID, UUIDARRAYOID,
							TEXTARRAYOID } },
	[INSERT_CHANGES] = { insert_changes,
						 4,
						 { UUIDARRAYOID, INT8ARRAYOID, INT8ARRAYOID,
						   UUIDARRAYOID } },
};

static SPIPlanPtr plans[QUERY_COUNT];

static void run(StoreQuery query, Datum *args, int expected);
static void read_heads_from(SendConversation **asked, const int64 *hints,
							int count);
static Datum uuid_array(Datum *ids, int count);
static Datum int8_array(Datum *numbers, int count);
static Datum text_array(Datum *texts, bool *nulls, int count);
static void answer_original(SendItem *item, uint64 row);

void
send_store_begin(void)
{
	SPI_connect();
}

void
send_store_end(void)
{
	SPI_finish();
}

void
send_store_lock(SendConversation *conversations, int count,
				const pg_uuid_t *only_actor, bool is_waiting)
{
	Datum *ids = palloc(sizeof(Datum) * (size_t) count);
	Datum actor = UUIDPGetDatum(only_actor);
	Datum args[2];
	int at = 0;

	for (int i = 0; i < count; i++)
		ids[i] = UUIDPGetDatum(&conversations[i].id);
	args[0] = uuid_array(ids, count);
	args[1] = uuid_array(&actor, only_actor == NULL ? 0 : 1);
	run(is_waiting ? LOCK_WAITING : LOCK_FREE, args, SPI_OK_SELECT);

	/* Both are in id order. */
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		bool is_null;
		pg_uuid_t *id = DatumGetUUIDP(COLUMN(row, 1, &is_null));

		while (at < count && memcmp(&conversations[at].id, id, UUID_LEN) != 0)
			at++;
		if (at < count)
		{
			conversations[at].is_locked = true;
			conversations[at].kind = COLUMN(row, 2, &is_null);
			conversations[at].is_direct =
				strcmp(TextDatumGetCString(conversations[at].kind), "direct") ==
				0;
			conversations[at].is_archived =
				DatumGetBool(COLUMN(row, 3, &is_null));
		}
	}
}

void
send_store_read_heads(SendConversation *conversations, int count)
{
	SendConversation **asked =
		palloc(sizeof(SendConversation *) * (size_t) count);
	int64 *hints = palloc(sizeof(int64) * (size_t) count);
	int asked_count = 0;
	int unknown_count = 0;

	for (int i = 0; i < count; i++)
	{
		if (!conversations[i].is_locked)
			continue;
		hints[asked_count] = send_heads_hint(&conversations[i].id);
		asked[asked_count++] = &conversations[i];
	}
	read_heads_from(asked, hints, asked_count);

	/* Nothing from the hint on: what it came from was rolled back. */
	for (int i = 0; i < asked_count; i++)
	{
		if (asked[i]->ev == 0 && hints[i] > 0)
		{
			hints[unknown_count] = 0;
			asked[unknown_count++] = asked[i];
		}
	}
	read_heads_from(asked, hints, unknown_count);
}

/* Leaves alone those without a change from their hint on. */
static void
read_heads_from(SendConversation **asked, const int64 *hints, int count)
{
	Datum *ids = palloc(sizeof(Datum) * (size_t) Max(count, 1));
	Datum *evs = palloc(sizeof(Datum) * (size_t) Max(count, 1));
	Datum args[2];

	if (count == 0)
		return;
	for (int i = 0; i < count; i++)
	{
		ids[i] = UUIDPGetDatum(&asked[i]->id);
		evs[i] = Int64GetDatum(hints[i]);
	}
	args[0] = uuid_array(ids, count);
	args[1] = int8_array(evs, count);
	run(READ_HEADS, args, SPI_OK_SELECT);
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		bool is_null;
		SendConversation *found =
			asked[DatumGetInt64(COLUMN(row, 1, &is_null)) - 1];

		found->ev = DatumGetInt64(COLUMN(row, 2, &is_null));
		found->seq = DatumGetInt64(COLUMN(row, 3, &is_null));
		send_heads_note(&found->id, found->ev);
	}
}

void
send_store_look_up(SendItem *items, int count)
{
	Datum *columns[4];
	bool *has_no_kind = palloc(sizeof(bool) * (size_t) count);
	SendItem **asked = palloc(sizeof(SendItem *) * (size_t) count);
	Datum args[4];
	int asked_count = 0;

	for (int c = 0; c < 4; c++)
		columns[c] = palloc(sizeof(Datum) * (size_t) count);
	for (int i = 0; i < count; i++)
	{
		if (items[i].error != CHAT_OK)
			continue;
		columns[0][asked_count] = UUIDPGetDatum(items[i].actor);
		columns[1][asked_count] = UUIDPGetDatum(items[i].conversation_id);
		columns[2][asked_count] = UUIDPGetDatum(items[i].client_msg_id);
		columns[3][asked_count] = items[i].conversation->kind;
		has_no_kind[asked_count] = !items[i].conversation->is_locked;
		asked[asked_count++] = &items[i];
	}
	for (int c = 0; c < 3; c++)
		args[c] = uuid_array(columns[c], asked_count);
	args[3] = text_array(columns[3], has_no_kind, asked_count);
	run(LOOK_UP, args, SPI_OK_SELECT);
	for (uint64 row = 0; row < SPI_processed; row++)
	{
		bool is_null;
		SendItem *item =
			asked[DatumGetInt64(COLUMN(row, FOUND_N, &is_null)) - 1];

		item->is_member = DatumGetBool(COLUMN(row, FOUND_IS_MEMBER, &is_null));
		item->is_allowed =
			DatumGetBool(COLUMN(row, FOUND_IS_ALLOWED, &is_null)) && !is_null;
		item->is_active = DatumGetBool(COLUMN(row, FOUND_IS_ACTIVE, &is_null));
		(void) COLUMN(row, FOUND_BODY_HASH, &is_null);
		if (!is_null)
			answer_original(item, row);
	}
}

void
send_store_insert(SendItem **items, int count)
{
	Datum *columns[10];
	Datum args[10];
	Datum change[4];

	for (int c = 0; c < 10; c++)
		columns[c] = palloc(sizeof(Datum) * (size_t) count);
	for (int i = 0; i < count; i++)
	{
		const SendItem *item = items[i];

		columns[0][i] = UUIDPGetDatum(item->conversation_id);
		columns[1][i] = Int64GetDatum(item->seq);
		columns[2][i] = Int64GetDatum(item->ev);
		columns[3][i] = Int64GetDatum(item->rev);
		columns[4][i] = Int64GetDatum(item->body_hash);
		columns[5][i] = TimestampTzGetDatum(item->created_at);
		columns[6][i] = UUIDPGetDatum(&item->id);
		columns[7][i] = UUIDPGetDatum(item->actor);
		columns[8][i] = UUIDPGetDatum(item->client_msg_id);
		columns[9][i] = PointerGetDatum(item->body);
	}
	args[0] = uuid_array(columns[0], count);
	for (int c = 1; c <= 4; c++)
		args[c] = int8_array(columns[c], count);
	args[5] = PointerGetDatum(construct_array(columns[5], count, TIMESTAMPTZOID,
											  sizeof(int64), FLOAT8PASSBYVAL,
											  TYPALIGN_DOUBLE));
	for (int c = 6; c <= 8; c++)
		args[c] = uuid_array(columns[c], count);
	args[9] = PointerGetDatum(
		construct_array(columns[9], count, TEXTOID, -1, false, TYPALIGN_INT));
	if (send_rich_is_needed(items, count))
		send_rich_insert(items, count, args);
	else
		run(INSERT_MESSAGES, args, SPI_OK_INSERT);
	change[0] = args[0];
	change[1] = args[2];
	change[2] = args[1];
	change[3] = args[6];
	run(INSERT_CHANGES, change, SPI_OK_INSERT);
}

static void
run(StoreQuery query, Datum *args, int expected)
{
	int result;

	if (plans[query] == NULL)
	{
		const QueryText *text = &query_texts[query];
		Oid types[10];
		SPIPlanPtr plan;

		memcpy(types, text->arg_types, sizeof(types));
		plan = SPI_prepare(text->text, text->arg_count, types);
		if (plan == NULL || SPI_keepplan(plan) != 0)
			elog(ERROR, "could not prepare: %s",
				 SPI_result_code_string(SPI_result));
		plans[query] = plan;
	}
	result = SPI_execute_plan(plans[query], args, NULL, false, 0);
	if (result != expected)
		elog(ERROR, "could not execute: %s", SPI_result_code_string(result));
}

static Datum
uuid_array(Datum *ids, int count)
{
	return PointerGetDatum(
		construct_array(ids, count, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR));
}

static Datum
int8_array(Datum *numbers, int count)
{
	return PointerGetDatum(construct_array(numbers, count, INT8OID,
										   sizeof(int64), FLOAT8PASSBYVAL,
										   TYPALIGN_DOUBLE));
}

static Datum
text_array(Datum *texts, bool *nulls, int count)
{
	int dims[1] = { count };
	int lower_bounds[1] = { 1 };

	return PointerGetDatum(construct_md_array(texts, nulls, 1, dims,
											  lower_bounds, TEXTOID, -1, false,
											  TYPALIGN_INT));
}

/*
 * The key is known: a retry gets the original, another body or an answer to
 * something else a refusal.
 */
static void
answer_original(SendItem *item, uint64 row)
{
	bool is_null;
	int64 reply_to = DatumGetInt64(COLUMN(row, FOUND_REPLY_TO, &is_null));

	item->is_answered = true;
	if ((is_null ? 0 : reply_to) != item->reply_to ||
		DatumGetInt64(COLUMN(row, FOUND_BODY_HASH, &is_null)) !=
			item->body_hash)
	{
		item->error = CHAT_IDEMPOTENCY_MISMATCH;
		item->field = "client_msg_id";
		return;
	}
	item->id = *DatumGetUUIDP(COLUMN(row, FOUND_ID, &is_null));
	item->seq = DatumGetInt64(COLUMN(row, FOUND_SEQ, &is_null));
	item->ev = DatumGetInt64(COLUMN(row, FOUND_EV, &is_null));
	item->rev = DatumGetInt64(COLUMN(row, FOUND_REV, &is_null));
	item->created_at =
		DatumGetTimestampTz(COLUMN(row, FOUND_CREATED_AT, &is_null));
	item->is_duplicate = true;
}
