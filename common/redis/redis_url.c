#include "redis_url.h"

#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "secret_file.h"

static bool parse_unix(const char *at, RedisUrl *url, Error *err);
static bool parse_tcp(const char *at, RedisUrl *url, Error *err);
static bool parse_user(const char *at, size_t len, RedisUrl *url, Error *err);
static bool parse_number(const char *at, size_t len, int max, int *out);
static bool copy_part(char *out, size_t size, const char *at, size_t len);

bool
redis_url_parse(const char *text, RedisUrl *url, Error *err)
{
	memset(url, 0, sizeof(*url));
	url->port = REDIS_URL_PORT_DEFAULT;
	if (strncmp(text, "redis://", 8) == 0)
		return parse_tcp(text + 8, url, err);
	if (strncmp(text, "unix://", 7) == 0)
		return parse_unix(text + 7, url, err);
	if (strncmp(text, "rediss://", 9) == 0)
		return error_set(err, "rediss:// (TLS) is not supported");
	return error_set(err, "not a Redis URL: it begins with redis:// or "
						  "unix://");
}

bool
redis_url_read_password(RedisUrl *url, const char *path, Error *err)
{
	bool is_ok = false;
	Buf secret;
	size_t len;

	buf_init(&secret);
	if (!secret_file_read(path, &secret, err))
		goto cleanup;
	len = strcspn(secret.data, "\r\n");
	if (len == 0)
		error_set(err, "%s holds no password", path);
	else if (!copy_part(url->password, sizeof(url->password), secret.data, len))
		error_set(err, "the password in %s is too long", path);
	else
		is_ok = true;

cleanup:
	secret_file_wipe(&secret);
	buf_fini(&secret);
	return is_ok;
}

char *
redis_url_text(const RedisUrl *url, char *buf, int size)
{
	bool is_v6 = strchr(url->host, ':') != NULL;

	if (url->is_unix)
		snprintf(buf, (size_t) size, "unix://%s?db=%d", url->host, url->db);
	else
		snprintf(buf, (size_t) size, "redis://%s%s%s:%d/%d", is_v6 ? "[" : "",
				 url->host, is_v6 ? "]" : "", url->port, url->db);
	return buf;
}

static bool
parse_unix(const char *at, RedisUrl *url, Error *err)
{
	size_t user_len = strcspn(at, "@/");
	const char *query;
	size_t len;

	if (at[user_len] == '@')
	{
		if (!parse_user(at, user_len, url, err))
			return false;
		at += user_len + 1;
	}
	query = strchr(at, '?');
	len = query ? (size_t) (query - at) : strlen(at);
	if (at[0] != '/')
		return error_set(err, "a unix:// URL needs an absolute path");
	if (len >= sizeof(((struct sockaddr_un *) NULL)->sun_path) ||
		!copy_part(url->host, sizeof(url->host), at, len))
		return error_set(err, "the socket's path is too long");
	url->is_unix = true;
	if (query == NULL)
		return true;
	if (strncmp(query, "?db=", 4) != 0 ||
		!parse_number(query + 4, strlen(query + 4), 1000000, &url->db))
		return error_set(err, "after the socket's path only ?db=number may "
							  "stand");
	return true;
}

/* [user@]host[:port][/db] */
static bool
parse_tcp(const char *at, RedisUrl *url, Error *err)
{
	size_t len = strcspn(at, "/?#");
	const char *rest = at + len;
	const char *sign = memchr(at, '@', len);
	const char *end = at + len;
	const char *host_end;

	if (sign != NULL)
	{
		if (!parse_user(at, (size_t) (sign - at), url, err))
			return false;
		at = sign + 1;
	}

	if (*at == '[')
	{
		host_end = memchr(at, ']', (size_t) (end - at));
		if (host_end == NULL)
			return error_set(err, "an address in [ needs its ]");
		at++;
	}
	else
	{
		host_end = memchr(at, ':', (size_t) (end - at));
		if (host_end == NULL)
			host_end = end;
	}
	if (host_end == at)
		return error_set(err, "the URL names no host");
	if (!copy_part(url->host, sizeof(url->host), at, (size_t) (host_end - at)))
		return error_set(err, "the host's name is too long");

	if (*host_end == ']')
		host_end++;
	if (host_end < end &&
		(*host_end != ':' ||
		 !parse_number(host_end + 1, (size_t) (end - host_end - 1), 65535,
					   &url->port) ||
		 url->port == 0))
		return error_set(err, "the port is not a number from 1 to 65535");

	if (rest[0] == '\0' || (rest[0] == '/' && rest[1] == '\0'))
		return true;
	if (rest[0] != '/' ||
		!parse_number(rest + 1, strlen(rest + 1), 1000000, &url->db))
		return error_set(err, "after the host only /number, the database, may "
							  "stand");
	return true;
}

static bool
parse_user(const char *at, size_t len, RedisUrl *url, Error *err)
{
	if (memchr(at, ':', len) != NULL)
		return error_set(err, "a password does not belong into the URL: "
							  "name the file that holds it");
	if (!copy_part(url->user, sizeof(url->user), at, len))
		return error_set(err, "the user's name is too long");
	return true;
}

static bool
parse_number(const char *at, size_t len, int max, int *out)
{
	int value = 0;

	if (len == 0 || len > 7)
		return false;
	for (size_t i = 0; i < len; i++)
	{
		if (at[i] < '0' || at[i] > '9')
			return false;
		value = value * 10 + (at[i] - '0');
	}
	*out = value;
	return value <= max;
}

static bool
copy_part(char *out, size_t size, const char *at, size_t len)
{
	if (len >= size || memchr(at, '\0', len) != NULL)
		return false;
	memcpy(out, at, len);
	out[len] = '\0';
	return true;
}
