#include "command.h"

#include <string.h>

#include "frames.h"

#define NUMBER_MAX ((INT64_C(1) << 53) - 1)

typedef struct Command
{
	const char *type;
	bool before_welcome; /* may come before it */
	void (*run)(const CommandArgs *args);
} Command;

static const Command commands[] = {
	{ "send", false, cmd_send },       { "ping", true, cmd_ping },
	{ "changes", false, cmd_changes }, { "history", false, cmd_history },
	{ "heads", false, cmd_heads },     { "users", false, cmd_users },
	{ "hello", true, cmd_hello },      { "bye", true, cmd_bye },
};

static const Command *find(const char *type);
static bool is_too_deep(const char *text, size_t len);

void
command_run(Chat *chat, Session *session, const char *text, size_t len)
{
	CommandArgs args = { chat, session, NULL, "" };
	const Command *command;
	json_error_t where;
	json_t *frame = NULL;
	const json_t *field;

	chat->counts.requests++;
	if (!is_too_deep(text, len))
		frame = json_loadb(text, len, JSON_REJECT_DUPLICATES, &where);
	if (!json_is_object(frame))
	{
		command_refuse(chat, session, "", "bad_frame", "");
		goto cleanup;
	}
	field = json_object_get(frame, "ref");
	if (field != NULL &&
		(!json_is_string(field) || json_string_length(field) > SESSION_REF_MAX))
	{
		command_refuse(chat, session, "", "bad_frame", "ref");
		goto cleanup;
	}
	args.ref = field != NULL ? json_string_value(field) : "";
	field = json_object_get(frame, "type");
	if (!json_is_string(field))
	{
		command_refuse(chat, session, args.ref, "bad_frame", "type");
		goto cleanup;
	}
	command = find(json_string_value(field));
	if (command == NULL)
	{
		command_refuse(chat, session, args.ref, "unknown_type", "type");
		goto cleanup;
	}
	if (session_state(session) != SESSION_READY && !command->before_welcome)
	{
		command_refuse(chat, session, args.ref, "not_ready", "");
		goto cleanup;
	}
	args.frame = frame;
	command->run(&args);

cleanup:
	json_decref(frame);
}

void
command_refuse(Chat *chat, Session *session, const char *ref, const char *code,
			   const char *field)
{
	int64_t retry_ms = strcmp(code, "unavailable") == 0    ? 1000
					   : strcmp(code, "storage_full") == 0 ? 5000
					   : strcmp(code, "busy") == 0         ? 500
														   : 0;

	chat->counts.refused++;
	session_send(session, frame_error(ref, code, field, retry_ms));
}

void
command_answer(Chat *chat, Request *request, const DbError *error,
			   Payload *take_frame)
{
	Session *session = request->session;

	if (session != NULL && error->code != NULL)
		command_refuse(chat, session, request->ref, error->code, error->field);
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
command_begin(Chat *chat, Session *session, const char *ref)
{
	Request *request = session_request_begin(session, ref);

	if (request == NULL)
	{
		chat->counts.refused++;
		chat->counts.rate_limited++;
		session_send(session, frame_error(ref, "rate_limited", "", 100));
	}
	return request;
}

bool
command_uuid(const CommandArgs *args, const char *name, Uuid *value)
{
	const json_t *field = json_object_get(args->frame, name);

	if (field == NULL || json_is_null(field))
		command_refuse(args->chat, args->session, args->ref, "invalid_argument",
					   name);
	else if (!json_is_string(field))
		command_refuse(args->chat, args->session, args->ref, "bad_frame", name);
	else if (!uuid_parse(json_string_value(field), json_string_length(field),
						 value))
		command_refuse(args->chat, args->session, args->ref, "invalid_argument",
					   name);
	else
		return true;
	return false;
}

bool
command_number(const CommandArgs *args, const char *name, json_int_t min,
			   json_int_t max, json_int_t fallback, json_int_t *value)
{
	const json_t *field = json_object_get(args->frame, name);

	*value = fallback;
	if (field == NULL && fallback >= 0)
		return true;
	if (field != NULL && !json_is_integer(field))
	{
		command_refuse(args->chat, args->session, args->ref, "bad_frame", name);
		return false;
	}
	*value = field != NULL ? json_integer_value(field) : -1;
	if (field == NULL || *value < min || *value > max || *value > NUMBER_MAX)
	{
		command_refuse(args->chat, args->session, args->ref, "invalid_argument",
					   name);
		return false;
	}
	return true;
}

bool
command_text(const CommandArgs *args, const char *name, const char **value,
			 size_t *len)
{
	const json_t *field = json_object_get(args->frame, name);

	*value = NULL;
	*len = 0;
	if (field == NULL)
		return true;
	if (!json_is_string(field))
	{
		command_refuse(args->chat, args->session, args->ref, "bad_frame", name);
		return false;
	}
	*value = json_string_value(field);
	*len = json_string_length(field);
	return true;
}

static const Command *
find(const char *type)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
	{
		if (strcmp(commands[i].type, type) == 0)
			return &commands[i];
	}
	return NULL;
}

/* jansson's own bound is 2,048; brackets inside strings do not count. */
static bool
is_too_deep(const char *text, size_t len)
{
	bool is_string = false;
	int depth = 0;

	for (size_t i = 0; i < len; i++)
	{
		char c = text[i];

		if (is_string)
		{
			if (c == '\\')
				i++;
			else if (c == '"')
				is_string = false;
		}
		else if (c == '"')
			is_string = true;
		else if (c == '{' || c == '[')
		{
			if (++depth > COMMAND_DEPTH_MAX)
				return true;
		}
		else if (c == '}' || c == ']')
			depth--;
	}
	return false;
}
