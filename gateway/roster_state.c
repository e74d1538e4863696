#include "roster_state.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "xalloc.h"

#define MARK_SIZE 96

/* Above this a conversation's members are looked at, but for no more. */
#define ROWS_A_CONVERSATION 20

/* More broken channels than this are one walk over all. */
#define CHANNELS_APART 4

typedef struct StateMark
{
	char text[MARK_SIZE]; /* "": none */
	uint64_t lsn;
} StateMark;

/* One pass: all users, then all conversations. */
typedef struct StateWalk
{
	bool is_walking;
	bool is_asking;
	bool is_first; /* its first answer gives the mark it began with */
	bool is_lap;
	int channel;
	uint32_t user_at; /* users at and above were asked about */
	uint32_t conversation_at;
	uint32_t looked_at; /* rows of the question under way, about */
	int64_t began_us;
	int64_t next_us;
	StateMark began;
} StateWalk;

struct RosterState
{
	Db *db;
	Registry *registry;
	FanoutState *state;
	int64_t rows_per_second;
	int members_max;
	bool is_polled;
	uint64_t broken; /* one bit per channel */
	StateWalk walk;
	StateMark certain; /* up to here everything was told */
	StateMark pending; /* live: not heard beyond it yet */
	bool is_marking;
	int64_t mark_at_us;
	int64_t calm_at_us; /* no mark counts before */
	int64_t lap_at_us;
	RosterStateCounts counts;
};

static void begin(RosterState *roster, bool is_lap, int channel);
static void ask(RosterState *roster);
static void on_rows(void *arg, const StateRow *rows, size_t count,
					const char *mark, uint64_t lsn);
static void walked(RosterState *roster);
static void advance(RosterState *roster, uint64_t heard_lsn);
static void on_mark(void *arg, const StateRow *rows, size_t count,
					const char *mark, uint64_t lsn);
static void on_audience(void *arg, const AudienceRow *rows, size_t count);
static void mark_set(StateMark *to, const char *text, uint64_t lsn);

RosterState *
roster_state_new(Db *db, Registry *registry, FanoutState *state,
				 int64_t rows_per_second, int members_max)
{
	RosterState *roster = xcalloc(1, sizeof(*roster));

	roster->db = db;
	roster->registry = registry;
	roster->state = state;
	roster->rows_per_second = rows_per_second;
	roster->members_max = members_max;
	roster->is_polled = true;
	return roster;
}

void
roster_state_free(RosterState **roster)
{
	free(*roster);
	*roster = NULL;
}

void
roster_state_ask(RosterState *roster, const Uuid *users, int user_count,
				 const Uuid *conversations, int conversation_count)
{
	db_live_audience(roster->db, users, user_count, conversations,
					 conversation_count, roster->members_max, on_audience,
					 roster);
}

void
roster_state_repair(RosterState *roster, int channel)
{
	roster->broken |=
		channel < 0 ? ~UINT64_C(0) : UINT64_C(1) << (unsigned) channel;
	roster->pending.text[0] = '\0';
	roster->calm_at_us = clock_now_us() + ROSTER_STATE_CALM_MS * 1000;
}

void
roster_state_set_polled(RosterState *roster, bool is_polled)
{
	roster->is_polled = is_polled;
	roster->pending.text[0] = '\0';
	roster->calm_at_us = clock_now_us() + ROSTER_STATE_CALM_MS * 1000;
	roster->lap_at_us = 0;
}

void
roster_state_tick(RosterState *roster, uint64_t heard_lsn)
{
	int64_t now_us = clock_now_us();

	if (!roster->walk.is_walking)
	{
		if (roster->broken != 0)
		{
			bool is_many =
				__builtin_popcountll(roster->broken) > CHANNELS_APART;

			begin(roster, false,
				  is_many ? -1 : __builtin_ctzll(roster->broken));
			roster->broken =
				is_many ? 0 : roster->broken & (roster->broken - 1);
		}
		else if (roster->is_polled && now_us >= roster->lap_at_us)
			begin(roster, true, -1);
		else
			advance(roster, heard_lsn);
	}
	if (roster->walk.is_walking && !roster->walk.is_asking &&
		now_us >= roster->walk.next_us)
		ask(roster);
}

const RosterStateCounts *
roster_state_counts(const RosterState *roster)
{
	return &roster->counts;
}

static void
begin(RosterState *roster, bool is_lap, int channel)
{
	StateWalk *walk = &roster->walk;

	memset(walk, 0, sizeof(*walk));
	walk->is_walking = true;
	walk->is_first = true;
	walk->is_lap = is_lap;
	walk->channel = channel;
	walk->user_at = UINT32_MAX;
	walk->conversation_at = UINT32_MAX;
	walk->began_us = clock_now_us();
}

