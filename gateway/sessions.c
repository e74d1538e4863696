#include "sessions.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "frames.h"
#include "session_private.h"
#include "xalloc.h"

/* Pings of one tick, twice a second: all within half of FRAME_PING_MS. */
#define PINGS_MIN   100
#define PINGS_SHARE 25

static uint32_t mono_quarters(void);
static uint32_t wall_s(void);
static void expire_tokens(Sessions *sessions);

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
	int pings;

	while ((session = sessions->lists[WAIT_HELLO].head) != NULL &&
		   now - session->since > SESSIONS_HELLO_S * QUARTERS)
	{
		session_list_remove(session);
		session_list_append(session, WAIT_NOTHING);
		if (session->state != SESSION_NEW)
			continue;

		/*
		 * No `invalid_token` before it: that ends a client for good, and here
		 * it may have been us who slept, its hello not yet read.
		 */
		session_close(session, CLOSE_TOKEN, "no token");
		sessions->counts.closed_token++;
	}
	while ((session = sessions->lists[WAIT_PONG].head) != NULL &&
		   now - session->since > SESSIONS_PONG_S * QUARTERS)
	{
		session_close(session, CLOSE_NO_PONG, "no pong");
		sessions->counts.closed_no_pong++;
	}
	/* After a mass reconnect all are due at once: they are spread. */
	pings = PINGS_MIN + sessions->count / PINGS_SHARE;
	while ((session = sessions->lists[WAIT_SIGN].head) != NULL &&
		   now - session->since >= FRAME_PING_MS * QUARTERS / 1000 &&
		   pings-- > 0)
	{
		session_list_remove(session);
		session_list_append(session, WAIT_PONG);
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

void
session_set_identity(Session *session, const Identity *identity)
{
	Sessions *sessions = session->sessions;
	int64_t expires_s = identity->expires_s;
	Session **slot;

	session_expiry_remove(session);
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
session_list_remove(Session *session)
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

void
session_list_append(Session *session, WaitList which)
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

void
session_expiry_remove(Session *session)
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
