/*
 * password_work - argon2id beside the loop
 *
 * Making and checking a password hash takes tens of milliseconds and 64 MiB
 * on purpose (libsodium's interactive limits).  So it runs on libuv's threads,
 * PASSWORD_AT_ONCE at a time, while PASSWORD_QUEUE_MAX may wait; more are
 * refused at once.  Passwords are wiped when they are done with.
 *
 * One thread, that of the loop; each call is answered once, from the loop.
 */
#ifndef CHEMCHAT_PASSWORD_WORK_H
#define CHEMCHAT_PASSWORD_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "password_hash.h"

#define PASSWORD_AT_ONCE   2
#define PASSWORD_QUEUE_MAX 64

typedef struct PasswordWork PasswordWork;

typedef enum PasswordOutcome
{
	PASSWORD_GOOD, /* it is the one; or: the hash is made */
	PASSWORD_BAD,
	PASSWORD_UNAVAILABLE /* no memory; stopped */
} PasswordOutcome;

/* hash: what was made, borrowed; NULL unless one was asked for and made. */
typedef void (*PasswordFn)(void *arg, PasswordOutcome outcome,
						   const char *hash);

/* NULL with a reason when libsodium cannot begin. */
PasswordWork *password_work_new(uv_loop_t *loop, Error *err);

/* What waits is answered PASSWORD_UNAVAILABLE; run the loop afterwards. */
void password_work_free(PasswordWork **work);

/*
 * Is it the password of that hash?  hash NULL: of nobody's; it takes as long
 * and is BAD.  False, and no answer: too many wait.
 */
bool password_work_verify(PasswordWork *work, const char *hash,
						  const char *password, size_t len, PasswordFn done,
						  void *arg) MUST_CHECK;

/* A hash for it, with a salt of its own. */
bool password_work_hash(PasswordWork *work, const char *password, size_t len,
						PasswordFn done, void *arg) MUST_CHECK;

#endif
