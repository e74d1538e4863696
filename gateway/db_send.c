#include "db_send.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "db_private.h"
#include "log.h"
#include "send_queue.h"
#include "xalloc.h"

/* The code of an item as long as nothing final was said. */
#define CODE_OK   "ok"
#define CODE_BUSY "busy"

/* What one batch learned about one item. */
typedef struct ItemAnswer
{
	char code[32];
	char field[32];
	DbSent sent;
} ItemAnswer;

struct DbLane
{
	Db *db;
	int number;
	SendQueue *queue;
	SendItem *batch; /* under way */
	int batch_count;
	int replies_due; /* of send and position */
	bool is_repeat;  /* its fate is unknown: send it again */
	bool is_written; /* answers are of a committed transaction */
	DbError batch_error;
	ItemAnswer *answers; /* SEND_BATCH_MAX */
	Position position;
	DbSendCounts counts;
};

/* Kept in item->arg. */
typedef struct Waiter
{
	DbSentFn done;
	void *arg;
} Waiter;

static void lane_submit(DbLane *lane);
static void on_sent(void *arg, const PgReply *reply);
static void on_position(void *arg, const PgReply *reply);
static void take_answers(DbLane *lane, const PgResult *result);
static void batch_failed(DbLane *lane, const PgReply *reply);
static void batch_done(DbLane *lane);
static void mark_written(DbLane *lane, SendItem *batch);
static void answer(SendItem *take_item, const char *code, const char *field,
				   const DbSent *sent);
static void answer_late(SendItem *take_item);
static bool is_definite(const SendItem *item, const char *code);
static void copy_text(const PgResult *result, int row, int column, char *out,
					  size_t size);

void
db_lanes_open(Db *db)
{
	db->lanes = xcalloc((size_t) db->lane_count, sizeof(db->lanes[0]));
	for (int i = 0; i < db->lane_count; i++)
	{
		DbLane *lane = &db->lanes[i];

		lane->db = db;
		lane->number = i;
		lane->queue = send_queue_new();
		lane->answers = xcalloc(SEND_BATCH_MAX, sizeof(lane->answers[0]));
	}
}

/* After the pool was closed: every batch has been called back. */
void
db_lanes_close(Db *db)
{
	for (int i = 0; i < db->lane_count; i++)
	{
		DbLane *lane = &db->lanes[i];
		SendItem *item = send_queue_expire(lane->queue, INT64_MAX);

		assert(lane->batch == NULL);
		while (item != NULL)
		{
			SendItem *next = item->next;

			answer_late(item);
			item = next;
		}
		send_queue_free(&lane->queue);
		free(lane->answers);
	}
	free(db->lanes);
	db->lanes = NULL;
}

int
db_lanes_load(const Db *db)
{
	int load = 0;

	for (int i = 0; i < db->lane_count; i++)
		load += send_queue_count(db->lanes[i].queue) + db->lanes[i].batch_count;
	return load;
}

void
db_send(Db *db, const DbSend *send, DbSentFn done, void *arg)
{
	DbLane *lane = db_lane_of(db, &send->conversation_id);
	SendItem *item;
	Waiter *waiter;

	if (db_lane_is_full(lane))
	{
		DbError error;

		db_error_set(&error, "unavailable");
		done(arg, &error, NULL);
		return;
	}
	item = xcalloc(1, sizeof(*item) + send->body_len);
	item->actor = send->actor;
	item->conversation_id = send->conversation_id;
	item->client_msg_id = send->client_msg_id;
	item->deadline_us = clock_now_us() + DB_DEADLINE_MS * 1000;
	item->reply_to = send->reply_to;
	item->body_len = (uint32_t) send->body_len;
	memcpy(item->body, send->body, send->body_len);
	if (send->trace != NULL)
		strncat(item->trace, send->trace, sizeof(item->trace) - 1);
	waiter = xmalloc(sizeof(*waiter));
	waiter->done = done;
	waiter->arg = arg;
	item->arg = waiter;
	send_queue_add(lane->queue, item);
	db_lane_turn(lane);
}

void
db_send_tick(Db *db)
{
	int64_t now_us = clock_now_us();

	db_marks_tick(db);
	for (int i = 0; i < db->lane_count; i++)
	{
		DbLane *lane = &db->lanes[i];
		SendItem *late;

		if (send_queue_count(lane->queue) == 0)
			continue;
		late = send_queue_expire(lane->queue, now_us);
		while (late != NULL)
		{
			SendItem *next = late->next;

			answer_late(late);
			late = next;
		}
		db_lane_turn(lane);
	}
}

DbSendCounts
db_send_counts(const Db *db)
{
	DbSendCounts sum = { 0 };

	for (int i = 0; i < db->lane_count; i++)
	{
		const DbSendCounts *counts = &db->lanes[i].counts;

		sum.batches += counts->batches;
		sum.sends += counts->sends;
		sum.busy += counts->busy;
		sum.repeated += counts->repeated;
	}
	return sum;
}

