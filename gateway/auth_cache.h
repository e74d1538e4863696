/*
 * auth_cache - who a text stood for a moment ago
 *
 * For what only the database can tell: whose a bot's token is, which user a
 * handle names.  Keyed by SHA-256, so that no token lies in memory, and so
 * that what strangers make up cannot be aimed at our hash table.  "Nobody" is
 * an answer too.  Bounded: when it is full, it is emptied.
 *
 * Pure.  One thread.
 */
#ifndef CHEMCHAT_AUTH_CACHE_H
#define CHEMCHAT_AUTH_CACHE_H

#include "auth.h"
#include "bot_token.h"

typedef struct AuthCache AuthCache;

AuthCache *auth_cache_new(size_t max, int64_t ttl_us);
void auth_cache_free(AuthCache **cache);

/* False: not known (any more).  *identity is borrowed; NULL: nobody. */
bool auth_cache_get(const AuthCache *cache, const uint8_t hash[SHA256_SIZE],
					int64_t now_us, const Identity **identity);

/* identity: copied; NULL for nobody. */
void auth_cache_put(AuthCache *cache, const uint8_t hash[SHA256_SIZE],
					int64_t now_us, const Identity *identity);

#endif
