#include "pg_pool.h"

#include <assert.h>
#include <stdlib.h>

#include "xalloc.h"

struct PgPool
{
	int lanes;
	int count;
	int up;
	void (*on_state)(void *arg, bool is_up, const Error *err);
	void *arg;
	PgConn *conns[];
};

static void on_conn_state(void *arg, bool is_up, const Error *err);

PgPool *
pg_pool_new(const PgLoop *loop, const PgConnConfig *config, int lanes,
			int others)
{
	int count = lanes + others;
	PgPool *pool =
		xcalloc(1, sizeof(*pool) + (size_t) count * sizeof(pool->conns[0]));
	PgConnConfig each = *config;

	assert(lanes >= 0 && others >= 1);
	pool->lanes = lanes;
	pool->count = count;
	pool->on_state = config->on_state;
	pool->arg = config->arg;
	each.on_state = on_conn_state;
	each.arg = pool;
	for (int i = 0; i < count; i++)
		pool->conns[i] = pg_conn_new(loop, &each);
	return pool;
}

void
pg_pool_free(PgPool **pool_ref)
{
	PgPool *pool = *pool_ref;

	if (pool == NULL)
		return;
	*pool_ref = NULL;
	for (int i = 0; i < pool->count; i++)
		pg_conn_free(&pool->conns[i]);
	free(pool);
}

bool
pg_pool_submit_lane(PgPool *pool, int lane, PgRequest *request)
{
	assert(lane >= 0 && lane < pool->lanes);
	return pg_conn_submit(pool->conns[lane], request);
}

bool
pg_pool_submit(PgPool *pool, PgRequest *request)
{
	PgConn *best = NULL;

	/* One that is up, before one that only might come up. */
	for (int i = pool->lanes; i < pool->count; i++)
	{
		PgConn *conn = pool->conns[i];

		if (best == NULL || pg_conn_is_up(conn) > pg_conn_is_up(best) ||
			(pg_conn_is_up(conn) == pg_conn_is_up(best) &&
			 pg_conn_load(conn) < pg_conn_load(best)))
			best = conn;
	}
	return pg_conn_submit(best, request);
}

bool
pg_pool_is_up(const PgPool *pool)
{
	return pool->up == pool->count;
}

int
pg_pool_load(const PgPool *pool)
{
	int load = 0;

	for (int i = 0; i < pool->count; i++)
		load += pg_conn_load(pool->conns[i]);
	return load;
}

/* A failed try of a connection that was not up says so again: count anew. */
static void
on_conn_state(void *arg, bool is_up, const Error *err)
{
	PgPool *pool = arg;
	int up = 0;

	(void) is_up;
	for (int i = 0; i < pool->count; i++)
	{
		if (pool->conns[i] != NULL && pg_conn_is_up(pool->conns[i]))
			up++;
	}
	if (pool->on_state != NULL &&
		((up > 0) != (pool->up > 0) || (up == 0 && err != NULL)))
	{
		pool->up = up;
		pool->on_state(pool->arg, up > 0, err);
	}
	pool->up = up;
}
