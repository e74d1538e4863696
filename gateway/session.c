#include "session.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "clock.h"
#include "frames.h"
#include "log.h"
#include "sessions.h"
#include "xalloc.h"

#define EXPIRY_SLOTS 512
#define QUARTERS     4 /* of a second, the clock of the wait lists */

typedef enum WaitList
{
	WAIT_HELLO,
	WAIT_SIGN,
	WAIT_PONG,
	WAIT_NOTHING,
	WAIT_LISTS
} WaitList;

typedef struct Queued
{
	struct Queued *next;
	Payload *frame;
} Queued;

typedef struct Lag
{
	int count;
	bool is_many;
	Uuid ids[SESSION_LAG_MAX];
} Lag;

struct Session
{
	Seat seat; /* first: session_of_seat */
	Sessions *sessions;
	void *socket;
	char *token;
	Session *next; /* on its wait list */
	Session *prev;
	Session *expiry_next;
	Session *expiry_prev;
	Request *requests;
	Queued *queue;
	Queued *queue_tail;
	Lag *lag;
	uint32_t queue_bytes;
	uint32_t since;     /* on the wait list: quarters of a second */
	uint32_t expires_s; /* seconds since 1970; 0: not known yet */
	Identity identity;
	uint8_t state;
	uint8_t list;
	uint8_t request_count;
	Uuid id;
};

typedef struct List
{
	Session *head;
	Session *tail;
} List;

struct Sessions
{
	Registry *registry;
	Transport transport;
	List lists[WAIT_LISTS];
	Session *expiry[EXPIRY_SLOTS];
	uint32_t expiry_at_s; /* slots up to here were looked at */
	int count;
	int requests;
	SessionsCounts counts;
};

static uint32_t mono_quarters(void);
static uint32_t wall_s(void);
static void list_remove(Session *session);
static void list_append(Session *session, WaitList which);
static void expiry_remove(Session *session);
static void expire_tokens(Sessions *sessions);
static void enqueue(Session *session, Payload *take_frame);
static void note_lag(Session *session, const Uuid *conversation_id);
static bool write_now(Session *session, Payload *frame);
static void send_lag(Session *session);

Sessions *
sessions_new(Registry *registry, const Transport *transport)
{
	Sessions *sessions = xcalloc(1, sizeof(*sessions));

	sessions->registry = registry;
	sessions->transport = *transport;
	sessions->expiry_at_s = wall_s();
	return sessions;
}

void
sessions_free(Sessions **sessions)
{
	if (*sessions == NULL)
		return;
	assert((*sessions)->count == 0);
	free(*sessions);
	*sessions = NULL;
}

void
sessions_tick(Sessions *sessions)
{
	uint32_t now = mono_quarters();
	Session *session;

	while ((session = sessions->lists[WAIT_HELLO].head) != NULL &&
		   now - session->since > SESSIONS_HELLO_S * QUARTERS)
	{
		list_remove(session);
		list_append(session, WAIT_NOTHING);
		if (session->state != SESSION_NEW)
			continue;
		session_send(session, frame_error("", "invalid_token", "", 0));
		session_close(session, CLOSE_TOKEN, "no token");
		sessions->counts.closed_token++;
	}
	while ((session = sessions->lists[WAIT_PONG].head) != NULL &&
		   now - session->since > SESSIONS_PONG_S * QUARTERS)
	{
		session_close(session, CLOSE_NO_PONG, "no pong");
		sessions->counts.closed_no_pong++;
	}
	while ((session = sessions->lists[WAIT_SIGN].head) != NULL &&
		   now - session->since >= FRAME_PING_MS * QUARTERS / 1000)
	{
		list_remove(session);
		list_append(session, WAIT_PONG);
		sessions->transport.ping(session->socket);
	}
	expire_tokens(sessions);
}

int
sessions_count(const Sessions *sessions)
{
	return sessions->count;
}

int
sessions_requests(const Sessions *sessions)
{
	return sessions->requests;
}

void
sessions_each(Sessions *sessions, void (*call)(void *arg, Session *session),
			  void *arg)
{
	/* A callback moves at most its own session to the list of those closing. */
	for (int which = 0; which < WAIT_LISTS; which++)
	{
		Session *last = sessions->lists[which].tail;
		Session *session = sessions->lists[which].head;

		while (session != NULL)
		{
			Session *next = session == last ? NULL : session->next;

			if (session->state != SESSION_CLOSING)
				call(arg, session);
			session = next;
		}
	}
}

const SessionsCounts *
sessions_counts(const Sessions *sessions)
{
	return &sessions->counts;
}

