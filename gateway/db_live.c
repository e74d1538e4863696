#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "db.h"
#include "db_private.h"
#include "log.h"
#include "xalloc.h"

/* A question of the gateway itself. */
typedef struct Ask
{
	DbHeadRowsFn rows_done;
	DbStatusFn status_done;
	void *arg;
	int channel;
	int64_t asked_us;
	int user_count;
	Uuid users[];
} Ask;

static Ask *ask_new(int user_count, void *arg);
static void on_heads(void *arg, const PgReply *reply);
static void on_status(void *arg, const PgReply *reply);
static const PgReply not_sent = {
	.outcome = PG_NOT_SENT, .sqlstate = "", .message = "", .column = ""
};

void
db_live_heads(Db *db, const Uuid *users, int count, int channel,
			  DbHeadRowsFn done, void *arg)
{
	Ask *ask = ask_new(count, arg);
	PgParams params;

	ask->rows_done = done;
	ask->channel = channel;
	if (count > 0)
		memcpy(ask->users, users, (size_t) count * sizeof(users[0]));
	pg_params_init(&params);
	pg_params_array(&params, PG_ELEMENT_UUID, count);
	for (int i = 0; i < count; i++)
		pg_params_array_uuid(&params, &users[i]);
	if (channel >= 0)
		pg_params_i32(&params, channel);
	else
		pg_params_null(&params);
	if (!db_read(db, DB_LIVE_HEADS, &params, on_heads, ask))
		on_heads(ask, &not_sent);
}

void
db_position_status(Db *db, const Position *position, DbStatusFn done, void *arg)
{
	Ask *ask = ask_new(0, arg);
	char system_id[24];
	PgParams params;

	ask->status_done = done;
	snprintf(system_id, sizeof(system_id), "%llu",
			 (unsigned long long) position->system_id);
	pg_params_init(&params);
	pg_params_text(&params, system_id, strlen(system_id));
	pg_params_i32(&params, (int32_t) position->timeline);
	pg_params_i64(&params, (int64_t) position->lsn);
	if (!db_read(db, DB_POSITION_STATUS, &params, on_status, ask))
		on_status(ask, &not_sent);
}

static Ask *
ask_new(int user_count, void *arg)
{
	Ask *ask =
		xcalloc(1, sizeof(*ask) + (size_t) user_count * sizeof(ask->users[0]));

	ask->arg = arg;
	ask->user_count = user_count;
	ask->asked_us = clock_now_us();
	return ask;
}

static void
on_heads(void *arg, const PgReply *reply)
{
	Ask *ask = arg;
	DbError error;
	HeadRows rows = {
		.users = ask->users,
		.user_count = (size_t) ask->user_count,
		.channel = ask->channel,
		.asked_us = ask->asked_us,
	};
	HeadRow *row = NULL;
	Position position;
	int count;

	if (reply->outcome != PG_COMMITTED)
	{
		db_error_from(reply, &error);
		ask->rows_done(ask->arg, &error, NULL, NULL);
		free(ask);
		return;
	}
	count = pg_result_rows(reply->result);
	row = xcalloc((size_t) count + 1, sizeof(*row));
	rows.rows = row;
	db_position_from(reply->result, 0, 0, &position);
	for (int i = 0; i < count; i++)
	{
		if (pg_result_is_null(reply->result, i, 3))
			continue; /* none of the users exists */
		row->user_id = pg_result_uuid(reply->result, i, 3);
		row->has_conversation = !pg_result_is_null(reply->result, i, 4);
		if (row->has_conversation)
		{
			row->conversation_id = pg_result_uuid(reply->result, i, 4);
			row->ev = (uint64_t) pg_result_i64(reply->result, i, 5);
			row->seq = (uint64_t) pg_result_i64(reply->result, i, 6);
		}
		row++;
		rows.row_count++;
	}
	db_error_set(&error, NULL);
	ask->rows_done(ask->arg, &error, &rows, &position);
	free((HeadRow *) (uintptr_t) rows.rows);
	free(ask);
}

static void
on_status(void *arg, const PgReply *reply)
{
	Ask *ask = arg;
	DbError error;
	bool is_reset = false;

	db_error_set(&error, NULL);
	if (reply->outcome == PG_COMMITTED && pg_result_rows(reply->result) == 1)
	{
		size_t len;

		is_reset =
			strcmp(pg_result_text(reply->result, 0, 0, &len), "same") != 0;
	}
	else
		db_error_from(reply, &error);
	ask->status_done(ask->arg, &error, is_reset);
	free(ask);
}
