/*
 * auth_withdrawn - what the database says is withdrawn, asked every 2 s
 *
 * auth_revoked is the list, this keeps it in step: everything at first, then
 * what changed since.  Nothing is known before the first answer.
 *
 * One thread, that of the loop.
 */
#ifndef CHEMCHAT_AUTH_WITHDRAWN_H
#define CHEMCHAT_AUTH_WITHDRAWN_H

#include "auth.h"

typedef struct AuthWithdrawn AuthWithdrawn;

/* db NULL: nothing ever is.  on_news: the list has grown; may be NULL. */
AuthWithdrawn *auth_withdrawn_new(Db *db, void (*on_news)(void *arg),
								  void *arg);

/* After the database was closed: it calls back what it was asked. */
void auth_withdrawn_free(AuthWithdrawn **withdrawn);

void auth_withdrawn_tick(AuthWithdrawn *withdrawn);

bool auth_withdrawn_is_known(const AuthWithdrawn *withdrawn);
bool auth_withdrawn_has(const AuthWithdrawn *withdrawn,
						const Identity *identity);

/* Asks now, whatever the time; done(false) when it was not to be had. */
void auth_withdrawn_ask(AuthWithdrawn *withdrawn,
						void (*done)(void *arg, bool is_fresh), void *arg);

/* We did it ourselves just now: no need to wait until we are told. */
void auth_withdrawn_note(AuthWithdrawn *withdrawn, const Identity *identity);

size_t auth_withdrawn_count(const AuthWithdrawn *withdrawn);

#endif
