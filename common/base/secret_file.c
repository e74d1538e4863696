#include "secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_checked(const char *path, Error *err);

bool
secret_file_check(const char *path, Error *err)
{
	int fd = open_checked(path, err);

	if (fd < 0)
		return false;
	(void) close(fd);
	return true;
}

bool
secret_file_read(const char *path, Buf *out, Error *err)
{
	bool is_read = false;
	size_t had = out->len;
	int fd = open_checked(path, err);

	if (fd < 0)
		return false;

	/* room for one byte too many, so that the buffer never moves: a copy
	 * left behind by realloc would not be wiped */
	(void) buf_reserve(out, SECRET_FILE_MAX_SIZE + 1);
	for (;;)
	{
		size_t room = SECRET_FILE_MAX_SIZE + 1 - (out->len - had);
		ssize_t n = read(fd, out->data + out->len, room);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
		{
			error_set(err, "could not read \"%s\": %s", path, strerror(errno));
			goto cleanup;
		}
		if (n == 0)
			break;
		out->len += (size_t) n;
		out->data[out->len] = '\0';
		if (out->len - had > SECRET_FILE_MAX_SIZE)
		{
			error_set(err, "\"%s\" is larger than %d bytes", path,
					  SECRET_FILE_MAX_SIZE);
			goto cleanup;
		}
	}
	is_read = true;

cleanup:
	(void) close(fd);
	return is_read;
}

void
secret_file_wipe(Buf *secret)
{
	if (secret->data != NULL)
		explicit_bzero(secret->data, secret->cap);
	buf_reset(secret);
}

static int
open_checked(const char *path, Error *err)
{
	struct stat st;
	/* O_NONBLOCK: a fifo must not make us wait */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
	{
		error_set(err, "could not open \"%s\": %s", path, strerror(errno));
		return -1;
	}
	if (fstat(fd, &st) != 0)
	{
		error_set(err, "could not examine \"%s\": %s", path, strerror(errno));
		goto refused;
	}
	if (!S_ISREG(st.st_mode))
	{
		error_set(err, "\"%s\" is not a regular file", path);
		goto refused;
	}
	if ((st.st_mode & S_IRWXO) != 0)
	{
		error_set(err, "\"%s\" is open to everyone (mode %04o): chmod 600",
				  path, (unsigned) (st.st_mode & 07777));
		goto refused;
	}
	if ((st.st_mode & S_IRWXG) != 0 &&
		!(st.st_uid == 0 && geteuid() != 0 && (st.st_mode & S_IWGRP) == 0))
	{
		error_set(err, "\"%s\" is open to its group (mode %04o): chmod 600",
				  path, (unsigned) (st.st_mode & 07777));
		goto refused;
	}
	return fd;

refused:
	(void) close(fd);
	return -1;
}