Session *
session_new(Sessions *sessions, void *socket, char *take_token)
{
	Session *session = xcalloc(1, sizeof(*session));

	session->sessions = sessions;
	session->socket = socket;
	session->token = take_token;
	session->state = SESSION_NEW;
	if (getrandom(session->id.byte, sizeof(session->id.byte), 0) !=
		(ssize_t) sizeof(session->id.byte))
		abort();
	session->id.byte[6] = (uint8_t) ((session->id.byte[6] & 0x0f) | 0x40);
	session->id.byte[8] = (uint8_t) ((session->id.byte[8] & 0x3f) | 0x80);
	list_append(session, WAIT_HELLO);
	sessions->count++;
	sessions->counts.opened++;
	return session;
}

void
session_gone(Session **session_ref)
{
	Session *session = *session_ref;
	Queued *queued;

	if (session == NULL)
		return;
	*session_ref = NULL;
	for (Request *r = session->requests, *next; r != NULL; r = next)
	{
		next = r->next;
		r->session = NULL;
		r->next = NULL;
		r->prev = NULL;
	}
	while ((queued = session->queue) != NULL)
	{
		session->queue = queued->next;
		payload_drop(queued->frame);
		free(queued);
	}
	list_remove(session);
	expiry_remove(session);
	registry_rise(session->sessions->registry, &session->seat);
	session->sessions->count--;
	free(session->lag);
	free(session->token);
	free(session);
}

SessionState
session_state(const Session *session)
{
	return (SessionState) session->state;
}

void
session_set_state(Session *session, SessionState state)
{
	if (session->state == SESSION_CLOSING)
		return;
	session->state = (uint8_t) state;
	if (state == SESSION_READY)
	{
		free(session->token);
		session->token = NULL;
		session_heard(session);
	}
}

User *
session_user(const Session *session)
{
	return session->seat.user;
}

const Uuid *
session_id(Session *session)
{
	return &session->id;
}

const char *
session_token(const Session *session)
{
	return session->token;
}

Session *
session_of_seat(Seat *seat)
{
	return (Session *) seat;
}

Seat *
session_seat(Session *session)
{
	return &session->seat;
}

void
session_set_identity(Session *session, const Identity *identity)
{
	Sessions *sessions = session->sessions;
	int64_t expires_s = identity->expires_s;
	Session **slot;

	expiry_remove(session);
	session->identity = *identity;

	/* One that ended within the leeway: its second was looked at already. */
	if (expires_s <= sessions->expiry_at_s)
		expires_s = (int64_t) sessions->expiry_at_s + 1;
	session->expires_s =
		expires_s > UINT32_MAX ? UINT32_MAX : (uint32_t) expires_s;
	slot = &sessions->expiry[session->expires_s % EXPIRY_SLOTS];
	session->expiry_next = *slot;
	session->expiry_prev = NULL;
	if (*slot != NULL)
		(*slot)->expiry_prev = session;
	*slot = session;
}

const Identity *
session_identity(const Session *session)
{
	return &session->identity;
}

void
session_send(Session *session, Payload *take_frame)
{
	if (session->state == SESSION_CLOSING)
		payload_drop(take_frame);
	else if (session->queue == NULL && write_now(session, take_frame))
		payload_drop(take_frame);
	else if (session->queue_bytes + take_frame->len > SESSION_QUEUE_MAX_BYTES)
	{
		payload_drop(take_frame);
		session_close(session, CLOSE_POLICY, "answers are not read");
	}
	else
		enqueue(session, take_frame);
}

void
session_deliver(Session *session, Payload *frame, const Uuid *conversation_id)
{
	if (session->state == SESSION_CLOSING)
		return;
	if (session->lag == NULL && session->queue == NULL &&
		write_now(session, frame))
		return;
	if (session->lag != NULL ||
		session->queue_bytes + frame->len > SESSION_QUEUE_BYTES)
		note_lag(session, conversation_id);
	else
		enqueue(session, payload_take(frame));
}

void
session_close(Session *session, uint16_t code, const char *reason)
{
	if (session->state == SESSION_CLOSING)
		return;
	session->state = SESSION_CLOSING;
	list_remove(session);
	list_append(session, WAIT_NOTHING);
	session->sessions->transport.close(session->socket, code, reason);
}

Request *
session_request_begin(Session *session, const char *ref)
{
	Request *request;

	if (session->request_count >= SESSION_REQUESTS_MAX)
		return NULL;
	request = xcalloc(1, sizeof(*request));
	request->session = session;
	request->sessions = session->sessions;
	request->began_us = clock_now_us();
	strncat(request->ref, ref, SESSION_REF_MAX);
	request->next = session->requests;
	if (session->requests != NULL)
		session->requests->prev = request;
	session->requests = request;
	session->request_count++;
	session->sessions->requests++;
	return request;
}

void
session_request_end(Request **request_ref)
{
	Request *request = *request_ref;
	Session *session = request->session;

	*request_ref = NULL;
	request->sessions->requests--;
	if (session != NULL)
	{
		if (request->prev != NULL)
			request->prev->next = request->next;
		else
			session->requests = request->next;
		if (request->next != NULL)
			request->next->prev = request->prev;
		session->request_count--;
	}
	free(request);
}

