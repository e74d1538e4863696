/*
 * rest_verb - the verbs that ask the database, over HTTP
 */
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "db_send.h"
#include "etag.h"
#include "frames.h"
#include "rest.h"
#include "rest_args.h"

static void on_answer(void *arg, const DbError *error, const DbAnswer *answer);
static void answer_tagged(RestCall *take_call, const DbAnswer *answer);
static void on_sent(void *arg, const DbError *error, const DbSent *sent);
static void refuse(RestCall *take_call, const DbError *error);

void
rest_verb(RestCall *take_call)
{
	char trace[56];
	Slice header = http_request_header(take_call->request, HTTP_TRACEPARENT);
	bool is_traced = verb_is_traceparent(header.at, header.len);

	if (is_traced)
		(void) snprintf(trace, sizeof(trace), "%.*s", (int) header.len,
						header.at);
	db_call(take_call->chat->db, take_call->verb, &take_call->identity.user_id,
			&take_call->values, is_traced ? trace : NULL, on_answer, take_call);
}

void
rest_send(RestCall *take_call)
{
	Chat *chat = take_call->chat;
	const VerbValue *body = rest_value(take_call, "body");
	const VerbValue *reply_to = rest_value(take_call, "replyTo");
	Slice trace = http_request_header(take_call->request, HTTP_TRACEPARENT);
	Problem problem = { .code = "rate_limited", .offset = -1 };
	UserLimit *limit =
		user_limits_of(chat->limits, &take_call->identity.user_id,
					   clock_now_us());
	DbSend send = {
		.actor = take_call->identity.user_id,
		.conversation_id = rest_value(take_call, "conversationId")->uuid,
		.client_msg_id = rest_value(take_call, "clientMsgId")->uuid,
		.body = body->text,
		.body_len = body->len,
		.reply_to = reply_to->is_set ? reply_to->number : 0,
	};
	char text[56];

	if (!rate_limit_take(&limit->sends, &chat->send_rule, clock_now_us(),
						 &problem.retry_ms))
	{
		chat->counts.rate_limited++;
		rest_refuse_with(take_call, &problem);
		return;
	}
	if (verb_is_traceparent(trace.at, trace.len))
	{
		(void) snprintf(text, sizeof(text), "%.*s", (int) trace.len, trace.at);
		send.trace = text;
	}
	db_send(chat->db, &send, on_sent, take_call);
}

void
rest_mark(RestCall *take_call)
{
	const VerbValue *read = rest_value(take_call, "readSeq");
	const VerbValue *delivered = rest_value(take_call, "deliveredSeq");
	Mark mark = {
		.actor = take_call->identity.user_id,
		.conversation_id = rest_value(take_call, "conversationId")->uuid,
		.read_seq = read->is_set ? read->number : MARK_NONE,
		.delivered_seq = delivered->is_set ? delivered->number : MARK_NONE,
	};

	if (!read->is_set && !delivered->is_set)
		rest_refuse(take_call, "invalid_argument", "readSeq");
	else
		db_mark(take_call->chat->db, &mark, on_answer, take_call);
}

static void
on_answer(void *arg, const DbError *error, const DbAnswer *answer)
{
	RestCall *call = arg;
	char etag[32];

	if (answer == NULL)
		refuse(call, error);
	else if (call->verb->flags & VERB_TAGGED)
		answer_tagged(call, answer);
	else
	{
		/* What was just written: for If-Match of the next edit. */
		(void) snprintf(etag, sizeof(etag), "\"%llu\"",
						(unsigned long long) answer->rev);
		rest_answer(call,
					(call->verb->flags & VERB_CREATES) && !answer->is_duplicate
						? 201
						: 200,
					answer->fields, answer->rev > 0 ? etag : NULL);
	}
}

/* The position grows with every write of anybody: it is not of the content. */
static void
answer_tagged(RestCall *take_call, const DbAnswer *answer)
{
	char etag[ETAG_SIZE];

	etag_of(answer->fields->data, answer->content_len, etag);
	if (etag_is_in(http_request_header(take_call->request, HTTP_IF_NONE_MATCH),
				   etag))
		rest_not_modified(take_call, etag);
	else
		rest_answer(take_call, 200, answer->fields, etag);
}

static void
on_sent(void *arg, const DbError *error, const DbSent *sent)
{
	RestCall *call = arg;
	char etag[32];
	Buf fields;

	if (sent == NULL)
	{
		refuse(call, error);
		return;
	}
	if (call->chat->on_send_done != NULL)
		call->chat->on_send_done(call->chat->arg,
								 clock_now_us() - call->began_us);
	buf_init(&fields);
	frame_ok_fields(&fields, &(FrameOk){ .id = &sent->id,
										 .seq = sent->seq,
										 .ev = sent->ev,
										 .rev = sent->rev,
										 .created_us = sent->created_us,
										 .is_duplicate = sent->is_duplicate,
										 .position = sent->position });
	(void) snprintf(etag, sizeof(etag), "\"%llu\"",
					(unsigned long long) sent->rev);
	rest_answer(call, sent->is_duplicate ? 200 : 201, &fields, etag);
	buf_fini(&fields);
}

/* RFC 9110, 13.1.1: a condition that was asked for and does not hold is 412. */
static void
refuse(RestCall *take_call, const DbError *error)
{
	Slice match = http_request_header(take_call->request, HTTP_IF_MATCH);
	Problem problem = {
		.code = error->code,
		.field = rest_args_name(take_call->verb, error->field),
		.offset = -1,
	};

	if (match.len > 0 && strcmp(error->code, "conflict") == 0)
	{
		problem.status = 412;
		problem.field = "If-Match";
	}
	rest_refuse_with(take_call, &problem);
}
