#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "db.h"
#include "db_private.h"
#include "log.h"
#include "mark_queue.h"
#include "xalloc.h"

struct DbMarks
{
	MarkQueue *queue;
	MarkItem *batch; /* under way */
	int count;
};

/* Kept in MarkWaiter.arg. */
typedef struct Waiter
{
	DbAnswerFn done;
	void *arg;
} Waiter;

static void submit(Db *db);
static void number_array(PgParams *params, const MarkItem *batch, int count,
						 bool is_read);
static void on_marked(void *arg, const PgReply *reply);
static void answer_row(const MarkItem *item, const PgResult *result, int row);
static void answer_all(const MarkItem *item, const DbError *error,
					   const DbAnswer *answer);

void
db_marks_open(Db *db)
{
	db->marks = xcalloc(1, sizeof(*db->marks));
	db->marks->queue = mark_queue_new();
}

/* After the pools were closed: a batch has been called back. */
void
db_marks_close(Db *db)
{
	DbError error;
	MarkItem *item;
	int count;

	db_error_set(&error, "unavailable");
	while ((item = mark_queue_take(db->marks->queue, INT64_MAX, &count)) !=
		   NULL)
	{
		while (item != NULL)
		{
			MarkItem *next = item->next;

			answer_all(item, &error, NULL);
			mark_item_free(&item);
			item = next;
		}
	}
	mark_queue_free(&db->marks->queue);
	free(db->marks);
	db->marks = NULL;
}

void
db_mark(Db *db, const Mark *mark, DbAnswerFn done, void *arg)
{
	Waiter *waiter = xmalloc(sizeof(*waiter));
	DbError error;

	waiter->done = done;
	waiter->arg = arg;
	if (!db->is_closing &&
		mark_queue_add(db->marks->queue, mark, waiter, clock_now_us()))
		return;
	free(waiter);
	db_error_set(&error, "unavailable");
	done(arg, &error, NULL);
}

void
db_marks_tick(Db *db)
{
	DbMarks *marks = db->marks;

	if (marks->batch != NULL || db->is_closing)
		return;
	marks->batch = mark_queue_take(marks->queue, clock_now_us(), &marks->count);
	if (marks->batch != NULL)
		submit(db);
}

static void
submit(Db *db)
{
	static const PgReply not_sent = {
		.outcome = PG_NOT_SENT, .sqlstate = "", .message = "", .column = ""
	};
	const DbMarks *marks = db->marks;
	PgRequest request = {
		.statement = DB_MARKS,
		.deadline_us = clock_now_us() + DB_DEADLINE_MS * 1000,
		.is_repeatable = true, /* cursors only grow */
		.done = on_marked,
		.arg = db,
	};

	pg_params_init(&request.params);
	pg_params_array(&request.params, PG_ELEMENT_UUID, marks->count);
	for (const MarkItem *item = marks->batch; item != NULL; item = item->next)
		pg_params_array_uuid(&request.params, &item->mark.actor);
	pg_params_array(&request.params, PG_ELEMENT_UUID, marks->count);
	for (const MarkItem *item = marks->batch; item != NULL; item = item->next)
		pg_params_array_uuid(&request.params, &item->mark.conversation_id);
	number_array(&request.params, marks->batch, marks->count, true);
	number_array(&request.params, marks->batch, marks->count, false);
	if (pg_pool_submit(db->write_pool, &request))
		return;
	pg_params_fini(&request.params);
	on_marked(db, &not_sent);
}

static void
number_array(PgParams *params, const MarkItem *batch, int count, bool is_read)
{
	pg_params_array(params, PG_ELEMENT_INT8, count);
	for (const MarkItem *item = batch; item != NULL; item = item->next)
	{
		int64_t seq = is_read ? item->mark.read_seq : item->mark.delivered_seq;

		if (seq == MARK_NONE)
			pg_params_array_null(params);
		else
			pg_params_array_i64(params, seq);
	}
}

static void
on_marked(void *arg, const PgReply *reply)
{
	Db *db = arg;
	MarkItem *item = db->marks->batch;
	DbError error;

	db->marks->batch = NULL;
	if (reply->outcome == PG_COMMITTED &&
		pg_result_rows(reply->result) != db->marks->count)
	{
		log_error("marks answered another number of rows", "rows=%d items=%d",
				  pg_result_rows(reply->result), db->marks->count);
		abort();
	}
	db_error_from(reply, &error);
	if (reply->outcome == PG_UNKNOWN)
		db_error_set(&error, "unknown_outcome");
	for (int row = 0; item != NULL; row++)
	{
		MarkItem *next = item->next;

		if (reply->outcome == PG_COMMITTED)
			answer_row(item, reply->result, row);
		else
			answer_all(item, &error, NULL);
		mark_item_free(&item);
		item = next;
	}
}

static void
answer_row(const MarkItem *item, const PgResult *result, int row)
{
	char id[UUID_TEXT_LEN + 1];
	DbAnswer answer = { .fields = NULL };
	DbError error;
	size_t len;
	Buf out;

	db_error_set(&error, NULL);
	if (strcmp(pg_result_text(result, row, 1, &len), "ok") != 0)
	{
		db_error_set(&error, db_code(pg_result_text(result, row, 1, &len)));
		db_field_name(pg_result_text(result, row, 5, &len), error.field,
					  sizeof(error.field));
		answer_all(item, &error, NULL);
		return;
	}
	buf_init(&out);
	answer.rev = (uint64_t) pg_result_int(result, row, 4);
	buf_printf(&out,
			   "\"conversationId\":\"%s\",\"readSeq\":%lld,"
			   "\"deliveredSeq\":%lld,\"rev\":%llu",
			   uuid_format(&item->mark.conversation_id, id),
			   (long long) pg_result_int(result, row, 2),
			   (long long) pg_result_int(result, row, 3),
			   (unsigned long long) answer.rev);
	answer.fields = &out;
	answer.content_len = out.len;
	answer_all(item, &error, &answer);
	buf_fini(&out);
}

static void
answer_all(const MarkItem *item, const DbError *error, const DbAnswer *answer)
{
	for (const MarkWaiter *w = item->waiters; w != NULL; w = w->next)
	{
		Waiter *waiter = w->arg;

		waiter->done(waiter->arg, error, answer);
		free(waiter);
	}
}
