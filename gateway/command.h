/*
 * command - what a client can ask for (docs/protocol.md, "Client to server")
 *
 * One table, one file per command (cmd_*.c).  A frame is checked as a whole
 * first: JSON without duplicate keys, at most COMMAND_DEPTH_MAX deep, a known
 * type, a proper ref, the right time.  Everything that is refused is answered
 * with an error that names its field; a frame never ends a session by itself.
 *
 * Commands know sessions and the database's functions, never a socket.
 */
#ifndef CHEMCHAT_COMMAND_H
#define CHEMCHAT_COMMAND_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "chat.h"

#define COMMAND_DEPTH_MAX 32

/* One whole text frame. */
void command_run(Chat *chat, Session *session, const char *text, size_t len);

/* For the commands: */

/* Answers with an error. */
void command_refuse(Chat *chat, Session *session, const char *ref,
					const char *code, const char *field);

/* Ends the request: with the error when error->code is set, else with frame. */
void command_answer(Chat *chat, Request *request, const DbError *error,
					Payload *take_frame);

/* False, and answered: too many requests under way. */
Request *command_begin(Chat *chat, Session *session, const char *ref);

/* Fields.  False, and answered, when missing or not of their type. */
typedef struct CommandArgs
{
	Chat *chat;
	Session *session;
	const json_t *frame;
	const char *ref;
} CommandArgs;

bool command_uuid(const CommandArgs *args, const char *name, Uuid *value);
bool command_number(const CommandArgs *args, const char *name, json_int_t min,
					json_int_t max, json_int_t fallback, json_int_t *value);

/* NULL when absent; false when it is no string. */
bool command_text(const CommandArgs *args, const char *name, const char **value,
				  size_t *len);

void cmd_hello(const CommandArgs *args);
void cmd_send(const CommandArgs *args);
void cmd_heads(const CommandArgs *args);
void cmd_changes(const CommandArgs *args);
void cmd_history(const CommandArgs *args);
void cmd_users(const CommandArgs *args);
void cmd_ping(const CommandArgs *args);
void cmd_bye(const CommandArgs *args);

#endif
