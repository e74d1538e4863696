#include "long_poll.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "entry.h"
#include "event_json.h"
#include "frames.h"
#include "poll_cursor.h"
#include "uuid_map.h"
#include "xalloc.h"

typedef struct Frames
{
	Payload **frame;
	int count;
	int cap;
	size_t bytes;
} Frames;

typedef struct Poll
{
	Polls *polls;
	Session *session;
	struct Poll *next;
	struct Poll *prev;
	RestCall *waiting; /* NULL: nobody asks */
	int64_t answer_by_us;
	int64_t idle_since_us;
	PollCursor cursor; /* of what was given last */
	Frames given;      /* with that number */
	Frames pending;
	uint16_t close_code; /* 0: open */
	bool is_entering;    /* is called back by entry */
	bool is_reset;
} Poll;

struct Polls
{
	Chat *chat;
	Sessions *sessions;
	UuidMap *by_id;
	Poll *all;
	int count;
	bool is_dirty; /* somebody who waits may be answered */
	int64_t looked_us;
};

static bool poll_write(void *socket, Payload *payload);
static void poll_want_write(void *socket);
static void poll_ping(void *socket);
static void poll_set_reading(void *socket, bool is_reading);
static void poll_close(void *socket, uint16_t code, const char *reason);

static Poll *find(const Polls *polls, const RestCall *call,
				  const PollCursor *cursor);
static void resume(Poll *poll, RestCall *take_call, uint64_t number);
static void begin(Polls *polls, RestCall *take_call, const char *position);
static void make_room(Polls *polls, const Uuid *user_id);
static void on_entered(void *arg, const Entered *entered);
static void give(Poll *poll);
static void answer(Poll *poll, RestCall *take_call, bool is_resync);
static void refuse_closed(Poll *poll);
static void on_gone(void *arg);
static void end(Poll *poll);
static void frames_add(Frames *frames, Payload *take_frame);
static void frames_drop(Frames *frames);
static void note_position(PollCursor *cursor, const Payload *frame);

static const Transport poll_transport = { .write = poll_write,
										  .want_write = poll_want_write,
										  .ping = poll_ping,
										  .set_reading = poll_set_reading,
										  .close = poll_close };

Polls *
polls_new(Chat *chat)
{
	Polls *polls = xcalloc(1, sizeof(*polls));

	polls->chat = chat;
	polls->sessions = sessions_new(chat->registry, &poll_transport);
	polls->by_id = uuid_map_new();
	return polls;
}

void
polls_free(Polls **polls_ref)
{
	Polls *polls = *polls_ref;
	Poll *next;

	if (polls == NULL)
		return;
	*polls_ref = NULL;
	for (Poll *poll = polls->all; poll != NULL; poll = next)
	{
		next = poll->next;
		end(poll);
	}
	uuid_map_free(&polls->by_id);
	sessions_free(&polls->sessions);
	free(polls);
}

int
polls_count(const Polls *polls)
{
	return polls->count;
}

size_t
polls_bytes(const Polls *polls)
{
	size_t bytes = 0;

	for (const Poll *poll = polls->all; poll != NULL; poll = poll->next)
		bytes += poll->pending.bytes + poll->given.bytes;
	return bytes;
}

Sessions *
polls_sessions(const Polls *polls)
{
	return polls->sessions;
}

void
rest_events(RestCall *take_call)
{
	Polls *polls = take_call->chat->polls;
	const VerbValue *text = rest_value(take_call, "cursor");
	PollCursor cursor;
	Poll *poll;

	if (!text->is_set || text->len == 0)
	{
		begin(polls, take_call, NULL);
		return;
	}
	if (!poll_cursor_parse(text->text, &cursor))
	{
		rest_refuse(take_call, "invalid_argument", "cursor");
		return;
	}
	poll = find(polls, take_call, &cursor);
	if (poll == NULL)
		begin(polls, take_call, cursor.position);
	else
		resume(poll, take_call, cursor.number);
}

void
polls_turn(Polls *polls)
{
	int64_t now_us = clock_now_us();
	Poll *next;

	if (!polls->is_dirty && now_us - polls->looked_us < 50000)
		return;
	polls->is_dirty = false;
	polls->looked_us = now_us;
	for (Poll *poll = polls->all; poll != NULL; poll = next)
	{
		next = poll->next;
		if (poll->is_entering)
			continue;
		if (poll->waiting != NULL &&
			(poll->pending.count > 0 || poll->close_code != 0 ||
			 now_us >= poll->answer_by_us))
			give(poll);
		else if (poll->close_code != 0)
			end(poll);
		else if (poll->waiting == NULL &&
				 now_us - poll->idle_since_us > (int64_t) 1000 * POLL_IDLE_MS)
			end(poll);
	}
}

