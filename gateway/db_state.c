#include <stdlib.h>
#include <string.h>

#include "db.h"
#include "db_private.h"
#include "xalloc.h"

typedef struct StateAsk
{
	DbStatesFn states_done;
	DbAudienceFn audience_done;
	void *arg;
} StateAsk;

static StateAsk *ask_new(DbStatesFn states_done, DbAudienceFn audience_done,
						 void *arg);
static void add_ids(PgParams *params, const Uuid *ids, int count);
static void on_states(void *arg, const PgReply *reply);
static void on_audience(void *arg, const PgReply *reply);

static const PgReply not_sent = {
	.outcome = PG_NOT_SENT, .sqlstate = "", .message = "", .column = ""
};

void
db_live_states(Db *db, const DbStatesAsk *ask, DbStatesFn done, void *arg)
{
	StateAsk *question = ask_new(done, NULL, arg);
	PgParams params;

	pg_params_init(&params);
	add_ids(&params, ask->users, ask->user_count);
	add_ids(&params, ask->conversations, ask->conversation_count);
	if (ask->since != NULL)
		pg_params_text(&params, ask->since, strlen(ask->since));
	else
		pg_params_null(&params);
	if (ask->channel >= 0)
		pg_params_i32(&params, ask->channel);
	else
		pg_params_null(&params);
	pg_params_i32(&params, ask->members_max);
	if (!db_read(db, DB_LIVE_STATES, &params, on_states, question))
		on_states(question, &not_sent);
}

void
db_live_audience(Db *db, const Uuid *users, int user_count,
				 const Uuid *conversations, int conversation_count,
				 int members_max, DbAudienceFn done, void *arg)
{
	StateAsk *question = ask_new(NULL, done, arg);
	PgParams params;

	pg_params_init(&params);
	add_ids(&params, users, user_count);
	add_ids(&params, conversations, conversation_count);
	pg_params_i32(&params, members_max);
	if (!db_read(db, DB_LIVE_AUDIENCE, &params, on_audience, question))
		on_audience(question, &not_sent);
}

static StateAsk *
ask_new(DbStatesFn states_done, DbAudienceFn audience_done, void *arg)
{
	StateAsk *question = xcalloc(1, sizeof(*question));

	question->states_done = states_done;
	question->audience_done = audience_done;
	question->arg = arg;
	return question;
}

static void
add_ids(PgParams *params, const Uuid *ids, int count)
{
	pg_params_array(params, PG_ELEMENT_UUID, count);
	for (int i = 0; i < count; i++)
		pg_params_array_uuid(params, &ids[i]);
}

static void
on_states(void *arg, const PgReply *reply)
{
	StateAsk *question = arg;
	const PgResult *result = reply->result;
	StateRow *rows;
	size_t count = 0;
	size_t len;
	DbError error;

	if (reply->outcome != PG_COMMITTED)
	{
		db_error_from(reply, &error);
		question->states_done(question->arg, NULL, 0, NULL, 0);
		free(question);
		return;
	}
	rows = xcalloc((size_t) pg_result_rows(result) + 1, sizeof(*rows));
	for (int i = 0; i < pg_result_rows(result); i++)
	{
		StateRow *row = &rows[count];

		if (pg_result_is_null(result, i, 2))
			continue; /* nothing but the mark */
		row->target = (StateTarget) pg_result_text(result, i, 2, &len)[0];
		row->target_id = pg_result_uuid(result, i, 3);
		row->kind = (uint8_t) pg_result_text(result, i, 4, &len)[0];
		row->key = pg_result_uuid(result, i, 5);
		row->id = pg_result_uuid(result, i, 6);
		row->rev = (uint64_t) pg_result_i64(result, i, 7);
		row->json.at = pg_result_text(result, i, 8, &row->json.len);
		count++;
	}
	question->states_done(question->arg, rows, count,
						  pg_result_text(result, 0, 0, &len),
						  (uint64_t) pg_result_i64(result, 0, 1));
	free(rows);
	free(question);
}

static void
on_audience(void *arg, const PgReply *reply)
{
	StateAsk *question = arg;
	const PgResult *result = reply->result;
	AudienceRow *rows;
	DbError error;
	int count;

	if (reply->outcome != PG_COMMITTED)
	{
		db_error_from(reply, &error);
		question->audience_done(question->arg, NULL, 0);
		free(question);
		return;
	}
	count = pg_result_rows(result);
	rows = xcalloc((size_t) count + 1, sizeof(*rows));
	for (int i = 0; i < count; i++)
	{
		rows[i].has_user = !pg_result_is_null(result, i, 0);
		if (rows[i].has_user)
			rows[i].user_id = pg_result_uuid(result, i, 0);
		rows[i].conversation_id = pg_result_uuid(result, i, 1);
	}
	question->audience_done(question->arg, rows, (size_t) count);
	free(rows);
	free(question);
}
