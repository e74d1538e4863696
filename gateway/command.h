/*
 * command - what a client asks for in a frame (docs/protocol.md)
 *
 * A frame is checked as a whole first: strict JSON, a type of the verb table
 * (verb.h), a proper ref, the right time, the scope of the token, every
 * argument.  Everything that is refused is answered with an error that names
 * its field; a frame never ends a session by itself.  Most verbs are one
 * function of the database (cmd_verb.c); the others have a file each.
 *
 * Commands know sessions and the database's functions, never a socket.
 */
#ifndef CHEMCHAT_COMMAND_H
#define CHEMCHAT_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "chat.h"
#include "verb_args.h"

/* One whole text frame. */
void command_run(Chat *chat, Session *session, const char *text, size_t len);

/* For the commands: */

/* Answers with an error. */
void command_refuse(Chat *chat, Session *session, const char *ref,
					const char *code, const char *field);

/* Ends the request: with the error when error->code is set, else with frame. */
void command_answer(Chat *chat, Request *request, const DbError *error,
					Payload *take_frame);

/* Borrowed for the call. */
typedef struct CommandArgs
{
	Chat *chat;
	Session *session;
	const Verb *verb;
	const VerbValues *values;
	const char *ref;
} CommandArgs;

/* NULL, and answered: too many requests under way. */
Request *command_begin(const CommandArgs *args);

/* An argument of the verb, by its name. */
const VerbValue *command_value(const CommandArgs *args, const char *name);

void cmd_hello(const CommandArgs *args);
void cmd_send(const CommandArgs *args);
void cmd_mark(const CommandArgs *args);
void cmd_verb(const CommandArgs *args);
void cmd_ping(const CommandArgs *args);
void cmd_bye(const CommandArgs *args);

#endif
