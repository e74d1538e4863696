#include "command.h"
#include "frames.h"

static int64_t number_of(const VerbValue *value);
static void on_marked(void *arg, const DbError *error, const DbAnswer *answer);

void
cmd_mark(const CommandArgs *args)
{
	Mark mark = {
		.actor = session_user(args->session)->id,
		.conversation_id = command_value(args, "conversationId")->uuid,
		.read_seq = number_of(command_value(args, "readSeq")),
		.delivered_seq = number_of(command_value(args, "deliveredSeq")),
	};
	Request *request;

	if (mark.read_seq == MARK_NONE && mark.delivered_seq == MARK_NONE)
	{
		command_refuse(args->chat, args->session, args->ref, "invalid_argument",
					   "readSeq");
		return;
	}
	request = command_begin(args);
	if (request != NULL)
		db_mark(args->chat->db, &mark, on_marked, request);
}

static int64_t
number_of(const VerbValue *value)
{
	return value->is_set ? value->number : MARK_NONE;
}

static void
on_marked(void *arg, const DbError *error, const DbAnswer *answer)
{
	Request *request = arg;
	Payload *frame = NULL;

	if (answer != NULL && request->session != NULL)
		frame = frame_answer(request->ref, "done", answer->fields);
	command_answer(request->detail, request, error, frame);
}