DbLane *
db_lane_of(Db *db, const Uuid *key)
{
	return &db->lanes[uuid_hash(key) % (uint64_t) db->lane_count];
}

Db *
db_lane_db(const DbLane *lane)
{
	return lane->db;
}

SendQueue *
db_lane_queue(DbLane *lane)
{
	return lane->queue;
}

bool
db_lane_is_full(const DbLane *lane)
{
	return lane->db->is_closing ||
		   send_queue_count(lane->queue) >=
			   lane->db->config.send_queue_max / lane->db->lane_count;
}

SendItem *
db_lane_batch(const DbLane *lane)
{
	return lane->batch;
}

/* The next batch when none is under way, and whatever else may go. */
void
db_lane_turn(DbLane *lane)
{
	if (lane->db->is_closing)
		return;
	if (lane->batch == NULL)
	{
		lane->batch =
			send_queue_take(lane->queue, clock_now_us(), &lane->batch_count);
		if (lane->batch != NULL)
			lane_submit(lane);
	}
	db_write_turn(lane);
}

static void
lane_submit(DbLane *lane)
{
	int count = lane->batch_count;
	SendItem *first = lane->batch;
	SendItem *item;
	PgRequest send = { .statement = DB_SEND, .done = on_sent, .arg = lane };
	PgRequest position = { .statement = DB_POSITION,
						   .done = on_position,
						   .arg = lane };
	PgParams *params = &send.params;

	assert(first != NULL);
	pg_params_init(params);
	pg_params_array(params, PG_ELEMENT_UUID, count);
	for (item = first; item != NULL; item = item->next)
		pg_params_array_uuid(params, &item->actor);
	pg_params_array(params, PG_ELEMENT_UUID, count);
	for (item = first; item != NULL; item = item->next)
		pg_params_array_uuid(params, &item->conversation_id);
	pg_params_array(params, PG_ELEMENT_UUID, count);
	for (item = first; item != NULL; item = item->next)
		pg_params_array_uuid(params, &item->client_msg_id);
	pg_params_array(params, PG_ELEMENT_TEXT, count);
	for (item = first; item != NULL; item = item->next)
		pg_params_array_text(params, item->body, item->body_len);
	pg_params_array(params, PG_ELEMENT_TEXT, count);
	for (item = first; item != NULL; item = item->next)
	{
		if (item->trace[0] != '\0')
			pg_params_array_text(params, item->trace, strlen(item->trace));
		else
			pg_params_array_null(params);
	}

	pg_params_array(params, PG_ELEMENT_INT8, count);
	for (item = first; item != NULL; item = item->next)
	{
		if (item->reply_to > 0)
			pg_params_array_i64(params, item->reply_to);
		else
			pg_params_array_null(params);
	}

	/* The oldest item's: the connection gives up no later than its client. */
	send.deadline_us = first->deadline_us;
	position.deadline_us = first->deadline_us;
	pg_params_init(&position.params);
	lane->is_repeat = false;
	lane->is_written = false;
	memset(lane->answers, 0, (size_t) count * sizeof(lane->answers[0]));
	db_error_set(&lane->batch_error, NULL);
	lane->counts.batches++;
	lane->counts.sends += (uint64_t) count;

	/* Two into an empty queue: the pool's bound cannot be reached. */
	lane->replies_due = 2;
	if (!pg_pool_submit_lane(lane->db->pool, lane->number, &send))
		abort();
	if (!pg_pool_submit_lane(lane->db->pool, lane->number, &position))
		abort();
}

static void
on_sent(void *arg, const PgReply *reply)
{
	DbLane *lane = arg;

	if (reply->outcome == PG_COMMITTED)
		take_answers(lane, reply->result);
	else
		batch_failed(lane, reply);
	if (--lane->replies_due == 0)
		batch_done(lane);
}

/* Without a position nobody gets `ok`: the repeat is a duplicate with one. */
static void
on_position(void *arg, const PgReply *reply)
{
	DbLane *lane = arg;

	if (reply->outcome == PG_COMMITTED)
		db_position_from(reply->result, 0, 0, &lane->position);
	else if (lane->batch_error.code == NULL)
		lane->is_repeat = true;
	if (--lane->replies_due == 0)
		batch_done(lane);
}