/* Downwards: who is moved into a hole was asked about already. */
static void
ask(RosterState *roster)
{
	StateWalk *walk = &roster->walk;
	uint32_t users = registry_user_count(roster->registry);
	uint32_t conversations = registry_conversation_count(roster->registry);
	Uuid ids[ROSTER_STATE_IDS];
	DbStatesAsk question = { .since = roster->certain.text[0] != '\0'
										  ? roster->certain.text
										  : NULL,
							 .channel = walk->channel,
							 .members_max = roster->members_max };
	int count = 0;

	if (walk->user_at > users)
		walk->user_at = users;
	if (walk->conversation_at > conversations)
		walk->conversation_at = conversations;
	walk->looked_at = 0;
	while (walk->user_at > 0 && count < ROSTER_STATE_IDS)
	{
		const User *user = registry_user_at(roster->registry, --walk->user_at);

		walk->looked_at += 1 + user->membership_count;
		ids[count++] = user->id;
	}
	if (count > 0)
	{
		question.users = ids;
		question.user_count = count;
	}
	else
	{
		while (walk->conversation_at > 0 && count < ROSTER_STATE_IDS)
		{
			const Conversation *conversation =
				registry_conversation_at(roster->registry,
										 --walk->conversation_at);

			if (conversation->size == SIZE_LARGE)
				continue;
			walk->looked_at += conversation->member_count > ROWS_A_CONVERSATION
								   ? conversation->member_count
								   : ROWS_A_CONVERSATION;
			ids[count++] = conversation->id;
		}
		question.conversations = ids;
		question.conversation_count = count;
	}
	walk->is_asking = true;
	db_live_states(roster->db, &question, on_rows, roster);
}

static void
on_rows(void *arg, const StateRow *rows, size_t count, const char *mark,
		uint64_t lsn)
{
	RosterState *roster = arg;
	StateWalk *walk = &roster->walk;
	int64_t now_us = clock_now_us();

	walk->is_asking = false;
	if (mark == NULL)
	{
		/* From the beginning: what was asked about is not remembered. */
		begin(roster, walk->is_lap, walk->channel);
		walk->next_us = now_us + ROSTER_STATE_RETRY_MS * 1000;
		return;
	}
	if (walk->is_first)
	{
		mark_set(&walk->began, mark, lsn);
		walk->is_first = false;
	}
	roster->counts.rows += count;
	fanout_state_rows(roster->state, rows, count);
	walk->next_us =
		now_us + (int64_t) walk->looked_at * 1000000 / roster->rows_per_second;
	if (walk->user_at == 0 && walk->conversation_at == 0)
		walked(roster);
}

static void
walked(RosterState *roster)
{
	StateWalk *walk = &roster->walk;

	walk->is_walking = false;
	if (!walk->is_lap)
	{
		roster->counts.repairs++;
		return;
	}
	roster->counts.laps++;
	roster->counts.lap_us = clock_now_us() - walk->began_us;
	roster->lap_at_us = clock_now_us() + ROSTER_STATE_LAP_MS * 1000;

	/* A lap of a moment in which the channels were broken is as good. */
	roster->certain = walk->began;
}

/* Live: the mark that is heard beyond becomes certain; then the next one. */
static void
advance(RosterState *roster, uint64_t heard_lsn)
{
	int64_t now_us = clock_now_us();

	if (roster->is_polled || now_us < roster->calm_at_us)
		return;
	if (roster->pending.text[0] != '\0')
	{
		if (heard_lsn <= roster->pending.lsn)
			return;
		roster->certain = roster->pending;
		roster->pending.text[0] = '\0';
	}
	if (!roster->is_marking && now_us >= roster->mark_at_us)
	{
		DbStatesAsk question = { .channel = -1 };

		roster->is_marking = true;
		roster->mark_at_us = now_us + ROSTER_STATE_MARK_MS * 1000;
		db_live_states(roster->db, &question, on_mark, roster);
	}
}

static void
on_mark(void *arg, const StateRow *rows, size_t count, const char *mark,
		uint64_t lsn)
{
	RosterState *roster = arg;

	(void) rows;
	(void) count;
	roster->is_marking = false;

	/* Not one that was asked for before a channel broke. */
	if (mark != NULL && !roster->is_polled && roster->broken == 0 &&
		clock_now_us() >= roster->calm_at_us)
		mark_set(&roster->pending, mark, lsn);
}

static void
on_audience(void *arg, const AudienceRow *rows, size_t count)
{
	RosterState *roster = arg;

	fanout_state_audience(roster->state, rows, count);
}

static void
mark_set(StateMark *to, const char *text, uint64_t lsn)
{
	to->text[0] = '\0';
	strncat(to->text, text, sizeof(to->text) - 1);
	to->lsn = lsn;
}
