#include "fanout_change.h"

#include <string.h>

static Seating seating_of(Slice json);

bool
fanout_change_from_json(Slice json, const char *position, Change *change)
{
	Slice user;

	memset(change, 0, sizeof(*change));
	change->json = json;
	change->position = position;
	if (!event_json_number(json, "ev", &change->ev))
		return false;
	if (event_json_is(json, "kind", "message"))
		return event_json_number(json, "seq", &change->seq);
	if (event_json_is(json, "kind", "member"))
	{
		change->is_member = true;
		change->seating = seating_of(json);
		return event_json_field(json, "userId", &user) &&
			   uuid_parse(user.at, user.len, &change->user_id);
	}
	return true;
}

bool
fanout_change_from_event(const Event *event, const char *position,
						 Change *change)
{
	memset(change, 0, sizeof(*change));
	change->json.at = event->json;
	change->json.len = event->json_len;
	change->position = position;
	change->ev = event->ev;
	change->seq = event->seq;
	memcpy(change->conversation_id.byte, event->key,
		   sizeof(change->conversation_id.byte));
	if (event->kind == EVENT_MEMBER)
	{
		change->is_member = true;
		memcpy(change->user_id.byte, event->id, sizeof(change->user_id.byte));
		change->seating = seating_of(change->json);
	}
	return true;
}

static Seating
seating_of(Slice json)
{
	if (event_json_is(json, "state", "joined"))
		return SEATING_JOINED;
	if (event_json_is(json, "state", "invited"))
		return SEATING_INVITED;
	return SEATING_REMOVED;
}
