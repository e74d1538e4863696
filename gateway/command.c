#include "command.h"

#include <assert.h>
#include <string.h>

#include "frames.h"
#include "strict_json.h"

static void (*const handlers[VERB_HANDLERS])(const CommandArgs *args) = {
	[VERB_SQL] = cmd_verb,    [VERB_SEND] = cmd_send, [VERB_MARK] = cmd_mark,
	[VERB_HELLO] = cmd_hello, [VERB_PING] = cmd_ping, [VERB_BYE] = cmd_bye,
};

static void refuse_for(Chat *chat, Session *session, const char *ref,
					   int64_t retry_ms);
static bool is_read(const Verb *verb);
static const char *check(const Session *session, const Verb *verb,
						 const char **field);

void
command_run(Chat *chat, Session *session, const char *text, size_t len)
{
	CommandArgs args = { .chat = chat, .session = session, .ref = "" };
	VerbRefusal refusal = { "bad_frame", "" };
	VerbValues values = { 0 };
	json_t *frame;
	const json_t *field;
	bool has_ref;
	size_t offset;
	int64_t retry_ms;

	chat->counts.requests++;
	frame = strict_json_object(text, len, &offset);
	field = json_object_get(frame, "ref");
	has_ref =
		json_is_string(field) && json_string_length(field) <= SESSION_REF_MAX;
	if (has_ref)
		args.ref = json_string_value(field);
	if (!session_may_ask(session, &chat->ask_rule, &retry_ms))
	{
		refuse_for(chat, session, args.ref, retry_ms);
		goto cleanup;
	}
	if (frame == NULL)
		goto refuse;
	refusal.field = "ref";
	if (field != NULL && !has_ref)
		goto refuse;
	field = json_object_get(frame, "type");
	refusal.field = "type";
	if (!json_is_string(field))
		goto refuse;
	args.verb = verb_of_type(json_string_value(field));
	refusal.code = check(session, args.verb, &refusal.field);
	if (refusal.code != NULL ||
		!verb_values_init(&values, args.verb, frame, &refusal))
		goto refuse;
	if (is_read(args.verb) &&
		!admission_read(&chat->admission, db_reads_waiting(chat->db),
						&retry_ms))
	{
		refuse_for(chat, session, args.ref, retry_ms);
		goto cleanup;
	}
	args.values = &values;
	assert(handlers[args.verb->handler] != NULL);
	handlers[args.verb->handler](&args);
	goto cleanup;

refuse:
	command_refuse(chat, session, args.ref, refusal.code, refusal.field);
cleanup:
	verb_values_fini(&values);
	json_decref(frame);
}

void
command_refuse(Chat *chat, Session *session, const char *ref, const char *code,
			   const char *field)
{
	chat->counts.refused++;
	session_send(session,
				 frame_error(ref, code, field, frame_error_retry_ms(code)));
}

void
command_answer(Chat *chat, Request *request, const DbError *error,
			   Payload *take_frame)
{
	Session *session = request->session;

	if (session != NULL && error->code != NULL)
		command_refuse(chat, session, request->ref, error->code, error->field);
	else if (session != NULL && take_frame != NULL &&
			 !session_takes(session, take_frame->len))
	{
		/* What was asked before is not read: the answer cannot be kept. */
		refuse_for(chat, session, request->ref, 1000);
		payload_drop(take_frame);
		take_frame = NULL;
	}
	if (take_frame != NULL)
	{
		if (session != NULL && error->code == NULL)
			session_send(session, take_frame);
		else
			payload_drop(take_frame);
	}
	session_request_end(&request);
}

Request *
command_begin(const CommandArgs *args)
{
	Request *request = session_request_begin(args->session, args->ref);

	if (request == NULL)
	{
		refuse_for(args->chat, args->session, args->ref, 100);
		return NULL;
	}
	request->detail = args->chat;
	return request;
}

const VerbValue *
command_value(const CommandArgs *args, const char *name)
{
	const VerbValue *value = verb_value(args->verb, args->values, name);

	assert(value != NULL);
	return value;
}

static void
refuse_for(Chat *chat, Session *session, const char *ref, int64_t retry_ms)
{
	chat->counts.refused++;
	chat->counts.rate_limited++;
	session_send(session, frame_error(ref, "rate_limited", "", retry_ms));
}

/* Does it wait for one of the connections that are read from? */
static bool
is_read(const Verb *verb)
{
	return verb->handler == VERB_SQL && !(verb->flags & VERB_WRITES);
}

/* May this session ask for that now?  NULL when it may. */
static const char *
check(const Session *session, const Verb *verb, const char **field)
{
	bool is_ready = session_state(session) == SESSION_READY;

	*field = "type";
	if (verb == NULL)
		return "unknown_type";
	*field = "";
	if (!is_ready && !(verb->flags & VERB_EARLY))
		return "not_ready";
	if (is_ready && !auth_allows(session_identity(session), verb->scope))
		return "forbidden";
	return NULL;
}
