/*
 * redis_url - which Redis, from one setting
 *
 *   redis://[user@]host[:port][/db]      host may be [v6] or a name
 *   unix://[user@]/path/to/socket[?db=n]
 *
 * A password is never part of it (it would stand in `ps` and in logs): it
 * comes from a file of its own.  rediss:// is refused: there is no TLS yet.
 *
 * Plain value; redis_url_text gives what may be logged.
 */
#ifndef CHEMCHAT_REDIS_URL_H
#define CHEMCHAT_REDIS_URL_H

#include "error.h"

#define REDIS_URL_HOST_SIZE    256
#define REDIS_URL_USER_SIZE    128
#define REDIS_URL_SECRET_SIZE  512
#define REDIS_URL_PORT_DEFAULT 6379

typedef struct RedisUrl
{
	bool is_unix;
	char host[REDIS_URL_HOST_SIZE]; /* name, address, or the socket's path */
	int port;
	int db;
	char user[REDIS_URL_USER_SIZE];       /* "": the default user */
	char password[REDIS_URL_SECRET_SIZE]; /* "": no AUTH */
} RedisUrl;

bool redis_url_parse(const char *text, RedisUrl *url, Error *err) MUST_CHECK;

/* First line of the file (secret_file.h); an empty one is an error. */
bool redis_url_read_password(RedisUrl *url, const char *path,
							 Error *err) MUST_CHECK;

/* "redis://host:6379/0"; size >= 320.  Returns buf. */
char *redis_url_text(const RedisUrl *url, char *buf, int size);

#endif
