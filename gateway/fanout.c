#include "fanout.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "event_json.h"
#include "fanout_change.h"
#include "fanout_pull.h"
#include "fanout_turn.h"
#include "frames.h"
#include "log.h"
#include "seen.h"
#include "xalloc.h"

struct Fanout
{
	Registry *registry;
	FanoutPorts ports;
	void *arg;
	FanoutTurn *turn;
	Seen *seen;
	Seen *joins; /* who joined what is not here, by user */
	PullQueue *pulls;
	uint32_t mark;
	FanoutCounts counts;
};

static bool apply(Fanout *fanout, Conversation *conversation,
				  const Change *change);
static void pull_again(Fanout *fanout, Conversation *conversation,
					   bool at_once);
static void begin_anew(Fanout *fanout, Conversation *conversation,
					   const Pulled *pulled);
static bool apply_all(Fanout *fanout, Conversation *conversation,
					  const Pulled *pulled);
static void pull_rest(Fanout *fanout, Conversation *conversation, uint64_t head,
					  uint64_t before);
static void leave(Fanout *fanout, Membership *membership);
static void join(Fanout *fanout, User *user, const Uuid *conversation_id,
				 uint64_t ev, uint64_t seq);
static void doubt(Fanout *fanout, const Conversation *conversation,
				  const Change *change);
static void tell_invited(Fanout *fanout, const Change *change);
static void tell_user(Fanout *fanout, User *user, Payload *frame);
static void want(Fanout *fanout, Conversation *conversation, uint64_t ev);
static void jump(Fanout *fanout, Conversation *conversation, uint64_t ev);
static void start_pulls(Fanout *fanout);
static bool apply_row(Fanout *fanout, User *user, const HeadRow *row,
					  int64_t asked_us);
static bool drop_unmarked(Fanout *fanout, User *user, const HeadRows *rows);
static void look_again(Fanout *fanout, User *user);
static void forget(void *arg, Conversation *conversation);

Fanout *
fanout_new(Registry *registry, const FanoutPorts *ports, void *arg)
{
	Fanout *fanout = xcalloc(1, sizeof(*fanout));

	fanout->registry = registry;
	fanout->ports = *ports;
	fanout->arg = arg;
	fanout->seen = seen_new();
	fanout->joins = seen_new();
	fanout->pulls = pull_queue_new();
	fanout->turn =
		fanout_turn_new(&fanout->ports, arg, &fanout->counts.delivered);
	registry_on_forget(registry, forget, fanout);
	return fanout;
}

void
fanout_free(Fanout **fanout_ref)
{
	Fanout *fanout = *fanout_ref;

	if (fanout == NULL)
		return;
	*fanout_ref = NULL;
	fanout_flush(fanout);
	registry_on_forget(fanout->registry, NULL, NULL);
	fanout_turn_free(&fanout->turn);
	seen_free(&fanout->seen);
	seen_free(&fanout->joins);
	pull_queue_free(&fanout->pulls);
	free(fanout);
}

void
fanout_event(Fanout *fanout, const Event *event, const char *position)
{
	Conversation *conversation;
	Change change;
	User *user;
	Uuid key;

	if ((event->flags & EVENT_REPLAY) != 0 || event->ev == 0)
		return;
	memcpy(key.byte, event->key, sizeof(key.byte));
	conversation = registry_conversation(fanout->registry, &key);
	if (!fanout_change_from_event(event, position, &change))
		return;
	if (conversation == NULL)
	{
		seen_note(fanout->seen, &key, event->ev, clock_now_us());
		if (change.is_member && change.seating == SEATING_INVITED)
			tell_invited(fanout, &change);
		else if (change.is_member && change.seating == SEATING_JOINED)
		{
			/* Also of who comes in a moment and asks too early, see rows. */
			seen_note(fanout->joins, &change.user_id, 1, clock_now_us());
			user = registry_user(fanout->registry, &change.user_id);
			if (user != NULL)
			{
				user->awaited = key;
				user->awaited_since_us = clock_now_us();
				fanout->ports.look(fanout->arg, &user->id, 0);
			}
		}
		return;
	}
	if (event->ev <= conversation->ev)
	{
		fanout->counts.duplicates++;
		doubt(fanout, conversation, &change);
	}
	else if (event->ev == conversation->ev + 1)
		apply(fanout, conversation, &change);
	else
	{
		fanout->counts.holes++;
		want(fanout, conversation, event->ev);
	}
}

