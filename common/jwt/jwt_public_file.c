#include "jwt_public_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "jwt_jwks.h"
#include "jwt_public_key.h"

static bool read_file(const char *path, Buf *out, Error *err);
static bool check_mode(int fd, Error *err);
static bool check_algs(const JwtKeys *keys, size_t from, unsigned algs,
					   Error *err);

bool
jwt_public_keys_load(const char *path, const char *kid, unsigned algs,
					 JwtKeys *keys, Error *err)
{
	bool is_loaded = false;
	size_t had = keys->count;
	size_t skipped = 0;
	const char *first;
	Buf text;

	buf_init(&text);
	if (!read_file(path, &text, err))
		goto cleanup;
	first = text.data + strspn(text.data, " \t\r\n");
	if (*first != '{')
		is_loaded = jwt_public_keys_pem(keys, text.data, text.len, kid, err) &&
					check_algs(keys, had, algs, err);
	else if (kid[0] != '\0')
		error_set(err, "its keys have names of their own");
	else
		is_loaded =
			jwt_jwks_read(text.data, text.len, algs, keys, &skipped, err) &&
			skipped == 0;

cleanup:
	if (!is_loaded)
		error_wrap(err, "\"%s\"", path);
	buf_fini(&text);
	return is_loaded;
}

static bool
read_file(const char *path, Buf *out, Error *err)
{
	bool is_read = false;
	/* O_NONBLOCK: a fifo must not make us wait */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return error_set(err, "could not open: %s", strerror(errno));
	if (!check_mode(fd, err))
		goto cleanup;
	while (out->len <= JWT_JWKS_MAX_SIZE)
	{
		char *room = buf_reserve(out, 16384);
		ssize_t n = read(fd, room, 16384);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
		{
			error_set(err, "could not read: %s", strerror(errno));
			goto cleanup;
		}
		if (n == 0)
			break;
		out->len += (size_t) n;
		out->data[out->len] = '\0';
	}
	is_read = out->len > 0 && out->len <= JWT_JWKS_MAX_SIZE;
	if (!is_read)
		error_set(err, "is empty, or larger than %d bytes", JWT_JWKS_MAX_SIZE);

cleanup:
	(void) close(fd);
	return is_read;
}

static bool
check_mode(int fd, Error *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return error_set(err, "could not examine: %s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return error_set(err, "is not a regular file");
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return error_set(err, "others may write it (mode %04o): chmod go-w",
						 (unsigned) (st.st_mode & 07777));
	return true;
}

static bool
check_algs(const JwtKeys *keys, size_t from, unsigned algs, Error *err)
{
	for (size_t i = from; i < keys->count; i++)
	{
		if ((algs & JWT_ALG_BIT(keys->key[i].alg)) == 0)
			return error_set(err, "has a key for %s, which is not asked for",
							 jwt_alg_name(keys->key[i].alg));
	}
	return true;
}
