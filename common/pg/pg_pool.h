/*
 * pg_pool - several connections to one database
 *
 * The first `lanes` connections are lanes: what is submitted to one lane runs
 * in its order on one connection, so that those who share a key (a
 * conversation) never meet on two.  The others serve everything else, the
 * least loaded first.
 *
 * Otherwise as pg_conn: deadlines, reconnects, bounds, one callback each.
 */
#ifndef CHEMCHAT_PG_POOL_H
#define CHEMCHAT_PG_POOL_H

#include "pg_conn.h"

typedef struct PgPool PgPool;

/* config is one connection's; on_state tells of the pool: first up, last down. */
PgPool *pg_pool_new(const PgLoop *loop, const PgConnConfig *config, int lanes,
					int others);
void pg_pool_free(PgPool **pool);

bool pg_pool_submit_lane(PgPool *pool, int lane, PgRequest *request) MUST_CHECK;
bool pg_pool_submit(PgPool *pool, PgRequest *request) MUST_CHECK;

/* Every connection up: what "ready" means. */
bool pg_pool_is_up(const PgPool *pool);

/* Requests waiting or on the server. */
int pg_pool_load(const PgPool *pool);

#endif
