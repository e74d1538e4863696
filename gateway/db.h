/*
 * db - the functions of the chat, asked from the loop
 *
 * The one place of the gateway where SQL stands, and only as SELECT ... FROM
 * chemchat.fn(...).  Every call answers exactly once, within its deadline of
 * DB_DEADLINE_MS; when nothing more can be queued that is within the call
 * itself.  Reads are repeated after a lost connection; sends are idempotent
 * and are repeated too (db_send.h).
 *
 * One thread, that of the loop.
 */
#ifndef CHEMCHAT_DB_H
#define CHEMCHAT_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "fanout.h"
#include "fanout_state.h"
#include "mark_queue.h"
#include "pg_pool.h"
#include "position.h"
#include "uuid.h"
#include "verb_args.h"

#define DB_DEADLINE_MS 5000
#define DB_PULLS_MAX   100

typedef struct Db Db;

typedef struct DbConfig
{
	const char *conninfo; /* borrowed */
	const char *password; /* borrowed; NULL: none */
	int send_connections;
	int read_connections;
	int write_connections;
	int send_queue_max; /* sends waiting, over all lanes */

	/* The pool's: first connection up, last one down. */
	void (*on_state)(void *arg, bool is_up, const Error *err);

	/* Something was committed: this conversation has reached ev. */
	void (*on_committed)(void *arg, const Uuid *conversation_id, uint64_t ev);

	/* What was committed may have made this user a member, or no more one. */
	void (*on_joined)(void *arg, const Uuid *user_id);
	void *arg;
} DbConfig;

/* code: NULL, or one of docs/protocol.md; field: "" or the field's name. */
typedef struct DbError
{
	const char *code;
	char field[40];
} DbError;

typedef struct DbAnswer
{
	const Buf *fields;  /* JSON, without braces: "a":1,"b":[] */
	size_t content_len; /* of fields, without the server's position */
	bool is_duplicate;
	uint64_t rev; /* 0: it has none */
} DbAnswer;

/* answer: NULL on an error. */
typedef void (*DbAnswerFn)(void *arg, const DbError *error,
						   const DbAnswer *answer);

/* rows NULL on an error; position of the server after the rows were read. */
typedef void (*DbHeadRowsFn)(void *arg, const DbError *error,
							 const HeadRows *rows, const Position *position);
typedef void (*DbPulledFn)(void *arg, const Pulled *pulled);

/*
 * mark: of this answer, borrowed, NULL on an error; lsn: what its rows show
 * was written before it.
 */
typedef void (*DbStatesFn)(void *arg, const StateRow *rows, size_t count,
						   const char *mark, uint64_t lsn);

/* rows NULL on an error. */
typedef void (*DbAudienceFn)(void *arg, const AudienceRow *rows, size_t count);
typedef void (*DbStatusFn)(void *arg, const DbError *error, bool is_reset);

typedef struct DbStatesAsk
{
	const Uuid *users;
	int user_count;
	const Uuid *conversations;
	int conversation_count;
	const char *since;
	int channel;
	int members_max;
} DbStatesAsk;

Db *db_open(const PgLoop *loop, const DbConfig *config);
void db_close(Db **db);
bool db_is_up(const Db *db);
int db_load(const Db *db);

/* Reads that wait or are on the server. */
int db_reads_waiting(const Db *db);

/*
 * A verb's function.  Reads go to any connection; writes are given to the
 * database after what came before them for the same conversation (or, where
 * there is none, the same actor), and are answered after COMMIT: `busy` when
 * somebody else held it until the deadline, `unknown_outcome` when the server
 * may have done it.  trace: a traceparent for what is written, or NULL.  The
 * values are borrowed for the call.
 */
void db_call(Db *db, const Verb *verb, const Uuid *actor,
			 const VerbValues *values, const char *trace, DbAnswerFn done,
			 void *arg);

/*
 * Moves a user's cursors, never back, gathered with others (mark_queue.h);
 * answered after COMMIT with where they stand.
 */
void db_mark(Db *db, const Mark *mark, DbAnswerFn done, void *arg);

/* channel: -1 for all.  The ids are copied. */
void db_live_heads(Db *db, const Uuid *users, int count, int channel,
				   DbHeadRowsFn done, void *arg);

/*
 * Pulls gather: two questions at a time, each about all that came meanwhile,
 * at most DB_PULLS_MAX.
 */
void db_live_changes(Db *db, const Uuid *conversation_id, uint64_t after_ev,
					 int max_rows, DbPulledFn done, void *arg);

/*
 * since: a mark of an earlier answer, or NULL for everything; without users
 * and conversations the answer is a mark alone.  channel: -1 for all.
 */
void db_live_states(Db *db, const DbStatesAsk *ask, DbStatesFn done, void *arg);
void db_live_audience(Db *db, const Uuid *users, int user_count,
					  const Uuid *conversations, int conversation_count,
					  int members_max, DbAudienceFn done, void *arg);
void db_position_status(Db *db, const Position *position, DbStatusFn done,
						void *arg);

#endif