void
polls_tick(Polls *polls)
{
	sessions_tick(polls->sessions);
}

/* ---- the session's transport ---- */

static bool
poll_write(void *socket, Payload *payload)
{
	Poll *poll = socket;

	if (poll->pending.count > 0 &&
		poll->pending.bytes + payload->len > POLL_BYTES)
		return false;
	frames_add(&poll->pending, payload_take(payload));
	poll->polls->is_dirty = true;
	return true;
}

/* It is told when frames are given: there is room only then. */
static void
poll_want_write(void *socket)
{
	(void) socket;
}

/* As long as it is asked for it is alive; polls_turn looks at that. */
static void
poll_ping(void *socket)
{
	Poll *poll = socket;

	session_heard(poll->session);
}

static void
poll_set_reading(void *socket, bool is_reading)
{
	(void) socket;
	(void) is_reading;
}

static void
poll_close(void *socket, uint16_t code, const char *reason)
{
	Poll *poll = socket;

	(void) reason;
	poll->close_code = code;
	poll->polls->is_dirty = true;
}

/* ---- a request ---- */

/* The cursor's session, when it is this user's and knows that number. */
static Poll *
find(const Polls *polls, const RestCall *call, const PollCursor *cursor)
{
	Poll *poll = uuid_map_get(polls->by_id, &cursor->session_id);

	if (poll == NULL || poll->is_entering || poll->close_code != 0 ||
		!uuid_equal(&session_user(poll->session)->id, &call->identity.user_id))
		return NULL;
	if (cursor->number != poll->cursor.number &&
		(cursor->number + 1 != poll->cursor.number || poll->given.count == 0))
		return NULL;
	return poll;
}

static void
resume(Poll *poll, RestCall *take_call, uint64_t number)
{
	int64_t timeout_ms = rest_value(take_call, "timeoutMs")->number;
	RestCall *earlier = poll->waiting;

	poll->waiting = NULL;
	if (earlier != NULL)
		answer(poll, earlier, false); /* this one takes its place */
	if (number != poll->cursor.number)
	{
		answer(poll, take_call, false); /* what got lost, again */
		return;
	}
	frames_drop(&poll->given);
	session_set_identity(poll->session, &take_call->identity);
	poll->waiting = take_call;
	poll->answer_by_us = clock_now_us() + timeout_ms * 1000;
	http_request_on_gone(take_call->request, on_gone, poll);
	if (poll->pending.count > 0 || timeout_ms == 0)
		give(poll);
}

static void
begin(Polls *polls, RestCall *take_call, const char *position)
{
	Poll *poll;

	make_room(polls, &take_call->identity.user_id);
	if (polls->count >= POLL_MAX)
	{
		rest_refuse(take_call, "unavailable", "");
		return;
	}
	poll = xcalloc(1, sizeof(*poll));
	poll->polls = polls;
	poll->session = session_new(polls->sessions, poll, NULL);
	session_set_state(poll->session, SESSION_ENTERING);
	poll->cursor.session_id = *session_id(poll->session);
	poll->waiting = take_call;
	poll->is_entering = true;
	poll->next = polls->all;
	if (polls->all != NULL)
		polls->all->prev = poll;
	polls->all = poll;
	polls->count++;
	uuid_map_put(polls->by_id, &poll->cursor.session_id, poll);
	entry_begin(polls->chat, poll->session, &take_call->identity, position,
				on_entered, poll);
}

/* Who begins again and again does not lock herself out: her idlest one goes. */
static void
make_room(Polls *polls, const Uuid *user_id)
{
	const User *user = registry_user(polls->chat->registry, user_id);
	Poll *idlest = NULL;

	if (user == NULL ||
		user->seat_count < (uint32_t) polls->chat->user_connections_max)
		return;
	for (Poll *poll = polls->all; poll != NULL; poll = poll->next)
	{
		if (!poll->is_entering && poll->waiting == NULL &&
			session_user(poll->session) == user &&
			(idlest == NULL || poll->idle_since_us < idlest->idle_since_us))
			idlest = poll;
	}
	if (idlest != NULL)
		end(idlest);
}

static void
on_entered(void *arg, const Entered *entered)
{
	Poll *poll = arg;
	RestCall *call = poll->waiting;
	Problem problem = { .code = entered->code, .offset = -1 };

	poll->is_entering = false;
	poll->waiting = NULL;
	if (entered->code != NULL)
	{
		if (strcmp(entered->code, "rate_limited") == 0)
			problem.retry_ms = entered->retry_ms > 0 ? entered->retry_ms : 5000;
		rest_refuse_with(call, &problem);
		end(poll);
		return;
	}
	if (poll->close_code != 0)
	{
		rest_refuse(call, "invalid_token", "");
		end(poll);
		return;
	}
	poll->polls->chat->counts.welcomes++;
	session_set_state(poll->session, SESSION_READY);
	poll->is_reset = entered->is_reset;
	position_format(&entered->now, poll->cursor.position);
	answer(poll, call, true);
}

