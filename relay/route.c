#include "route.h"

#include "partition.h"
#include "topics.h"

const char *const route_topic_names[ROUTE_TOPICS] = {
	[ROUTE_MESSAGES] = TOPIC_MESSAGES,
	[ROUTE_CONVERSATIONS] = TOPIC_CONVERSATIONS,
	[ROUTE_USERS] = TOPIC_USERS,
	[ROUTE_DEAD] = TOPIC_DEAD_MESSAGES,
};

static void
add_target(Route *route, uint32_t hash, RouteTopic topic,
		   const int partitions[ROUTE_TOPICS])
{
	RouteTarget *target = &route->targets[route->target_count++];

	target->topic = topic;
	target->partition = (int32_t) (hash % (uint32_t) partitions[topic]);
}

void
route_event(const Event *event, const int partitions[ROUTE_TOPICS],
			Route *route)
{
	uint32_t hash;

	partition_key_text(event->key, route->key);
	hash = partition_murmur2(route->key, ROUTE_KEY_LEN) & 0x7fffffff;
	route->target_count = 0;
	switch (event->kind)
	{
		case EVENT_MESSAGE:
		case EVENT_MEMBER:
		case EVENT_REACTION:
			add_target(route, hash, ROUTE_MESSAGES, partitions);
			break;
		case EVENT_CONVERSATION:
			add_target(route, hash, ROUTE_MESSAGES, partitions);
			add_target(route, hash, ROUTE_CONVERSATIONS, partitions);
			break;
		case EVENT_USER:
		case EVENT_CURSOR:
		case EVENT_PREFERENCE:
		case EVENT_BLOCK:
			add_target(route, hash, ROUTE_USERS, partitions);
			break;
	}
}

int32_t
route_dead_partition(const Route *route, const int partitions[ROUTE_TOPICS])
{
	return (int32_t) partition_of(route->key, ROUTE_KEY_LEN,
								  (uint32_t) partitions[ROUTE_DEAD]);
}
