#include "session.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "clock.h"
#include "frames.h"
#include "log.h"
#include "session_private.h"
#include "sessions.h"
#include "xalloc.h"

static void enqueue(Session *session, Payload *take_frame);
static void set_paused(Session *session, bool is_paused);
static void note_lag(Session *session, const Uuid *conversation_id);
static bool write_now(Session *session, Payload *frame);
static void send_lag(Session *session);

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
	session_list_append(session, WAIT_HELLO);
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
	session->sessions->counts.queued_bytes -= session->queue_bytes;
	while ((queued = session->queue) != NULL)
	{
		session->queue = queued->next;
		payload_drop(queued->frame);
		free(queued);
	}
	session_list_remove(session);
	session_expiry_remove(session);
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
session_send(Session *session, Payload *take_frame)
{
	if (session->state == SESSION_CLOSING)
		payload_drop(take_frame);
	else if (session->queue == NULL && write_now(session, take_frame))
		payload_drop(take_frame);
	else if (session->queue_bytes + take_frame->len >
			 SESSION_QUEUE_MAX_BYTES + SESSION_QUEUE_BYTES)
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

bool
session_takes(const Session *session, size_t len)
{
	return len <= SESSION_SMALL_BYTES ||
		   session->queue_bytes + len <= SESSION_QUEUE_MAX_BYTES;
}

void
session_close(Session *session, uint16_t code, const char *reason)
{
	if (session->state == SESSION_CLOSING)
		return;
	session->state = SESSION_CLOSING;
	session_list_remove(session);
	session_list_append(session, WAIT_NOTHING);
	session->sessions->transport.close(session->socket, code, reason);
}

bool
session_may_ask(Session *session, const RateRule *rule, int64_t *retry_ms)
{
	return rate_limit_take(&session->asks, rule, clock_now_us(), retry_ms);
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
	bool is_moving = false;

	while (session->state != SESSION_CLOSING &&
		   (queued = session->queue) != NULL)
	{
		if (!write_now(session, queued->frame))
		{
			session->sessions->transport.want_write(session->socket);
			break;
		}
		session->queue = queued->next;
		if (session->queue == NULL)
			session->queue_tail = NULL;
		session->queue_bytes -= (uint32_t) queued->frame->len;
		session->sessions->counts.queued_bytes -= queued->frame->len;
		payload_drop(queued->frame);
		free(queued);
		is_moving = true;
	}

	/* Who reads, if slowly, is there: a pong may be behind all this. */
	if (is_moving)
		session_heard(session);
	if (session->is_paused && session->queue_bytes <= SESSION_QUEUE_BYTES / 2)
		set_paused(session, false);
	if (session->lag != NULL && session->queue == NULL &&
		session->state != SESSION_CLOSING)
		send_lag(session);
}

void
session_heard(Session *session)
{
	if (session->state != SESSION_READY)
		return;
	session_list_remove(session);
	session_list_append(session, WAIT_SIGN);
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
	session->queue_bytes += (uint32_t) take_frame->len;
	session->sessions->counts.queued_bytes += take_frame->len;
	session->sessions->transport.want_write(session->socket);
	if (!session->is_paused && session->queue_bytes > SESSION_QUEUE_BYTES)
		set_paused(session, true);
}

static void
set_paused(Session *session, bool is_paused)
{
	session->is_paused = is_paused;
	session->sessions->counts.pauses += is_paused;
	session->sessions->transport.set_reading(session->socket, !is_paused);
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
	if (conversation_id == NULL)
	{
		lag->is_state_lost = true;
		return;
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
	Payload *frame =
		frame_lag(lag->ids, lag->is_many ? 0 : lag->count, lag->is_state_lost);

	session->lag = NULL;
	free(lag);
	session->sessions->counts.lags++;
	session_send(session, frame);
}
