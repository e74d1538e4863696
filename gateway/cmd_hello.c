/*
 * cmd_hello - a session begins
 *
 * Token, then the user's memberships into the registry, then `welcome`: what
 * is committed after the rows were read reaches the session live, what was
 * committed before is in the answer to the client's `heads`.
 */
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "frames.h"
#include "xalloc.h"

/* Waits for the rows, then perhaps for the word on an older position. */
typedef struct Hello
{
	Chat *chat;
	Request *request;
	bool has_position;
	bool is_position_odd;
	Position seen;
	Position now;
} Hello;

static void on_identity(void *arg, AuthVerdict verdict,
						const Identity *identity);
static void enter(Hello *hello, const Identity *identity);
static void refuse_token(Hello *hello, const char *why);
static void on_rows(void *arg, const DbError *error, bool is_known,
					const Position *position);
static void on_status(void *arg, const DbError *error, bool is_reset);
static void welcome(Hello *hello, bool is_reset);
static void give_up(Hello *hello, const DbError *error);
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
	{
		hello->has_position = true;
		hello->is_position_odd = !position_parse(position->text, &hello->seen);
	}
	session_set_state(session, SESSION_ENTERING);
	auth_check(args->chat->auth, token, strlen(token), on_identity, hello);
}

static void
on_identity(void *arg, AuthVerdict verdict, const Identity *identity)
{
	Hello *hello = arg;
	Session *session = hello->request->session;
	DbError error = { .code = "unavailable" };

	if (session == NULL || session_state(session) != SESSION_ENTERING)
		hello_end(hello);
	else if (verdict == AUTH_UNAVAILABLE)
		give_up(hello, &error);
	else if (verdict == AUTH_REFUSED)
		refuse_token(hello, "invalid token");
	else
		enter(hello, identity);
}

static void
enter(Hello *hello, const Identity *identity)
{
	Chat *chat = hello->chat;
	Session *session = hello->request->session;
	User *user = registry_user(chat->registry, &identity->user_id);

	if (user != NULL &&
		user->seat_count >= (uint32_t) chat->user_connections_max)
	{
		chat->counts.rate_limited++;
		session_send(session, frame_error(hello->request->ref, "rate_limited",
										  "", 5000));
		session_close(session, CLOSE_TOO_MANY, "too many connections");
		hello_end(hello);
		return;
	}
	session_set_identity(session, identity);
	registry_sit(chat->registry, &identity->user_id, session_seat(session));
	roster_look(chat->roster, &identity->user_id, 0, on_rows, hello);
}

static void
refuse_token(Hello *hello, const char *why)
{
	Session *session = hello->request->session;

	command_refuse(hello->chat, session, hello->request->ref, "invalid_token",
				   "");
	session_close(session, CLOSE_TOKEN, why);
	hello_end(hello);
}

static void
on_rows(void *arg, const DbError *error, bool is_known,
		const Position *position)
{
	Hello *hello = arg;
	Session *session = hello->request->session;

	if (session == NULL || session_state(session) != SESSION_ENTERING)
		hello_end(hello);
	else if (error->code != NULL)
		give_up(hello, error);
	else if (!is_known)
		refuse_token(hello, "unknown user");
	else
	{
		hello->now = *position;
		if (!hello->has_position)
			welcome(hello, false);
		else if (hello->is_position_odd)
			welcome(hello, true);
		else if (position_is_before(&hello->seen, &hello->now))
			welcome(hello, false);
		else
			db_position_status(hello->chat->db, &hello->seen, on_status, hello);
	}
}

static void
on_status(void *arg, const DbError *error, bool is_reset)
{
	Hello *hello = arg;
	Session *session = hello->request->session;

	if (session == NULL || session_state(session) != SESSION_ENTERING)
		hello_end(hello);
	else if (error->code != NULL)
		give_up(hello, error);
	else
		welcome(hello, is_reset);
}

static void
welcome(Hello *hello, bool is_reset)
{
	Session *session = hello->request->session;
	char position[POSITION_TEXT_SIZE];
	FrameWelcome frame = {
		.user_id = &session_user(session)->id,
		.session_id = session_id(session),
		.position = position_format(&hello->now, position),
		.is_reset = is_reset,
	};

	hello->chat->counts.welcomes++;
	session_set_state(session, SESSION_READY);
	session_send(session, frame_welcome(hello->request->ref, &frame));
	hello_end(hello);
}

/* The client comes again, with the backoff of a lost connection. */
static void
give_up(Hello *hello, const DbError *error)
{
	Session *session = hello->request->session;

	command_refuse(hello->chat, session, hello->request->ref, error->code, "");
	session_close(session, CLOSE_AWAY, "unavailable");
	hello_end(hello);
}

static void
hello_end(Hello *hello)
{
	session_request_end(&hello->request);
	free(hello);
}
