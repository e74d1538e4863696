#include <string.h>

#include "clock.h"
#include "command.h"
#include "db_send.h"
#include "frames.h"

static void on_sent(void *arg, const DbError *error, const DbSent *sent);
static bool is_traceparent(const char *text, size_t len);

void
cmd_send(const CommandArgs *args)
{
	Chat *chat = args->chat;
	Session *session = args->session;
	DbSend send = { .body = NULL };
	size_t trace_len;
	int64_t retry_ms;
	Request *request;

	if (!command_uuid(args, "conversationId", &send.conversation_id) ||
		!command_uuid(args, "clientMsgId", &send.client_msg_id) ||
		!command_text(args, "body", &send.body, &send.body_len) ||
		!command_text(args, "traceparent", &send.trace, &trace_len))
		return;
	if (send.body == NULL || send.body_len == 0)
	{
		command_refuse(chat, session, args->ref, "invalid_argument", "body");
		return;
	}
	if (send.body_len > FRAME_BODY_MAX)
	{
		command_refuse(chat, session, args->ref, "too_large", "body");
		return;
	}
	if (send.trace != NULL && !is_traceparent(send.trace, trace_len))
	{
		command_refuse(chat, session, args->ref, "invalid_argument",
					   "traceparent");
		return;
	}
	if (!rate_limit_take(&session_user(session)->sends, &chat->send_rule,
						 clock_now_us(), &retry_ms))
	{
		chat->counts.refused++;
		chat->counts.rate_limited++;
		session_send(session,
					 frame_error(args->ref, "rate_limited", "", retry_ms));
		return;
	}
	request = command_begin(chat, session, args->ref);
	if (request == NULL)
		return;
	request->detail = chat;
	send.actor = session_user(session)->id;
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

/* W3C Trace Context, version 00: 2-32-16-2 lower-case hexadecimal digits. */
static bool
is_traceparent(const char *text, size_t len)
{
	if (len != 55 || strncmp(text, "00-", 3) != 0)
		return false;
	for (size_t i = 0; i < len; i++)
	{
		if (i == 2 || i == 35 || i == 52)
		{
			if (text[i] != '-')
				return false;
		}
		else if (strchr("0123456789abcdef", text[i]) == NULL)
			return false;
	}
	return true;
}
