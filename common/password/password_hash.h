/*
 * password_hash - a password as it may be kept: argon2id (RFC 9106)
 *
 * libsodium's text form, which holds its salt and its cost ("interactive":
 * 64 MiB, tens of milliseconds), so that a later, dearer one can stand beside
 * it.  Slow on purpose: not for a loop.  Any thread.
 */
#ifndef CHEMCHAT_PASSWORD_HASH_H
#define CHEMCHAT_PASSWORD_HASH_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

#define PASSWORD_MIN_SIZE  8 /* bytes */
#define PASSWORD_MAX_SIZE  1024
#define PASSWORD_HASH_SIZE 128 /* of the text, NUL included */

/* 8 to 1024 bytes of UTF-8 without a control character?  err says why not. */
bool password_check(const char *password, size_t len, Error *err) MUST_CHECK;

/* False when there is no memory for it. */
bool password_hash(const char *password, size_t len,
				   char hash[PASSWORD_HASH_SIZE]) MUST_CHECK;

/* Of nobody's password: to compare with where there is no hash. */
bool password_hash_decoy(char hash[PASSWORD_HASH_SIZE]) MUST_CHECK;

bool password_is_of(const char *hash, const char *password,
					size_t len) MUST_CHECK;

#endif
