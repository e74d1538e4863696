#include "pg_prepared.h"

#include <stdio.h>
#include <stdlib.h>

#include "pg_keepalive.h"
#include "xalloc.h"

typedef enum LazyState
{
	LAZY_NONE,
	LAZY_UNDER_WAY,
	LAZY_READY
} LazyState;

struct PgPrepared
{
	const PgStatement *statements;
	int count;
	uint8_t states[]; /* LazyState, of the lazy ones */
};

static bool send_local(PGconn *pg, const char *name, const char *value);

PgPrepared *
pg_prepared_new(const PgStatement *statements)
{
	PgPrepared *prepared;
	int count = 0;

	while (statements[count].name != NULL)
		count++;
	prepared = xcalloc(1, sizeof(*prepared) + (size_t) count);
	prepared->statements = statements;
	prepared->count = count;
	return prepared;
}

void
pg_prepared_free(PgPrepared **prepared)
{
	free(*prepared);
	*prepared = NULL;
}

void
pg_prepared_reset(PgPrepared *prepared)
{
	for (int i = 0; i < prepared->count; i++)
		prepared->states[i] = LAZY_NONE;
}

bool
pg_prepared_begin(PgPrepared *prepared, PGconn *pg,
				  int64_t statement_timeout_ms, int64_t lock_timeout_ms)
{
	char statement[32];
	char lock[32];
	const char *values[] = { statement, lock };

	snprintf(statement, sizeof(statement), "%lld",
			 (long long) statement_timeout_ms);
	snprintf(lock, sizeof(lock), "%lld", (long long) lock_timeout_ms);
	if (PQsendQueryParams(
			pg,
			"SELECT pg_catalog.set_config('statement_timeout', $1::text, "
			"false),"
			" pg_catalog.set_config('lock_timeout', $2::text, "
			"false)," PG_KEEPALIVE_COLUMNS,
			2, NULL, values, NULL, NULL, 0) == 0)
		return false;
	for (int i = 0; i < prepared->count; i++)
	{
		const PgStatement *s = &prepared->statements[i];

		if (!s->is_lazy && PQsendPrepare(pg, s->name, s->sql, 0, NULL) == 0)
			return false;
	}
	return PQpipelineSync(pg) != 0;
}

bool
pg_prepared_send(PgPrepared *prepared, PGconn *pg, const PgRequest *request,
				 bool *is_preparing)
{
	const PgStatement *s = &prepared->statements[request->statement];
	uint8_t *state = &prepared->states[request->statement];
	const PgParams *params = &request->params;
	const char *values[PG_PARAMS_MAX];
	int formats[PG_PARAMS_MAX];
	bool is_sent;

	for (int i = 0; i < params->count; i++)
	{
		values[i] =
			params->len[i] < 0 ? NULL : params->bytes.data + params->offset[i];
		formats[i] = 1;
	}
	*is_preparing = s->is_lazy && *state == LAZY_NONE;
	if (*is_preparing)
	{
		if (PQsendPrepare(pg, s->name, s->sql, 0, NULL) == 0)
			return false;
		*state = LAZY_UNDER_WAY;
	}
	if (request->local_name != NULL &&
		!send_local(pg, request->local_name, request->local_value))
		return false;
	if (s->is_lazy && *state == LAZY_UNDER_WAY && !*is_preparing)
		is_sent = PQsendQueryParams(pg, s->sql, params->count, NULL, values,
									params->len, formats, 1) != 0;
	else
		is_sent = PQsendQueryPrepared(pg, s->name, params->count, values,
									  params->len, formats, 1) != 0;
	return is_sent && PQpipelineSync(pg) != 0;
}

void
pg_prepared_heard(PgPrepared *prepared, int statement, bool is_prepared)
{
	prepared->states[statement] = is_prepared ? LAZY_READY : LAZY_NONE;
}

/* Statements up to a sync are one transaction. */
static bool
send_local(PGconn *pg, const char *name, const char *value)
{
	const char *values[] = { name, value };

	return PQsendQueryParams(pg,
							 "SELECT pg_catalog.set_config($1::text, $2::text,"
							 " true)",
							 2, NULL, values, NULL, NULL, 1) != 0;
}
