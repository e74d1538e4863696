/*
 * session - one client on one socket
 *
 * Between the transport, which knows bytes, and the commands, which know the
 * chat.  Keeps what the client is allowed (authenticated, requests under way),
 * and what still has to be written.
 *
 * Writes go straight to the socket while it takes them; what it does not take
 * waits here, bounded: beyond SESSION_QUEUE_BYTES frames of conversations are
 * dropped and named in one `lag` frame when the queue has emptied, and nothing
 * more is read from the client until half of it is written.  Answers to what
 * was asked before are kept up to SESSION_QUEUE_MAX_BYTES; a large one beyond
 * that is refused (session_takes), and what then still piles up closes the
 * session.  Being slow alone never disconnects anybody.
 *
 * A session ends when the transport says that the socket is gone
 * (session_gone); session_close only asks for it.  Requests under way outlive
 * it: their Request then has no session.
 */
#ifndef CHEMCHAT_SESSION_H
#define CHEMCHAT_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth.h"
#include "payload.h"
#include "rate_limit.h"
#include "registry.h"
#include "transport.h"
#include "uuid.h"

#define SESSION_QUEUE_BYTES     (1024 * 1024)
#define SESSION_QUEUE_MAX_BYTES (4 * 1024 * 1024)
#define SESSION_SMALL_BYTES     4096 /* an answer that is always taken */
#define SESSION_REQUESTS_MAX    64
#define SESSION_REF_MAX         64
#define SESSION_LAG_MAX         32

typedef struct Session Session;
typedef struct Sessions Sessions;

typedef enum SessionState
{
	SESSION_NEW,      /* no hello yet */
	SESSION_ENTERING, /* hello is being looked at */
	SESSION_READY,    /* welcome was sent */
	SESSION_CLOSING   /* nothing is read or written any more */
} SessionState;

/* One request under way. */
typedef struct Request
{
	Session *session; /* NULL: the client is gone */
	Sessions *sessions;
	struct Request *next;
	struct Request *prev;
	int64_t began_us;
	void *detail; /* the command's own */
	char ref[SESSION_REF_MAX + 1];
} Request;

/* Takes over token (may be NULL), as it came in the Authorization header. */
Session *session_new(Sessions *sessions, void *socket, char *take_token);
void session_gone(Session **session);

SessionState session_state(const Session *session);
void session_set_state(Session *session, SessionState state);
User *session_user(const Session *session);
const Uuid *session_id(Session *session);
const char *session_token(const Session *session);
Session *session_of_seat(Seat *seat);
Seat *session_seat(Session *session);

/* Who hello said it is; the socket is closed when the token ends. */
void session_set_identity(Session *session, const Identity *identity);
const Identity *session_identity(const Session *session);

/* Takes the frame: written now, queued, or (session closing) dropped. */
void session_send(Session *session, Payload *take_frame);

/*
 * A frame of a conversation, or of state (NULL), borrowed: may be dropped for
 * a slow reader.
 */
void session_deliver(Session *session, Payload *frame,
					 const Uuid *conversation_id);

/* Is there room for an answer of that size? */
bool session_takes(const Session *session, size_t len);

void session_close(Session *session, uint16_t code, const char *reason);

/* False when it asks too often: *retry_ms. */
bool session_may_ask(Session *session, const RateRule *rule, int64_t *retry_ms);

/* NULL when SESSION_REQUESTS_MAX are under way. */
Request *session_request_begin(Session *session, const char *ref);
void session_request_end(Request **request);
int session_requests(const Session *session);

/* From the transport. */
void session_writable(Session *session);
void session_heard(Session *session);

#endif
