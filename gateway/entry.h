/*
 * entry - a user comes in
 *
 * Her session gets its seat, her memberships are read into the registry, and
 * what she saw last is compared with the server's history.  What is committed
 * after the rows were read reaches the session live; what was committed before
 * is in the answer to `heads`.
 *
 * The session is the caller's: it may go while the database is asked, and the
 * answer then still comes.
 */
#ifndef CHEMCHAT_ENTRY_H
#define CHEMCHAT_ENTRY_H

#include "chat.h"
#include "position.h"

typedef struct Entered
{
	const char *code; /* NULL: she is in; else why not */
	int64_t retry_ms; /* code rate_limited, for all alike; 0: for her alone */
	bool is_reset;    /* her position is not of this history */
	Position now;
} Entered;

typedef void (*EnteredFn)(void *arg, const Entered *entered);

/*
 * Calls done once, perhaps within the call.  position: as she gave it back, or
 * NULL; copied.  Codes: rate_limited (too many connections of hers),
 * invalid_token (no such user), or the database's.
 */
void entry_begin(Chat *chat, Session *session, const Identity *identity,
				 const char *position, EnteredFn done, void *arg);

#endif