static void
take_answers(DbLane *lane, const PgResult *result)
{
	int rows = pg_result_rows(result);
	SendItem *item = lane->batch;

	if (rows != lane->batch_count)
	{
		log_error("send_messages answered another number of rows",
				  "rows=%d items=%d", rows, lane->batch_count);
		abort();
	}
	lane->is_written = true;
	for (int i = 0; i < rows; i++, item = item->next)
	{
		ItemAnswer *answer = &lane->answers[i];

		copy_text(result, i, 1, answer->code, sizeof(answer->code));
		copy_text(result, i, 2, answer->field, sizeof(answer->field));
		if (strcmp(answer->code, CODE_OK) != 0)
			continue;
		answer->sent.id = pg_result_uuid(result, i, 3);
		answer->sent.seq = (uint64_t) pg_result_i64(result, i, 4);
		answer->sent.ev = (uint64_t) pg_result_i64(result, i, 5);
		answer->sent.rev = (uint64_t) pg_result_i64(result, i, 6);
		answer->sent.created_us = pg_result_time_us(result, i, 7);
		answer->sent.is_duplicate = pg_result_bool(result, i, 8);
	}
}

static void
batch_failed(DbLane *lane, const PgReply *reply)
{
	bool was_sent = reply->outcome == PG_UNKNOWN;

	/* A server that goes down, a plan out of date, a lost race: again. */
	if (reply->outcome != PG_REFUSED ||
		strncmp(reply->sqlstate, "57P", 3) == 0 ||
		strncmp(reply->sqlstate, "40", 2) == 0 ||
		strcmp(reply->sqlstate, "55P03") == 0 ||
		strcmp(reply->sqlstate, "0A000") == 0 ||
		strcmp(reply->sqlstate, "26000") == 0)
		lane->is_repeat = true;
	else
		db_error_from(reply, &lane->batch_error);
	for (SendItem *item = lane->batch; item != NULL; item = item->next)
		item->was_sent = item->was_sent || was_sent;
}

static void
batch_done(DbLane *lane)
{
	SendItem *item = lane->batch;
	SendItem *again = NULL;
	SendItem **again_end = &again;
	int64_t now_us = clock_now_us();
	char position[POSITION_TEXT_SIZE];

	lane->batch = NULL;
	lane->batch_count = 0;
	position_format(&lane->position, position);
	if (lane->is_repeat)
	{
		lane->counts.repeated++;
		if (lane->is_written)
			mark_written(lane, item);
		send_queue_put_back(lane->queue, item, now_us);
		return; /* the next tick; after a reconnect */
	}
	for (int i = 0; item != NULL; i++)
	{
		SendItem *next = item->next;
		ItemAnswer *got = &lane->answers[i];
		const char *code =
			lane->batch_error.code ? lane->batch_error.code : got->code;

		item->next = NULL;
		if (strcmp(code, CODE_BUSY) == 0 && item->deadline_us > now_us)
		{
			lane->counts.busy++;
			item->was_busy = true;
			*again_end = item;
			again_end = &item->next;
		}
		else if (strcmp(code, CODE_OK) == 0)
		{
			got->sent.position = position;
			send_queue_passed(lane->queue, &item->conversation_id);
			if (lane->db->config.on_committed != NULL &&
				!got->sent.is_duplicate)
				lane->db->config.on_committed(lane->db->config.arg,
											  &item->conversation_id,
											  got->sent.ev);
			answer(item, NULL, "", &got->sent);
		}
		else
			answer(item, is_definite(item, code) ? code : "unknown_outcome",
				   got->field, NULL);
		item = next;
	}
	send_queue_put_back(lane->queue, again, now_us);
	db_lane_turn(lane);
}

/* Committed, but the position could not be had. */
static void
mark_written(DbLane *lane, SendItem *batch)
{
	SendItem *item = batch;

	for (int i = 0; item != NULL; i++, item = item->next)
		item->was_sent =
			item->was_sent || strcmp(lane->answers[i].code, CODE_OK) == 0;
}

/*
 * May this refusal be told as final?  Not when an earlier try may have
 * written the message and the actor lost her right since.
 */
static bool
is_definite(const SendItem *item, const char *code)
{
	return !item->was_sent || strcmp(code, "idempotency_mismatch") == 0;
}

static void
answer(SendItem *take_item, const char *code, const char *field,
	   const DbSent *sent)
{
	Waiter *waiter = take_item->arg;
	DbError error;

	db_error_set(&error, code);
	db_field_name(field, error.field, sizeof(error.field));
	waiter->done(waiter->arg, &error, sent);
	free(waiter);
	free(take_item);
}

static void
answer_late(SendItem *take_item)
{
	const char *code = take_item->was_sent   ? "unknown_outcome"
					   : take_item->was_busy ? "busy"
											 : "unavailable";

	if (take_item->is_call)
		db_write_late(take_item, code);
	else
		answer(take_item, code, "", NULL);
}

static void
copy_text(const PgResult *result, int row, int column, char *out, size_t size)
{
	size_t len;

	out[0] = '\0';
	strncat(out, pg_result_text(result, row, column, &len), size - 1);
}
