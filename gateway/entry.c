#include "entry.h"

#include <stdlib.h>

#include "xalloc.h"

typedef struct Entry
{
	Chat *chat;
	EnteredFn done;
	void *arg;
	bool has_position;
	bool is_position_odd;
	Position seen;
	Entered result;
} Entry;

static void on_rows(void *arg, const DbError *error, bool is_known,
					const Position *position);
static void on_status(void *arg, const DbError *error, bool is_reset);
static void finish(Entry *take_entry);

void
entry_begin(Chat *chat, Session *session, const Identity *identity,
			const char *position, EnteredFn done, void *arg)
{
	const User *user = registry_user(chat->registry, &identity->user_id);
	Entry *entry = xcalloc(1, sizeof(*entry));

	entry->chat = chat;
	entry->done = done;
	entry->arg = arg;
	if (user != NULL &&
		user->seat_count >= (uint32_t) chat->user_connections_max)
	{
		entry->result.code = "rate_limited";
		finish(entry);
		return;
	}
	if (!admission_entry(&chat->admission, roster_waiting(chat->roster),
						 &entry->result.retry_ms))
	{
		entry->result.code = "rate_limited";
		finish(entry);
		return;
	}
	if (position != NULL)
	{
		entry->has_position = true;
		entry->is_position_odd = !position_parse(position, &entry->seen);
	}
	session_set_identity(session, identity);
	registry_sit(chat->registry, &identity->user_id, session_seat(session));
	roster_look(chat->roster, &identity->user_id, 0, on_rows, entry);
}

static void
on_rows(void *arg, const DbError *error, bool is_known,
		const Position *position)
{
	Entry *entry = arg;

	entry->result.code = error->code;
	if (error->code == NULL && !is_known)
		entry->result.code = "invalid_token";
	if (entry->result.code == NULL)
	{
		entry->result.now = *position;
		entry->result.is_reset = entry->is_position_odd;
		if (entry->has_position && !entry->is_position_odd &&
			!position_is_before(&entry->seen, &entry->result.now))
		{
			db_position_status(entry->chat->db, &entry->seen, on_status, entry);
			return;
		}
	}
	finish(entry);
}

static void
on_status(void *arg, const DbError *error, bool is_reset)
{
	Entry *entry = arg;

	entry->result.code = error->code;
	entry->result.is_reset = is_reset;
	finish(entry);
}

static void
finish(Entry *take_entry)
{
	take_entry->done(take_entry->arg, &take_entry->result);
	free(take_entry);
}
