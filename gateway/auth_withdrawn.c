#include "auth_withdrawn.h"

#include <stdlib.h>

#include "auth_revoked.h"
#include "clock.h"
#include "db_account.h"
#include "xalloc.h"

#define SECOND        1000000LL
#define LEEWAY_S      5
#define FORGET_EVERY  (600 * SECOND)
#define POLL_RETRY_US (SECOND / 2)

/* Who waits for an answer; the poll of every 2 s has none. */
typedef struct Ask
{
	AuthWithdrawn *withdrawn;
	void (*done)(void *arg, bool is_fresh);
	void *arg;
} Ask;

struct AuthWithdrawn
{
	Db *db;
	AuthRevoked *revoked;
	void (*on_news)(void *arg);
	void *arg;
	bool is_known;
	bool is_polling;
	int64_t poll_us; /* when to ask next */
	int64_t since_us;
	int64_t forget_us;
};

static void on_poll(void *arg, bool is_fresh);
static void on_rows(void *arg, const DbError *error, const DbRevocation *rows,
					int count);
static bool apply(AuthWithdrawn *withdrawn, const DbRevocation *row);

AuthWithdrawn *
auth_withdrawn_new(Db *db, void (*on_news)(void *arg), void *arg)
{
	AuthWithdrawn *withdrawn = xcalloc(1, sizeof(*withdrawn));

	withdrawn->db = db;
	withdrawn->revoked = auth_revoked_new();
	withdrawn->on_news = on_news;
	withdrawn->arg = arg;
	withdrawn->is_known = db == NULL;
	return withdrawn;
}

void
auth_withdrawn_free(AuthWithdrawn **withdrawn)
{
	if (*withdrawn == NULL)
		return;
	auth_revoked_free(&(*withdrawn)->revoked);
	free(*withdrawn);
	*withdrawn = NULL;
}

void
auth_withdrawn_tick(AuthWithdrawn *withdrawn)
{
	int64_t now_us = clock_now_us();

	if (now_us >= withdrawn->forget_us)
	{
		withdrawn->forget_us = now_us + FORGET_EVERY;
		auth_revoked_forget(withdrawn->revoked,
							clock_wall_us() / SECOND - LEEWAY_S);
	}
	if (withdrawn->db == NULL || withdrawn->is_polling ||
		now_us < withdrawn->poll_us)
		return;
	withdrawn->is_polling = true;
	withdrawn->poll_us = now_us + AUTH_POLL_MS * 1000LL;
	auth_withdrawn_ask(withdrawn, on_poll, withdrawn);
}

bool
auth_withdrawn_is_known(const AuthWithdrawn *withdrawn)
{
	return withdrawn->is_known;
}

bool
auth_withdrawn_has(const AuthWithdrawn *withdrawn, const Identity *identity)
{
	return auth_revoked_has(withdrawn->revoked, identity);
}

void
auth_withdrawn_ask(AuthWithdrawn *withdrawn,
				   void (*done)(void *arg, bool is_fresh), void *arg)
{
	Ask *ask;

	if (withdrawn->db == NULL)
	{
		done(arg, true);
		return;
	}
	ask = xcalloc(1, sizeof(*ask));
	ask->withdrawn = withdrawn;
	ask->done = done;
	ask->arg = arg;
	db_revocations(withdrawn->db, withdrawn->since_us, on_rows, ask);
}

void
auth_withdrawn_note(AuthWithdrawn *withdrawn, const Identity *identity)
{
	if (auth_revoked_token(withdrawn->revoked, &identity->token_id,
						   identity->expires_s) &&
		withdrawn->on_news != NULL)
		withdrawn->on_news(withdrawn->arg);
}

size_t
auth_withdrawn_count(const AuthWithdrawn *withdrawn)
{
	return auth_revoked_count(withdrawn->revoked);
}

static void
on_poll(void *arg, bool is_fresh)
{
	AuthWithdrawn *withdrawn = arg;

	withdrawn->is_polling = false;
	if (!is_fresh)
		withdrawn->poll_us = clock_now_us() + POLL_RETRY_US;
}

static void
on_rows(void *arg, const DbError *error, const DbRevocation *rows, int count)
{
	Ask *ask = arg;
	AuthWithdrawn *withdrawn = ask->withdrawn;
	bool is_fresh = error->code == NULL;
	bool is_news = false;

	for (int i = 0; i < count; i++)
		is_news |= apply(withdrawn, &rows[i]);
	if (is_fresh)
		withdrawn->is_known = true;
	ask->done(ask->arg, is_fresh);
	free(ask);
	if (is_news && withdrawn->on_news != NULL)
		withdrawn->on_news(withdrawn->arg);
}

static bool
apply(AuthWithdrawn *withdrawn, const DbRevocation *row)
{
	if (row->changed_us > withdrawn->since_us)
		withdrawn->since_us = row->changed_us;
	if (row->is_token)
		return auth_revoked_token(withdrawn->revoked, &row->token_id,
								  row->expires_us / SECOND);
	return auth_revoked_user(withdrawn->revoked, &row->user_id,
							 row->tokens_from_us, row->is_deactivated);
}
