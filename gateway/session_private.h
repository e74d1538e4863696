/*
 * session_private - a session as its two sources see it
 *
 * session.c is one client, sessions.c is all of them and their clocks.  For
 * these alone.
 */
#ifndef CHEMCHAT_SESSION_PRIVATE_H
#define CHEMCHAT_SESSION_PRIVATE_H

#include "rate_limit.h"
#include "sessions.h"

#define EXPIRY_SLOTS 512
#define QUARTERS     4 /* of a second, the clock of the wait lists */

typedef enum WaitList
{
	WAIT_HELLO,
	WAIT_SIGN,
	WAIT_PONG,
	WAIT_NOTHING,
	WAIT_LISTS
} WaitList;

typedef struct Queued
{
	struct Queued *next;
	Payload *frame;
} Queued;

typedef struct Lag
{
	int count;
	bool is_many;
	bool is_state_lost;
	Uuid ids[SESSION_LAG_MAX];
} Lag;

struct Session
{
	Seat seat; /* first: session_of_seat */
	Sessions *sessions;
	void *socket;
	char *token;
	Session *next; /* on its wait list */
	Session *prev;
	Session *expiry_next;
	Session *expiry_prev;
	Request *requests;
	Queued *queue;
	Queued *queue_tail;
	Lag *lag;
	uint32_t queue_bytes;
	uint32_t since;     /* on the wait list: quarters of a second */
	uint32_t expires_s; /* seconds since 1970; 0: not known yet */
	Identity identity;
	uint8_t state;
	uint8_t list;
	uint8_t request_count;
	bool is_paused; /* nothing is read until the queue is shorter */
	RateLimit asks;
	Uuid id;
};

typedef struct List
{
	Session *head;
	Session *tail;
} List;

struct Sessions
{
	Registry *registry;
	Transport transport;
	List lists[WAIT_LISTS];
	Session *expiry[EXPIRY_SLOTS];
	uint32_t expiry_at_s; /* slots up to here were looked at */
	int count;
	int requests;
	SessionsCounts counts;
};

void session_list_remove(Session *session);
void session_list_append(Session *session, WaitList which);
void session_expiry_remove(Session *session);

#endif