int
session_requests(const Session *session)
{
	return session->request_count;
}

void
session_writable(Session *session)
{
	Queued *queued;

	while (session->state != SESSION_CLOSING &&
		   (queued = session->queue) != NULL)
	{
		if (!write_now(session, queued->frame))
		{
			session->sessions->transport.want_write(session->socket);
			return;
		}
		session->queue = queued->next;
		if (session->queue == NULL)
			session->queue_tail = NULL;
		session->queue_bytes -= queued->frame->len;
		payload_drop(queued->frame);
		free(queued);
	}
	if (session->lag != NULL && session->state != SESSION_CLOSING)
		send_lag(session);
}

void
session_heard(Session *session)
{
	if (session->state != SESSION_READY)
		return;
	list_remove(session);
	list_append(session, WAIT_SIGN);
}

static uint32_t
mono_quarters(void)
{
	return (uint32_t) (clock_now_us() / (1000000 / QUARTERS));
}

static uint32_t
wall_s(void)
{
	return (uint32_t) (clock_wall_us() / 1000000);
}

static void
list_remove(Session *session)
{
	List *list = &session->sessions->lists[session->list];

	if (session->prev != NULL)
		session->prev->next = session->next;
	else
		list->head = session->next;
	if (session->next != NULL)
		session->next->prev = session->prev;
	else
		list->tail = session->prev;
	session->next = NULL;
	session->prev = NULL;
}

static void
list_append(Session *session, WaitList which)
{
	List *list = &session->sessions->lists[which];

	session->list = (uint8_t) which;
	session->since = mono_quarters();
	session->prev = list->tail;
	session->next = NULL;
	if (list->tail != NULL)
		list->tail->next = session;
	else
		list->head = session;
	list->tail = session;
}

static void
expiry_remove(Session *session)
{
	if (session->expires_s == 0)
		return;
	if (session->expiry_prev != NULL)
		session->expiry_prev->expiry_next = session->expiry_next;
	else
		session->sessions->expiry[session->expires_s % EXPIRY_SLOTS] =
			session->expiry_next;
	if (session->expiry_next != NULL)
		session->expiry_next->expiry_prev = session->expiry_prev;
	session->expires_s = 0;
}

/*
 * A wheel of seconds: each tick looks at the slots of the seconds that have
 * passed.  A clock that jumped makes it look at all of them.
 */
static void
expire_tokens(Sessions *sessions)
{
	uint32_t now_s = wall_s();
	uint32_t steps = now_s - sessions->expiry_at_s;

	if (now_s < sessions->expiry_at_s || steps > EXPIRY_SLOTS)
		steps = EXPIRY_SLOTS;
	for (uint32_t i = 0; i < steps; i++)
	{
		Session *session = sessions->expiry[(now_s - i) % EXPIRY_SLOTS];

		while (session != NULL)
		{
			Session *next = session->expiry_next;

			if (session->expires_s <= now_s &&
				session->state != SESSION_CLOSING)
			{
				session_send(session, frame_error("", "invalid_token", "", 0));
				session_close(session, CLOSE_TOKEN, "token expired");
				sessions->counts.closed_token++;
			}
			session = next;
		}
	}
	sessions->expiry_at_s = now_s;
}

static void
enqueue(Session *session, Payload *take_frame)
{
	Queued *queued = xmalloc(sizeof(*queued));

	queued->next = NULL;
	queued->frame = take_frame;
	if (session->queue_tail != NULL)
		session->queue_tail->next = queued;
	else
		session->queue = queued;
	session->queue_tail = queued;
	session->queue_bytes += take_frame->len;
	session->sessions->transport.want_write(session->socket);
}

static void
note_lag(Session *session, const Uuid *conversation_id)
{
	Lag *lag = session->lag;

	session->sessions->counts.dropped++;
	if (lag == NULL)
	{
		lag = xcalloc(1, sizeof(*lag));
		session->lag = lag;
		session->sessions->transport.want_write(session->socket);
	}
	for (int i = 0; i < lag->count; i++)
	{
		if (uuid_equal(&lag->ids[i], conversation_id))
			return;
	}
	if (lag->count < SESSION_LAG_MAX)
		lag->ids[lag->count++] = *conversation_id;
	else
		lag->is_many = true;
}

static bool
write_now(Session *session, Payload *frame)
{
	if (!session->sessions->transport.write(session->socket, frame))
		return false;
	session->sessions->counts.frames_out++;
	session->sessions->counts.bytes_out += frame->len;
	return true;
}

static void
send_lag(Session *session)
{
	Lag *lag = session->lag;
	Payload *frame = frame_lag(lag->ids, lag->is_many ? 0 : lag->count);

	session->lag = NULL;
	free(lag);
	session->sessions->counts.lags++;
	session_send(session, frame);
}
