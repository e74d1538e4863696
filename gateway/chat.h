/*
 * chat - what the commands work with
 *
 * Put together by gateway.c; in tests by hand.  The parts live at least as
 * long as this.
 */
#ifndef CHEMCHAT_CHAT_H
#define CHEMCHAT_CHAT_H

#include <stdbool.h>

#include "accounts.h"
#include "admission.h"
#include "auth.h"
#include "db.h"
#include "fanout.h"
#include "fanout_state.h"
#include "rate_limit.h"
#include "registry.h"
#include "roster.h"
#include "roster_state.h"
#include "sessions.h"
#include "user_limits.h"

typedef struct ChatCounts
{
	uint64_t requests;
	uint64_t refused; /* answered with an error */
	uint64_t rate_limited;
	uint64_t welcomes;
} ChatCounts;

typedef struct Polls Polls;

typedef struct Chat
{
	Auth *auth;
	Accounts *accounts;
	Db *db;
	Registry *registry;
	Sessions *sessions; /* of sockets */
	Polls *polls;
	Fanout *fanout;
	Roster *roster;
	FanoutState *state;
	RosterState *roster_state;
	UserLimits *limits;
	RateRule send_rule; /* of a user */
	RateRule ask_rule;  /* frames of a connection, REST requests of a user */
	Admission admission;
	int user_connections_max;
	bool is_draining;
	ChatCounts counts;
	void (*on_send_done)(void *arg, int64_t took_us); /* may be NULL */
	void *arg;
} Chat;

#endif