void
fanout_pulled(Fanout *fanout, const Pulled *pulled)
{
	Conversation *conversation =
		registry_conversation(fanout->registry, &pulled->conversation_id);

	pull_queue_done(fanout->pulls);

	/* Else asked for one that left since, and perhaps came again. */
	if (conversation != NULL && conversation->is_pulling &&
		pulled->after_ev <= conversation->ev)
	{
		uint64_t before = conversation->ev;

		conversation->is_pulling = false;
		if (pulled->is_failed)
			pull_again(fanout, conversation, pulled->is_left_out);
		else if (pulled->is_reset)
			begin_anew(fanout, conversation, pulled);
		else if (apply_all(fanout, conversation, pulled))
			pull_rest(fanout, conversation, pulled->head, before);
	}
	start_pulls(fanout);
}

bool
fanout_rows(Fanout *fanout, const HeadRows *rows)
{
	bool is_changed = false;
	uint32_t mark = ++fanout->mark;

	for (size_t i = 0; i < rows->row_count; i++)
	{
		User *user = registry_user(fanout->registry, &rows->rows[i].user_id);

		if (user != NULL && rows->rows[i].has_conversation &&
			apply_row(fanout, user, &rows->rows[i], rows->asked_us))
			is_changed = true;
	}
	assert(mark == fanout->mark);
	for (size_t i = 0; i < rows->user_count; i++)
	{
		User *user = registry_user(fanout->registry, &rows->users[i]);

		if (user == NULL)
			continue;
		if (drop_unmarked(fanout, user, rows))
			is_changed = true;

		/* She joined something just now; these rows may be too early. */
		if (seen_is_newer(fanout->joins, &user->id, 0,
						  rows->asked_us - FANOUT_SETTLE_US))
			fanout->ports.look(fanout->arg, &user->id, FANOUT_SETTLE_US / 1000);
		look_again(fanout, user);
	}
	start_pulls(fanout);
	return is_changed;
}

void
fanout_hint(Fanout *fanout, const Uuid *conversation_id, uint64_t ev)
{
	Conversation *conversation =
		registry_conversation(fanout->registry, conversation_id);

	if (conversation != NULL && ev > conversation->ev)
		want(fanout, conversation, ev);
}

void
fanout_flush(Fanout *fanout)
{
	fanout_turn_flush(fanout->turn);
}

void
fanout_tick(Fanout *fanout)
{
	start_pulls(fanout);
}

const FanoutCounts *
fanout_counts(const Fanout *fanout)
{
	return &fanout->counts;
}

/* The next event of a conversation.  False when the conversation left us. */
static bool
apply(Fanout *fanout, Conversation *conversation, const Change *change)
{
	User *user = change->is_member
					 ? registry_user(fanout->registry, &change->user_id)
					 : NULL;

	fanout->counts.events++;
	if (change->seq > conversation->seq)
		conversation->seq = change->seq;
	if (change->is_member)
	{
		conversation->member_ev = change->ev;
		conversation->size = SIZE_UNKNOWN;
	}
	conversation->ev = change->ev;
	if (user != NULL && change->seating != SEATING_JOINED)
	{
		Membership *membership = registry_membership(user, conversation);
		bool is_last = conversation->member_count == 1;

		if (membership != NULL)
		{
			leave(fanout, membership);
			if (is_last)
				return false;
		}
	}
	fanout_turn_append(fanout->turn, conversation, change);
	if (user != NULL && change->seating == SEATING_INVITED)
		tell_invited(fanout, change);
	if (user != NULL && change->seating == SEATING_JOINED &&
		registry_membership(user, conversation) == NULL)
		join(fanout, user, &conversation->id, conversation->ev,
			 conversation->seq);
	return true;
}

/* For as long as somebody of ours is in it. */
static void
pull_again(Fanout *fanout, Conversation *conversation, bool at_once)
{
	if (at_once ||
		!pull_queue_later(fanout->pulls, conversation, clock_now_us()))
		pull_queue_add(fanout->pulls, conversation);
}