/* What has come, or that nothing has. */
static void
give(Poll *poll)
{
	RestCall *call = poll->waiting;

	poll->waiting = NULL;
	http_request_on_gone(call->request, NULL, NULL);
	/* With its token goes what was gathered: the next one asks `heads`. */
	if (poll->close_code == CLOSE_TOKEN ||
		(poll->close_code != 0 && poll->pending.count == 0))
	{
		poll->waiting = call;
		refuse_closed(poll);
		return;
	}
	if (poll->pending.count > 0)
	{
		poll->given = poll->pending;
		memset(&poll->pending, 0, sizeof(poll->pending));
		poll->cursor.number++;
		for (int i = 0; i < poll->given.count; i++)
			note_position(&poll->cursor, poll->given.frame[i]);
		if (poll->close_code == 0)
			session_writable(poll->session); /* what had no room */
	}
	answer(poll, call, false);
}

static void
answer(Poll *poll, RestCall *take_call, bool is_resync)
{
	char cursor[POLL_CURSOR_SIZE];
	Buf fields;

	http_request_on_gone(take_call->request, NULL, NULL);
	poll->idle_since_us = clock_now_us();
	buf_init(&fields);
	buf_printf(&fields, "\"resync\":%s", is_resync ? "true" : "false");
	if (is_resync)
		buf_printf(&fields, ",\"isReset\":%s",
				   poll->is_reset ? "true" : "false");
	buf_append_str(&fields, ",\"frames\":[");
	for (int i = 0; i < poll->given.count; i++)
	{
		if (i > 0)
			buf_append_char(&fields, ',');
		buf_append(&fields, payload_text(poll->given.frame[i]),
				   poll->given.frame[i]->len);
	}
	buf_append_char(&fields, ']');
	frame_text_field(&fields, "position", poll->cursor.position);
	frame_text_field(&fields, "next",
					 poll_cursor_format(&poll->cursor, cursor));
	rest_answer(take_call, 200, &fields, NULL);
	buf_fini(&fields);
}

/* Its session was closed, and nothing is left to tell. */
static void
refuse_closed(Poll *poll)
{
	RestCall *call = poll->waiting;

	poll->waiting = NULL;
	rest_refuse(call,
				poll->close_code == CLOSE_TOKEN ? "invalid_token"
												: "unavailable",
				"");
	end(poll);
}

/* The client hung up: it will come again, with the same cursor. */
static void
on_gone(void *arg)
{
	Poll *poll = arg;
	RestCall *call = poll->waiting;

	poll->waiting = NULL;
	if (call != NULL)
		answer(poll, call, false);
}

static void
end(Poll *poll)
{
	Polls *polls = poll->polls;

	RestCall *call = poll->waiting;

	poll->waiting = NULL;
	if (call != NULL && poll->is_entering)
		rest_refuse(call, "unavailable", ""); /* at our own end only */
	else if (call != NULL)
		answer(poll, call, false);
	uuid_map_remove(polls->by_id, &poll->cursor.session_id);
	if (poll->prev != NULL)
		poll->prev->next = poll->next;
	else
		polls->all = poll->next;
	if (poll->next != NULL)
		poll->next->prev = poll->prev;
	polls->count--;
	session_gone(&poll->session);
	frames_drop(&poll->given);
	frames_drop(&poll->pending);
	free(poll);
}

static void
frames_add(Frames *frames, Payload *take_frame)
{
	if (frames->count == frames->cap)
	{
		frames->cap = frames->cap == 0 ? 4 : 2 * frames->cap;
		frames->frame = xrealloc(frames->frame, (size_t) frames->cap *
													sizeof(frames->frame[0]));
	}
	frames->frame[frames->count++] = take_frame;
	frames->bytes += take_frame->len;
}

static void
frames_drop(Frames *frames)
{
	for (int i = 0; i < frames->count; i++)
		payload_drop(frames->frame[i]);
	free(frames->frame);
	memset(frames, 0, sizeof(*frames));
}

/* The last position that the client is told. */
static void
note_position(PollCursor *cursor, const Payload *frame)
{
	Slice text = { (const char *) frame->bytes + PAYLOAD_HEADROOM, frame->len };
	Slice position;

	if (!event_json_field(text, "position", &position) ||
		position.len >= sizeof(cursor->position))
		return;
	memcpy(cursor->position, position.at, position.len);
	cursor->position[position.len] = '\0';
}
