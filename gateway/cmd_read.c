/*
 * cmd_read - heads, changes, history, users
 *
 * Each is one function of the database whose answer is JSON already.
 */
#include <string.h>

#include "command.h"
#include "frames.h"

#define CHANGES_ROWS     200
#define CHANGES_ROWS_MAX 500
#define HISTORY_ROWS     50
#define HISTORY_ROWS_MAX 200
#define USERS_MAX        200
#define EV_MAX           ((INT64_C(1) << 53) - 1)

static Request *begin(const CommandArgs *args);
static void answer(Request *request, const char *type, const DbError *error,
				   const Buf *fields);
static void on_heads(void *arg, const DbError *error, const Buf *fields);
static void on_changes(void *arg, const DbError *error, const Buf *fields);
static void on_history(void *arg, const DbError *error, const Buf *fields);
static void on_users(void *arg, const DbError *error, const Buf *fields);

void
cmd_heads(const CommandArgs *args)
{
	Request *request = begin(args);

	if (request != NULL)
		db_heads(args->chat->db, &session_user(args->session)->id, on_heads,
				 request);
}

void
cmd_changes(const CommandArgs *args)
{
	Uuid conversation_id;
	json_int_t after_ev;
	json_int_t max_rows;
	Request *request;

	if (!command_uuid(args, "conversationId", &conversation_id) ||
		!command_number(args, "afterEv", 0, EV_MAX, -1, &after_ev) ||
		!command_number(args, "maxRows", 1, CHANGES_ROWS_MAX, CHANGES_ROWS,
						&max_rows))
		return;
	request = begin(args);
	if (request != NULL)
		db_changes(args->chat->db, &session_user(args->session)->id,
				   &conversation_id, after_ev, (int) max_rows, on_changes,
				   request);
}

void
cmd_history(const CommandArgs *args)
{
	Uuid conversation_id;
	json_int_t before_seq;
	json_int_t max_rows;
	Request *request;

	if (!command_uuid(args, "conversationId", &conversation_id) ||
		!command_number(args, "beforeSeq", 1, EV_MAX, 0, &before_seq) ||
		!command_number(args, "maxRows", 1, HISTORY_ROWS_MAX, HISTORY_ROWS,
						&max_rows))
		return;
	request = begin(args);
	if (request != NULL)
		db_history(args->chat->db, &session_user(args->session)->id,
				   &conversation_id, before_seq, (int) max_rows, on_history,
				   request);
}

void
cmd_users(const CommandArgs *args)
{
	const json_t *list = json_object_get(args->frame, "ids");
	Uuid ids[USERS_MAX];
	size_t count = json_array_size(list);
	Request *request;

	if (list != NULL && !json_is_array(list))
	{
		command_refuse(args->chat, args->session, args->ref, "bad_frame",
					   "ids");
		return;
	}
	if (count < 1 || count > USERS_MAX)
	{
		command_refuse(args->chat, args->session, args->ref,
					   count > USERS_MAX ? "too_large" : "invalid_argument",
					   "ids");
		return;
	}
	for (size_t i = 0; i < count; i++)
	{
		const json_t *id = json_array_get(list, i);

		if (!json_is_string(id) ||
			!uuid_parse(json_string_value(id), json_string_length(id), &ids[i]))
		{
			command_refuse(args->chat, args->session, args->ref,
						   json_is_string(id) ? "invalid_argument"
											  : "bad_frame",
						   "ids");
			return;
		}
	}
	request = begin(args);
	if (request != NULL)
		db_users(args->chat->db, &session_user(args->session)->id, ids,
				 (int) count, on_users, request);
}

static Request *
begin(const CommandArgs *args)
{
	Request *request = command_begin(args->chat, args->session, args->ref);

	if (request != NULL)
		request->detail = args->chat;
	return request;
}

static void
answer(Request *request, const char *type, const DbError *error,
	   const Buf *fields)
{
	Payload *frame = NULL;

	if (fields != NULL && request->session != NULL)
		frame = frame_answer(request->ref, type, fields);
	command_answer(request->detail, request, error, frame);
}

static void
on_heads(void *arg, const DbError *error, const Buf *fields)
{
	answer(arg, "heads", error, fields);
}

static void
on_changes(void *arg, const DbError *error, const Buf *fields)
{
	answer(arg, "changes", error, fields);
}

static void
on_history(void *arg, const DbError *error, const Buf *fields)
{
	answer(arg, "history", error, fields);
}

static void
on_users(void *arg, const DbError *error, const Buf *fields)
{
	answer(arg, "users", error, fields);
}