static void
begin_anew(Fanout *fanout, Conversation *conversation, const Pulled *pulled)
{
	Payload *frame = frame_reset(pulled->position);

	for (uint32_t i = 0; i < conversation->member_count; i++)
		tell_user(fanout, conversation->members[i]->user, frame);
	payload_drop(frame);
	conversation->ev = pulled->head;
	conversation->wanted_ev = 0;
	conversation->member_ev = 0;
	conversation->size = SIZE_UNKNOWN;
}

/* What an answer holds.  False when the conversation left us. */
static bool
apply_all(Fanout *fanout, Conversation *conversation, const Pulled *pulled)
{
	Slice rest = { pulled->events, pulled->events_len };
	Slice json;
	bool is_bad = false;

	while (event_json_next(&rest, &json, &is_bad))
	{
		Change change;

		if (!fanout_change_from_json(json, pulled->position, &change))
		{
			is_bad = true;
			break;
		}
		change.conversation_id = conversation->id;
		if (change.ev > conversation->ev &&
			!apply(fanout, conversation, &change))
			return false;
	}
	if (is_bad)
		log_error("live_changes answered what is no array of events", NULL);
	else if (pulled->upto > conversation->ev)
		conversation->ev = pulled->upto;
	return true;
}

/* What is still wanted after an answer that began at before. */
static void
pull_rest(Fanout *fanout, Conversation *conversation, uint64_t head,
		  uint64_t before)
{
	bool is_nearer = conversation->ev > before;

	if (conversation->ev < head && conversation->wanted_ev < head)
		conversation->wanted_ev = head;
	if (is_nearer || conversation->ev >= conversation->wanted_ev)
		conversation->pull_tries = 0;
	if (conversation->ev >= conversation->wanted_ev)
		return;
	if (is_nearer)
		pull_queue_add(fanout->pulls, conversation);
	else if (!pull_queue_later(fanout->pulls, conversation, clock_now_us()))
	{
		log_warn("an announced change does not appear", "ev=%llu wanted=%llu",
				 (unsigned long long) conversation->ev,
				 (unsigned long long) conversation->wanted_ev);
		conversation->wanted_ev = conversation->ev;
	}
}

/* What was before the removal still goes to the one who leaves. */
static void
leave(Fanout *fanout, Membership *membership)
{
	User *user = membership->user;
	Conversation *conversation = membership->conversation;
	Payload *frame;

	fanout_turn_flush_one(fanout->turn, conversation);
	frame = frame_removed(&conversation->id);
	registry_leave(fanout->registry, membership);
	tell_user(fanout, user, frame);
	payload_drop(frame);
	fanout->counts.removed++;
}

static void
join(Fanout *fanout, User *user, const Uuid *conversation_id, uint64_t ev,
	 uint64_t seq)
{
	Membership *membership =
		registry_join(fanout->registry, user, conversation_id, ev, seq);
	Payload *frame = frame_added(conversation_id, membership->conversation->ev,
								 membership->conversation->seq);

	membership->since_us = clock_now_us();
	membership->mark = fanout->mark;
	tell_user(fanout, user, frame);
	payload_drop(frame);
	fanout->counts.added++;
}

/*
 * What somebody else's rows told of a conversation that is new here passes over
 * the events of its other members: theirs still say that they came or went.
 */
static void
doubt(Fanout *fanout, const Conversation *conversation, const Change *change)
{
	User *user = change->is_member
					 ? registry_user(fanout->registry, &change->user_id)
					 : NULL;
	bool is_member =
		user != NULL && registry_membership(user, conversation) != NULL;

	if (user == NULL)
		return;
	if (change->seating == SEATING_INVITED)
		tell_invited(fanout, change);
	if (is_member != (change->seating == SEATING_JOINED))
		fanout->ports.look(fanout->arg, &user->id, 0);
}

/* To her who is asked in; of the conversation nothing else. */
static void
tell_invited(Fanout *fanout, const Change *change)
{
	User *user = registry_user(fanout->registry, &change->user_id);
	Payload *frame;

	if (user == NULL)
		return;
	frame = frame_invited(&change->conversation_id);
	tell_user(fanout, user, frame);
	payload_drop(frame);
	fanout->counts.invited++;
}

