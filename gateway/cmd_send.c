#include "clock.h"
#include "command.h"
#include "db_send.h"
#include "frames.h"

static void on_sent(void *arg, const DbError *error, const DbSent *sent);

void
cmd_send(const CommandArgs *args)
{
	Chat *chat = args->chat;
	Session *session = args->session;
	const VerbValue *body = command_value(args, "body");
	const VerbValue *reply_to = command_value(args, "replyTo");
	const VerbValue *trace = command_value(args, "traceparent");
	DbSend send = {
		.actor = session_user(session)->id,
		.conversation_id = command_value(args, "conversationId")->uuid,
		.client_msg_id = command_value(args, "clientMsgId")->uuid,
		.body = body->text,
		.body_len = body->len,
		.reply_to = reply_to->is_set ? reply_to->number : 0,
		.trace = trace->text,
	};
	UserLimit *limit =
		user_limits_of(chat->limits, &send.actor, clock_now_us());
	int64_t retry_ms;
	Request *request;

	if (trace->is_set && !verb_is_traceparent(trace->text, trace->len))
	{
		command_refuse(chat, session, args->ref, "invalid_argument",
					   "traceparent");
		return;
	}
	if (!rate_limit_take(&limit->sends, &chat->send_rule, clock_now_us(),
						 &retry_ms))
	{
		chat->counts.refused++;
		chat->counts.rate_limited++;
		session_send(session,
					 frame_error(args->ref, "rate_limited", "", retry_ms));
		return;
	}
	request = command_begin(args);
	if (request != NULL)
		db_send(chat->db, &send, on_sent, request);
}

static void
on_sent(void *arg, const DbError *error, const DbSent *sent)
{
	Request *request = arg;
	Chat *chat = request->detail;
	Payload *frame = NULL;

	if (sent != NULL)
	{
		FrameOk ok = {
			.id = &sent->id,
			.seq = sent->seq,
			.ev = sent->ev,
			.rev = sent->rev,
			.created_us = sent->created_us,
			.is_duplicate = sent->is_duplicate,
			.position = sent->position,
		};

		if (chat->on_send_done != NULL)
			chat->on_send_done(chat->arg, clock_now_us() - request->began_us);
		if (request->session != NULL)
			frame = frame_ok(request->ref, &ok);
	}
	command_answer(chat, request, error, frame);
}
