/*
 * db_private - what the parts of db share
 *
 * For db*.c alone.
 */
#ifndef CHEMCHAT_DB_PRIVATE_H
#define CHEMCHAT_DB_PRIVATE_H

#include "db.h"
#include "db_send.h"

/* Order of db_statements in db.c. */
typedef enum DbStatement
{
	DB_HEADS,
	DB_CHANGES,
	DB_HISTORY,
	DB_USERS,
	DB_LIVE_HEADS,
	DB_LIVE_CHANGES,
	DB_POSITION_STATUS,
	DB_SEND,
	DB_POSITION
} DbStatement;

typedef struct DbLane DbLane;

struct Db
{
	PgPool *pool;
	DbConfig config;
	bool is_closing;
	int lane_count;
	DbLane *lanes;
};

/* A read: any connection, repeated when lost.  False when the queue is full. */
bool db_read(Db *db, DbStatement statement, PgParams *take_params,
			 PgDoneFn done, void *arg) MUST_CHECK;

/* What to tell a client about a reply that is not PG_COMMITTED; logs our own bugs. */
void db_error_from(const PgReply *reply, DbError *error);
void db_error_set(DbError *error, const char *code);

/* The name in frames of a function's argument. */
const char *db_field_name(const char *column);

/* Columns system_id, timeline, lsn from `column` on. */
void db_position_from(const PgResult *result, int row, int column,
					  Position *position);

/* db_send.c */
void db_lanes_open(Db *db);
void db_lanes_close(Db *db);
int db_lanes_load(const Db *db);

#endif