static void
tell_user(Fanout *fanout, User *user, Payload *frame)
{
	for (Seat *seat = user->seats; seat != NULL; seat = seat->next)
		fanout->ports.tell(fanout->arg, seat, frame);
}

static void
want(Fanout *fanout, Conversation *conversation, uint64_t ev)
{
	if (ev > conversation->wanted_ev)
		conversation->wanted_ev = ev;
	if (ev > conversation->ev + FANOUT_PULL_MAX)
		jump(fanout, conversation, ev);
	else
	{
		pull_queue_add(fanout->pulls, conversation);
		start_pulls(fanout);
	}
}

/* Too far behind to carry it all: each client pulls what it looks at. */
static void
jump(Fanout *fanout, Conversation *conversation, uint64_t ev)
{
	Payload *frame = frame_lag(&conversation->id, 1, false);

	fanout->counts.lags++;
	fanout_turn_flush_one(fanout->turn, conversation);
	conversation->ev = ev;
	conversation->size = SIZE_UNKNOWN;
	for (uint32_t i = 0; i < conversation->member_count; i++)
	{
		User *user = conversation->members[i]->user;

		tell_user(fanout, user, frame);

		/* A membership event may have been among what we jump over. */
		fanout->ports.look(fanout->arg, &user->id, 0);
	}
	payload_drop(frame);
}

static void
start_pulls(Fanout *fanout)
{
	Conversation *conversation;

	while ((conversation = pull_queue_next(fanout->pulls, fanout->registry,
										   clock_now_us())) != NULL)
	{
		fanout->counts.pulls++;
		conversation->is_pulling = true;
		fanout->ports.pull(fanout->arg, &conversation->id, conversation->ev);
	}
}

static bool
apply_row(Fanout *fanout, User *user, const HeadRow *row, int64_t asked_us)
{
	Conversation *conversation =
		registry_conversation(fanout->registry, &row->conversation_id);
	Membership *membership =
		conversation != NULL ? registry_membership(user, conversation) : NULL;

	if (membership == NULL)
	{
		bool is_new = conversation == NULL;

		if (!is_new && row->ev < conversation->member_ev)
		{
			/* Older than an event of this conversation's members. */
			fanout->ports.look(fanout->arg, &user->id, 50);
			return true;
		}
		join(fanout, user, &row->conversation_id, row->ev, row->seq);
		conversation =
			registry_conversation(fanout->registry, &row->conversation_id);
		if (is_new && seen_is_newer(fanout->seen, &row->conversation_id,
									row->ev, asked_us - FANOUT_SETTLE_US))
			pull_queue_add(fanout->pulls, conversation);
		if (row->ev > conversation->ev)
			want(fanout, conversation, row->ev);
		return true;
	}
	membership->mark = fanout->mark;
	if (row->ev <= conversation->ev)
		return false;
	want(fanout, conversation, row->ev);
	return true;
}

/* Ends the memberships that the rows did not name. */
static bool
drop_unmarked(Fanout *fanout, User *user, const HeadRows *rows)
{
	bool is_changed = false;

	for (uint32_t i = user->membership_count; i > 0; i--)
	{
		Membership *membership = user->memberships[i - 1];

		if (membership->mark == fanout->mark ||
			(rows->channel >= 0 &&
			 membership->conversation->channel != rows->channel))
			continue;
		is_changed = true;
		if (membership->since_us + FANOUT_SETTLE_US > rows->asked_us)
			fanout->ports.look(fanout->arg, &user->id, FANOUT_SETTLE_US / 1000);
		else
			leave(fanout, membership);
	}
	return is_changed;
}

/* Soon, when the rows did not show yet what she joined. */
static void
look_again(Fanout *fanout, User *user)
{
	int64_t since_us = clock_now_us() - user->awaited_since_us;
	Conversation *conversation;

	if (user->awaited_since_us == 0)
		return;
	conversation = registry_conversation(fanout->registry, &user->awaited);
	if (since_us >= FANOUT_SETTLE_US ||
		(conversation != NULL &&
		 registry_membership(user, conversation) != NULL))
		user->awaited_since_us = 0;
	else
		fanout->ports.look(fanout->arg, &user->id,
						   since_us / 1000 + FANOUT_AGAIN_MS);
}

static void
forget(void *arg, Conversation *conversation)
{
	(void) arg;
	fanout_turn_forget(conversation);
}
