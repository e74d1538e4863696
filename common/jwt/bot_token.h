/*
 * bot_token - what a bot shows to be let in
 *
 * "ccb_" and 32 random bytes as base64url: nothing can be read from it.  The
 * database keeps its SHA-256 alone, which a lookup needs and a thief cannot
 * use.  Any thread.
 */
#ifndef CHEMCHAT_BOT_TOKEN_H
#define CHEMCHAT_BOT_TOKEN_H

#include <stdint.h>

#include "buf.h"
#include "error.h"

#define BOT_TOKEN_PREFIX "ccb_"
#define SHA256_SIZE      32

/* Appends a new one. */
bool bot_token_new(Buf *out, Error *err) MUST_CHECK;

/* Could it be one?  Any other token is a JWT, or none. */
bool bot_token_is_one(const char *text, size_t len);

void sha256_of(const void *bytes, size_t len, uint8_t digest[SHA256_SIZE]);

#endif
