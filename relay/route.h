/*
 * route - which records an event becomes
 *
 * Everything with an `ev` goes to chat.messages.v1, keyed by conversation, so
 * that one partition holds a conversation's whole history; a conversation's
 * own state also to chat.conversations.v1 (compacted); what belongs to a user
 * to chat.users.v1.  One or two targets, in the order they are to be sent.
 *
 * Pure.
 */
#ifndef CHEMCHAT_ROUTE_H
#define CHEMCHAT_ROUTE_H

#include <stdint.h>

#include "event.h"

/* Indexes into the producer's topics; route_topic_name gives the names. */
typedef enum RouteTopic
{
	ROUTE_MESSAGES,
	ROUTE_CONVERSATIONS,
	ROUTE_USERS,
	ROUTE_DEAD
} RouteTopic;

#define ROUTE_TOPICS      4
#define ROUTE_MAX_TARGETS 2
#define ROUTE_KEY_LEN     36

typedef struct RouteTarget
{
	RouteTopic topic;
	int32_t partition;
} RouteTarget;

typedef struct Route
{
	char key[ROUTE_KEY_LEN]; /* of every target; no NUL */
	int target_count;
	RouteTarget targets[ROUTE_MAX_TARGETS];
} Route;

extern const char *const route_topic_names[ROUTE_TOPICS];

/* partitions: of each RouteTopic, all > 0. */
void route_event(const Event *event, const int partitions[ROUTE_TOPICS],
				 Route *route);

/* Where the dead letter of a record with this key goes. */
int32_t route_dead_partition(const Route *route,
							 const int partitions[ROUTE_TOPICS]);

#endif
