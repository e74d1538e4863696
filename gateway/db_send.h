/*
 * db_send - sends, many in one transaction
 *
 * A conversation belongs to one lane (a connection of its own) by hash, so
 * that batches of ours never meet.  A lane has one batch under way; what
 * arrives meanwhile is the next (send_queue.h).  An answer is given after the
 * transaction was committed and the position after it was read.
 *
 * A batch whose fate is unknown is sent again: the clientMsgId makes that
 * harmless.  After DB_DEADLINE_MS a send is answered `unknown_outcome` when
 * the server may have seen it, `busy` when the conversation was held by
 * somebody all the time, else `unavailable`.
 */
#ifndef CHEMCHAT_DB_SEND_H
#define CHEMCHAT_DB_SEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db.h"

typedef struct DbSend
{
	Uuid actor;
	Uuid conversation_id;
	Uuid client_msg_id;
	const char *body; /* copied */
	size_t body_len;
	int64_t reply_to;  /* seq of the message it answers; 0: none */
	const char *trace; /* 55 characters, or NULL */
} DbSend;

typedef struct DbSent
{
	Uuid id;
	uint64_t seq;
	uint64_t ev;
	uint64_t rev;
	int64_t created_us;
	bool is_duplicate;
	const char *position;
} DbSent;

/* sent: NULL on an error. */
typedef void (*DbSentFn)(void *arg, const DbError *error, const DbSent *sent);

void db_send(Db *db, const DbSend *send, DbSentFn done, void *arg);

/* About every 10 ms: conversations that rested, deadlines, gathered marks. */
void db_send_tick(Db *db);

typedef struct DbSendCounts
{
	uint64_t batches;
	uint64_t sends;
	uint64_t busy;
	uint64_t repeated; /* batches sent again */
} DbSendCounts;

DbSendCounts db_send_counts(const Db *db);

#endif
