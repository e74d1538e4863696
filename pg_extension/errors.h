/*
 * errors - what our functions answer when they refuse
 *
 * The one list of codes: SQLSTATE, name (as clients and send_messages see
 * it), message and way out.  A refusal changes nothing; in a batch it belongs
 * to one item and raises for nobody.
 */
#ifndef CHEMCHAT_ERRORS_H
#define CHEMCHAT_ERRORS_H

#include "postgres.h"
#include "pgcompat.h"

/* X(name, SQLSTATE's last digits, code, message, hint) */
#define CHAT_ERRORS(X)                                                         \
	X(NOT_FOUND, '0', '1', "not_found", "there is no such conversation",       \
	  "Check the id, and that the actor is a member of it.")                   \
	X(FORBIDDEN, '0', '2', "forbidden", "the actor's role does not allow it",  \
	  "Ask an owner or an admin of the conversation.")                         \
	X(INVALID_ARGUMENT, '0', '3', "invalid_argument", "invalid argument",      \
	  "Mend the argument; docs/sql.md says what it may be.")                   \
	X(IDEMPOTENCY_MISMATCH, '0', '4', "idempotency_mismatch",                  \
	  "this client_msg_id was used for another body",                          \
	  "Choose a new client_msg_id for every new message.")                     \
	X(BUSY, '0', '5', "busy", "somebody else holds the conversation",          \
	  "Try again: nothing was written.")                                       \
	X(UNKNOWN_USER, '0', '6', "unknown_user", "there is no such user",         \
	  "Create the user first with chemchat.create_user().")                    \
	X(UNSAFE_DURABILITY, '0', '7', "unsafe_durability",                        \
	  "the commit would be acknowledged before it is durable",                 \
	  "SET synchronous_commit = on (or remote_apply); do not PREPARE "         \
	  "TRANSACTION.")                                                          \
	X(UNSAFE_ISOLATION, '0', '8', "unsafe_isolation",                          \
	  "numbers can only be given at READ COMMITTED",                           \
	  "BEGIN ISOLATION LEVEL READ COMMITTED.")                                 \
	X(TOO_LARGE, '0', '9', "too_large", "too large",                           \
	  "Make it smaller or split it; docs/sql.md has the limits.")              \
	X(CONFLICT, '1', '0', "conflict", "it is taken by somebody else",          \
	  "Choose another one.")                                                   \
	X(LIBRARY_MISMATCH, '1', '1', "library_mismatch",                          \
	  "chemchat.so and its SQL are of different versions",                     \
	  "Reconnect after an upgrade of the library; then ALTER EXTENSION "       \
	  "chemchat UPDATE.")                                                      \
	X(ARCHIVED, '1', '2', "archived", "the conversation is archived",          \
	  "Ask an owner or an admin to take it out of the archive.")               \
	X(DELETED, '1', '3', "deleted", "the message was deleted",                 \
	  "Nothing can be done with a deleted message.")                           \
	X(LAST_OWNER, '1', '4', "last_owner",                                      \
	  "the conversation would be left without an owner",                       \
	  "Make somebody else an owner first.")                                    \
	X(INVALID_CREDENTIALS, '1', '6', "invalid_credentials",                    \
	  "the handle or the password is wrong", "Try again, or ask an admin.")

typedef enum ChatError
{
	CHAT_OK,
#define X(name, a, b, code, message, hint) CHAT_##name,
	CHAT_ERRORS(X)
#undef X
} ChatError;

/* "ok", "not_found", ... */
extern const char *chat_error_code(ChatError error);

/*
 * Raises with the error's SQLSTATE and hint.  field (may be NULL) becomes
 * COLUMN; a NULL message is the error's own.
 */
COMPAT_NORETURN extern void chat_raise(ChatError error, const char *field,
									   const char *message);

#endif
