#include "state_gather.h"

#include <stdlib.h>

#include "xalloc.h"

void
state_gather_init(StateGather *gather, bool is_users)
{
	gather->first = NULL;
	gather->end = &gather->first;
	gather->by_id = uuid_map_new();
	gather->is_users = is_users;
}

void
state_gather_fini(StateGather *gather)
{
	while (gather->first != NULL)
		state_gather_remove(gather, &gather->first);
	uuid_map_free(&gather->by_id);
}

size_t
state_gather_count(const StateGather *gather)
{
	return uuid_map_count(gather->by_id);
}

StateFrame *
state_gather_of(StateGather *gather, const Uuid *id)
{
	StateFrame *frame = uuid_map_get(gather->by_id, id);

	if (frame != NULL)
		return frame;
	frame = xcalloc(1, sizeof(*frame));
	frame->id = *id;
	frame->is_users = gather->is_users;
	buf_init(&frame->text);
	(void) uuid_map_put(gather->by_id, id, frame);
	*gather->end = frame;
	gather->end = &frame->next;
	return frame;
}

void
state_gather_remove(StateGather *gather, StateFrame **link)
{
	StateFrame *frame = *link;

	*link = frame->next;
	if (gather->end == &frame->next)
		gather->end = link;
	(void) uuid_map_remove(gather->by_id, &frame->id);
	buf_fini(&frame->text);
	free(frame);
}
