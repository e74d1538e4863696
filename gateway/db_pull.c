#include <stdlib.h>
#include <string.h>

#include "db.h"
#include "db_private.h"
#include "xalloc.h"

#define QUESTIONS 2 /* at a time */

/* One conversation that is waited for. */
typedef struct Pull
{
	struct Pull *next;
	Uuid conversation_id;
	uint64_t after_ev;
	DbPulledFn done;
	void *arg;
} Pull;

struct DbPulls
{
	Pull *first;
	Pull **end;
	int max_rows;
	int under_way;
};

/* One question. */
typedef struct PullAsk
{
	Db *db;
	Pull *pulls;
} PullAsk;

static void ask(Db *db);
static void on_changes(void *arg, const PgReply *reply);
static void answer_rows(PullAsk *ask, const PgResult *result);
static Pull *take(PullAsk *ask, const Uuid *conversation_id);
static void answer(Pull *pull, const Pulled *pulled);

void
db_pulls_open(Db *db)
{
	db->pulls = xcalloc(1, sizeof(*db->pulls));
	db->pulls->end = &db->pulls->first;
}

void
db_pulls_close(Db *db)
{
	Pull *pull;

	while ((pull = db->pulls->first) != NULL)
	{
		db->pulls->first = pull->next;
		free(pull);
	}
	free(db->pulls);
}

void
db_live_changes(Db *db, const Uuid *conversation_id, uint64_t after_ev,
				int max_rows, DbPulledFn done, void *arg)
{
	Pull *pull = xcalloc(1, sizeof(*pull));

	pull->conversation_id = *conversation_id;
	pull->after_ev = after_ev;
	pull->done = done;
	pull->arg = arg;
	*db->pulls->end = pull;
	db->pulls->end = &pull->next;
	db->pulls->max_rows = max_rows;
	ask(db);
}

/* All that wait, in one question. */
static void
ask(Db *db)
{
	DbPulls *pulls = db->pulls;
	PullAsk *question;
	PgParams params;
	Pull **link;
	int count = 0;

	if (pulls->under_way == QUESTIONS || pulls->first == NULL || db->is_closing)
		return;
	question = xcalloc(1, sizeof(*question));
	question->db = db;
	question->pulls = pulls->first;
	for (link = &pulls->first; *link != NULL && count < DB_PULLS_MAX; count++)
		link = &(*link)->next;
	pulls->first = *link;
	*link = NULL;
	if (pulls->first == NULL)
		pulls->end = &pulls->first;

	pg_params_init(&params);
	pg_params_array(&params, PG_ELEMENT_UUID, count);
	for (const Pull *pull = question->pulls; pull != NULL; pull = pull->next)
		pg_params_array_uuid(&params, &pull->conversation_id);
	pg_params_array(&params, PG_ELEMENT_INT8, count);
	for (const Pull *pull = question->pulls; pull != NULL; pull = pull->next)
		pg_params_array_i64(&params, (int64_t) pull->after_ev);
	pg_params_i32(&params, pulls->max_rows);
	pulls->under_way++;
	if (!db_read(db, DB_LIVE_CHANGES, &params, on_changes, question))
	{
		PgReply not_sent = {
			.outcome = PG_NOT_SENT, .sqlstate = "", .message = "", .column = ""
		};

		on_changes(question, &not_sent);
	}
}

static void
on_changes(void *arg, const PgReply *reply)
{
	PullAsk *question = arg;
	Db *db = question->db;
	Pull *pull;

	if (reply->outcome == PG_COMMITTED)
		answer_rows(question, reply->result);
	else
	{
		DbError error;

		db_error_from(reply, &error);
	}
	db->pulls->under_way--;

	/* Those without an answer: what is asked for again is asked then. */
	while ((pull = question->pulls) != NULL)
	{
		Pulled pulled = { .conversation_id = pull->conversation_id,
						  .after_ev = pull->after_ev,
						  .is_failed = true,
						  .is_left_out = reply->outcome == PG_COMMITTED,
						  .events = "[]",
						  .events_len = 2,
						  .position = "" };

		question->pulls = pull->next;
		answer(pull, &pulled);
	}
	free(question);
	ask(db);
}

static void
answer_rows(PullAsk *question, const PgResult *result)
{
	char text[POSITION_TEXT_SIZE] = "";

	for (int i = 0; i < pg_result_rows(result); i++)
	{
		Pulled pulled = { .conversation_id = pg_result_uuid(result, i, 3),
						  .after_ev = (uint64_t) pg_result_i64(result, i, 4),
						  .position = text };
		Pull *pull = take(question, &pulled.conversation_id);
		const char *status;
		Position position;
		size_t len;

		if (pull == NULL)
			continue;
		if (text[0] == '\0')
		{
			db_position_from(result, i, 0, &position);
			position_format(&position, text);
		}
		status = pg_result_text(result, i, 5, &len);
		pulled.is_reset = strcmp(status, "reset") == 0;
		pulled.is_failed = !pulled.is_reset && strcmp(status, "ok") != 0;
		pulled.upto = (uint64_t) pg_result_i64(result, i, 6);
		pulled.head = (uint64_t) pg_result_i64(result, i, 7);
		pulled.events = pg_result_text(result, i, 8, &pulled.events_len);
		answer(pull, &pulled);
	}
}

/* Rows come in the order of the question: it is the first, but for a bug. */
static Pull *
take(PullAsk *question, const Uuid *conversation_id)
{
	for (Pull **link = &question->pulls; *link != NULL; link = &(*link)->next)
	{
		Pull *pull = *link;

		if (!uuid_equal(&pull->conversation_id, conversation_id))
			continue;
		*link = pull->next;
		return pull;
	}
	return NULL;
}

static void
answer(Pull *pull, const Pulled *pulled)
{
	DbPulledFn done = pull->done;
	void *arg = pull->arg;

	free(pull);
	done(arg, pulled);
}
