/*
 * cmd_hello - a session begins
 *
 * Token, entry (entry.h), then `welcome`.
 */
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "entry.h"
#include "frames.h"
#include "xalloc.h"

typedef struct Hello
{
	Chat *chat;
	Request *request;
	char *position; /* NULL: none */
} Hello;

static void on_identity(void *arg, AuthVerdict verdict,
						const Identity *identity);
static void on_entered(void *arg, const Entered *entered);
static bool is_waiting(const Hello *hello);
static void welcome(Hello *hello, const Entered *entered);
static void refuse(Hello *hello, const char *code, int64_t retry_ms);
static void hello_end(Hello *hello);

void
cmd_hello(const CommandArgs *args)
{
	Session *session = args->session;
	const VerbValue *position = command_value(args, "position");
	const char *token = command_value(args, "token")->text;
	Hello *hello;

	if (session_state(session) != SESSION_NEW)
	{
		command_refuse(args->chat, session, args->ref, "bad_frame", "type");
		return;
	}
	if (token == NULL)
		token = session_token(session) != NULL ? session_token(session) : "";
	hello = xcalloc(1, sizeof(*hello));
	hello->chat = args->chat;
	hello->request = session_request_begin(session, args->ref);
	if (position->is_set)
		hello->position = xstrdup(position->text);
	session_set_state(session, SESSION_ENTERING);
	auth_check(args->chat->auth, token, strlen(token), on_identity, hello);
}

static void
on_identity(void *arg, AuthVerdict verdict, const Identity *identity)
{
	Hello *hello = arg;

	if (!is_waiting(hello))
		hello_end(hello);
	else if (verdict == AUTH_UNAVAILABLE)
		refuse(hello, "unavailable", 0);
	else if (verdict == AUTH_REFUSED)
		refuse(hello, "invalid_token", 0);
	else
		entry_begin(hello->chat, hello->request->session, identity,
					hello->position, on_entered, hello);
}

static void
on_entered(void *arg, const Entered *entered)
{
	Hello *hello = arg;

	if (!is_waiting(hello))
		hello_end(hello);
	else if (entered->code != NULL)
		refuse(hello, entered->code, entered->retry_ms);
	else
		welcome(hello, entered);
}

static bool
is_waiting(const Hello *hello)
{
	const Session *session = hello->request->session;

	return session != NULL && session_state(session) == SESSION_ENTERING;
}

static void
welcome(Hello *hello, const Entered *entered)
{
	Session *session = hello->request->session;
	char position[POSITION_TEXT_SIZE];
	FrameWelcome frame = {
		.user_id = &session_user(session)->id,
		.session_id = session_id(session),
		.position = position_format(&entered->now, position),
		.is_reset = entered->is_reset,
	};

	hello->chat->counts.welcomes++;
	session_set_state(session, SESSION_READY);
	session_send(session, frame_welcome(hello->request->ref, &frame));
	hello_end(hello);
}

/* The client comes again, with the backoff of a lost connection. */
static void
refuse(Hello *hello, const char *code, int64_t retry_ms)
{
	Session *session = hello->request->session;

	if (strcmp(code, "rate_limited") == 0)
	{
		hello->chat->counts.rate_limited++;
		hello->chat->counts.refused++;
		session_send(session, frame_error(hello->request->ref, code, "",
										  retry_ms > 0 ? retry_ms : 5000));
		if (retry_ms > 0)
			session_close(session, CLOSE_AWAY, "too many at once");
		else
			session_close(session, CLOSE_TOO_MANY, "too many connections");
	}
	else
	{
		bool is_token = strcmp(code, "invalid_token") == 0;

		command_refuse(hello->chat, session, hello->request->ref, code, "");
		session_close(session, is_token ? CLOSE_TOKEN : CLOSE_AWAY,
					  is_token ? "invalid token" : "unavailable");
	}
	hello_end(hello);
}

static void
hello_end(Hello *hello)
{
	session_request_end(&hello->request);
	free(hello->position);
	free(hello);
}
