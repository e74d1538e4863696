/*
 * db_private - what the parts of db share
 *
 * For db*.c alone.
 */
#ifndef CHEMCHAT_DB_PRIVATE_H
#define CHEMCHAT_DB_PRIVATE_H

#include "db.h"
#include "db_send.h"
#include "send_queue.h"

/* Order of own_statements in db.c. */
typedef enum DbStatement
{
	DB_LIVE_HEADS,
	DB_LIVE_CHANGES,
	DB_LIVE_STATES,
	DB_LIVE_AUDIENCE,
	DB_POSITION_STATUS,
	DB_SEND,
	DB_POSITION,
	DB_MARKS,
	DB_REVOCATIONS,
	DB_ACCOUNT,
	DB_SET_PASSWORD,
	DB_REVOKE_SESSION,
	DB_BOT_TOKEN,
	DB_VERBS /* the first of the verbs', in their order */
} DbStatement;

typedef struct DbLane DbLane;
typedef struct DbMarks DbMarks;
typedef struct DbPulls DbPulls;

struct Db
{
	PgPool *pool;       /* sends and reads */
	PgPool *write_pool; /* everything else that writes */
	PgStatement *statements;
	DbConfig config;
	bool is_closing;
	int lane_count;
	DbLane *lanes;
	DbMarks *marks;
	DbPulls *pulls;
};

/* A read: any connection, repeated when lost.  False when the queue is full. */
bool db_read(Db *db, int statement, PgParams *take_params, PgDoneFn done,
			 void *arg) MUST_CHECK;

/* What to tell a client about a reply that is not PG_COMMITTED; logs our own bugs. */
void db_error_from(const PgReply *reply, DbError *error);
void db_error_set(DbError *error, const char *code);

/* Our own text of a code that the database said; "internal" for others. */
const char *db_code(const char *code);

/* The name in JSON of a function's argument; returns field. */
const char *db_field_name(const char *column, char *field, size_t size);

/* Columns system_id, timeline, lsn from `column` on. */
void db_position_from(const PgResult *result, int row, int column,
					  Position *position);

/* db_send.c: a lane is the order of some conversations. */
void db_lanes_open(Db *db);
void db_lanes_close(Db *db);
int db_lanes_load(const Db *db);
DbLane *db_lane_of(Db *db, const Uuid *key);
Db *db_lane_db(const DbLane *lane);
SendQueue *db_lane_queue(DbLane *lane);
bool db_lane_is_full(const DbLane *lane);
SendItem *db_lane_batch(const DbLane *lane); /* sends under way */
void db_lane_turn(DbLane *lane);             /* begins what may go */

/* db_write.c */
void db_write(Db *db, const Verb *verb, const Uuid *actor,
			  const VerbValues *values, PgParams *take_params,
			  const char *trace, DbAnswerFn done, void *arg);
void db_write_turn(DbLane *lane);
void db_write_late(SendItem *take_item, const char *code);

/* db_mark.c */
void db_marks_open(Db *db);
void db_marks_close(Db *db);
void db_marks_tick(Db *db);

/* db_verb.c: what a verb's answer says, from its row or rows. */
typedef struct DbEcho
{
	bool has_conversation;
	bool has_seq;
	Uuid conversation_id;
	int64_t seq;
	int64_t max_rows; /* 0: none asked for */
} DbEcho;

void db_echo_from(DbEcho *echo, const Verb *verb, const VerbValues *values);
void db_answer_write(const Verb *verb, const DbEcho *echo,
					 const PgResult *result, Buf *out, DbAnswer *answer);

/* A column of the only row; -1: the verb has none of that name. */
int db_column(const Verb *verb, const char *name);

/* db_pull.c */
void db_pulls_open(Db *db);
void db_pulls_close(Db *db);

#endif
