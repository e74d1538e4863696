#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "db.h"
#include "db_private.h"
#include "xalloc.h"

/* What waits in a lane's queue as a call. */
typedef struct Write
{
	DbLane *lane;
	const Verb *verb;
	Uuid actor;
	DbEcho echo;
	PgParams params; /* kept for another try */
	DbAnswerFn done;
	void *arg;
} Write;

static void submit(SendItem *call);
static void on_written(void *arg, const PgReply *reply);
static void committed(const Write *write, const PgResult *result,
					  const DbAnswer *answer);
static bool is_worth_another_try(const PgReply *reply);
static void finish(SendItem *take_call, const DbError *error,
				   const DbAnswer *answer);

void
db_write(Db *db, const Verb *verb, const Uuid *actor, const VerbValues *values,
		 PgParams *take_params, const char *trace, DbAnswerFn done, void *arg)
{
	DbError error;
	DbEcho echo;
	DbLane *lane;
	SendItem *item;
	Write *write;

	db_echo_from(&echo, verb, values);
	lane =
		db_lane_of(db, echo.has_conversation ? &echo.conversation_id : actor);
	if (db_lane_is_full(lane))
	{
		pg_params_fini(take_params);
		db_error_set(&error, "unavailable");
		done(arg, &error, NULL);
		return;
	}
	write = xcalloc(1, sizeof(*write));
	write->lane = lane;
	write->verb = verb;
	write->actor = *actor;
	write->echo = echo;
	write->params = *take_params;
	write->done = done;
	write->arg = arg;
	item = xcalloc(1, sizeof(*item));
	item->is_call = true;
	item->conversation_id =
		echo.has_conversation ? echo.conversation_id : *actor;
	item->deadline_us = clock_now_us() + DB_DEADLINE_MS * 1000;
	if (trace != NULL)
		strncat(item->trace, trace, sizeof(item->trace) - 1);
	item->arg = write;
	send_queue_add(db_lane_queue(lane), item);
	db_lane_turn(lane);
}

void
db_write_turn(DbLane *lane)
{
	SendItem *call;

	while ((call = send_queue_take_call(db_lane_queue(lane),
										db_lane_batch(lane), clock_now_us())) !=
		   NULL)
		submit(call);
}

void
db_write_late(SendItem *take_item, const char *code)
{
	DbError error;

	db_error_set(&error, code);
	finish(take_item, &error, NULL);
}

static void
submit(SendItem *call)
{
	Write *write = call->arg;
	Db *db = db_lane_db(write->lane);
	PgRequest request = {
		.statement = (int) DB_VERBS + verb_index(write->verb),
		.local_name = call->trace[0] != '\0' ? "chemchat.traceparent" : NULL,
		.local_value = call->trace,
		.deadline_us = call->deadline_us,
		.done = on_written,
		.arg = call,
	};

	pg_params_copy(&write->params, &request.params);
	if (pg_pool_submit(db->write_pool, &request))
		return;
	pg_params_fini(&request.params);
	send_queue_call_ended(db_lane_queue(write->lane), call);
	db_write_late(call, "unavailable");
}

static void
on_written(void *arg, const PgReply *reply)
{
	SendItem *call = arg;
	Write *write = call->arg;
	DbLane *lane = write->lane;
	SendQueue *queue = db_lane_queue(lane);
	DbAnswer answer;
	DbError error;
	Buf out;

	if (reply->outcome == PG_REFUSED && is_worth_another_try(reply) &&
		!db_lane_db(lane)->is_closing && call->deadline_us > clock_now_us())
	{
		call->was_busy = true; /* rests */
		send_queue_put_back(queue, call, clock_now_us());
		return; /* the next tick */
	}
	send_queue_call_ended(queue, call);
	if (reply->outcome == PG_COMMITTED)
	{
		send_queue_passed(queue, &call->conversation_id);
		db_error_set(&error, NULL);
		buf_init(&out);
		db_answer_write(write->verb, &write->echo, reply->result, &out,
						&answer);
		committed(write, reply->result, &answer);
		finish(call, &error, &answer);
		buf_fini(&out);
	}
	else
	{
		db_error_from(reply, &error);
		if (reply->outcome == PG_UNKNOWN)
			db_error_set(&error, "unknown_outcome");
		finish(call, &error, NULL);
	}
	db_lane_turn(lane);
}

/* Who shows it to others hears of it first, whoever is asked to poll. */
static void
committed(const Write *write, const PgResult *result, const DbAnswer *answer)
{
	const DbConfig *config = &db_lane_db(write->lane)->config;
	int ev = db_column(write->verb, "ev");
	int id = db_column(write->verb, "conversationId");
	Uuid conversation_id = write->echo.conversation_id;

	if (answer->is_duplicate || pg_result_rows(result) == 0)
		return;
	if (id >= 0)
		conversation_id = pg_result_uuid(result, 0, id);
	if (ev >= 0 && config->on_committed != NULL &&
		!pg_result_is_null(result, 0, ev))
		config->on_committed(config->arg, &conversation_id,
							 (uint64_t) pg_result_int(result, 0, ev));
	if ((write->verb->flags & VERB_JOINS) && config->on_joined != NULL)
		config->on_joined(config->arg, &write->actor);
}

/* Nothing was done: somebody held the row, or the server is going. */
static bool
is_worth_another_try(const PgReply *reply)
{
	return strcmp(reply->sqlstate, "55P03") == 0 ||
		   strcmp(reply->sqlstate, "40P01") == 0 ||
		   strcmp(reply->sqlstate, "40001") == 0 ||
		   strcmp(reply->sqlstate, "0A000") == 0 ||
		   strcmp(reply->sqlstate, "26000") == 0 ||
		   strncmp(reply->sqlstate, "57P", 3) == 0;
}

static void
finish(SendItem *take_call, const DbError *error, const DbAnswer *answer)
{
	Write *write = take_call->arg;

	write->done(write->arg, error, answer);
	pg_params_fini(&write->params);
	free(write);
	free(take_call);
}
