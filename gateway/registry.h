/*
 * registry - who of this gateway's users is in which conversation
 *
 * Users with at least one seat (an authenticated session), conversations with
 * at least one such user as a member, and the memberships between them.  A
 * user goes with the last seat, a conversation with its last membership; who
 * keeps a pointer over a turn of the loop keeps the id instead.
 *
 * A conversation knows `ev`: everything up to it was given to the members'
 * sessions, or was there before the first of them came.
 *
 * Pure: no I/O, no clock.  One thread.  Owns users, conversations and
 * memberships; seats belong to their sessions.
 */
#ifndef CHEMCHAT_REGISTRY_H
#define CHEMCHAT_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "uuid.h"

typedef struct Registry Registry;
typedef struct User User;
typedef struct Conversation Conversation;
typedef struct Membership Membership;

/* Of all its members, wherever they are; unknown again when one comes. */
typedef enum ConversationSize
{
	SIZE_UNKNOWN,
	SIZE_ASKED,
	SIZE_SMALL, /* what one member reads is told to the others */
	SIZE_LARGE
} ConversationSize;

/* A session's place at its user. */
typedef struct Seat
{
	User *user;
	struct Seat *next;
	struct Seat *prev;
} Seat;

struct User
{
	Uuid id;
	Seat *seats;
	Membership **memberships;
	uint32_t membership_count;
	uint32_t membership_cap;
	uint32_t seat_count;
	uint32_t index;           /* in the registry's array of users */
	uint32_t cursor;          /* where the next row's membership is expected */
	uint32_t mark;            /* of the last state that was told */
	int channel;              /* live channel of what is hers alone, 0..63 */
	Uuid awaited;             /* she joined it; no row has said so yet */
	int64_t awaited_since_us; /* 0: nothing is awaited */
};

struct Membership
{
	User *user;
	Conversation *conversation;
	uint32_t at_user; /* index there */
	uint32_t at_conversation;
	uint32_t mark;    /* of the last rows that named it */
	int64_t since_us; /* when an event or a row brought it */
};

struct Conversation
{
	Uuid id;
	uint64_t ev;
	uint64_t seq;
	Membership **members;
	uint32_t member_count;
	uint32_t member_cap;
	uint32_t index; /* in the registry's array of conversations */
	int channel;    /* live channel, 0..63 */

	/* The fan-out's: */
	uint64_t wanted_ev;      /* something says that this ev exists */
	uint64_t member_ev;      /* of the last membership event applied */
	struct TurnFrame *frame; /* events of this turn */
	uint32_t pull_tries;
	bool is_pull_queued;
	bool is_pulling;

	ConversationSize size; /* the state's: fanout_state.h */
};

Registry *registry_new(void);
void registry_free(Registry **registry);

/* Gives the seat to that user, who appears with her first one. */
User *registry_sit(Registry *registry, const Uuid *user_id, Seat *seat);

/* Takes the seat away; the user and what only she held goes with the last. */
void registry_rise(Registry *registry, Seat *seat);

User *registry_user(const Registry *registry, const Uuid *id);
uint32_t registry_user_count(const Registry *registry);

/* Users 0..count-1 in no order; removal moves the last one into the hole. */
User *registry_user_at(const Registry *registry, uint32_t index);

Conversation *registry_conversation(const Registry *registry, const Uuid *id);
uint32_t registry_conversation_count(const Registry *registry);

/* As registry_user_at. */
Conversation *registry_conversation_at(const Registry *registry,
									   uint32_t index);
size_t registry_membership_count(const Registry *registry);

/*
 * Makes the user a member; a conversation that was not here begins with ev
 * and seq.  The membership that is there already is returned as it is.
 */
Membership *registry_join(Registry *registry, User *user, const Uuid *id,
						  uint64_t ev, uint64_t seq);

/* Ends it, and the conversation with the last one. */
void registry_leave(Registry *registry, Membership *membership);

/* NULL when not a member.  Fast when asked in the order of last time. */
Membership *registry_membership(User *user, const Conversation *conversation);

/* Called before a conversation is freed, so that lists can let go of it. */
void registry_on_forget(Registry *registry,
						void (*forget)(void *arg, Conversation *conversation),
						void *arg);

#endif
