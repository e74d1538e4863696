#include "trusted_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STEP 16384

static bool check(int fd, Error *err);
static bool read_all(int fd, size_t max_size, Buf *out, Error *err);

bool
trusted_file_read(const char *path, size_t max_size, Buf *out, Error *err)
{
	bool is_read;
	/* O_NONBLOCK: a fifo must not make us wait */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return error_set(err, "could not open: %s", strerror(errno));
	is_read = check(fd, err) && read_all(fd, max_size, out, err);
	(void) close(fd);
	return is_read;
}

static bool
check(int fd, Error *err)
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
read_all(int fd, size_t max_size, Buf *out, Error *err)
{
	size_t had = out->len;

	for (;;)
	{
		ssize_t n = read(fd, buf_reserve(out, STEP), STEP);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set(err, "could not read: %s", strerror(errno));
		if (n == 0)
			break;
		out->len += (size_t) n;
		out->data[out->len] = '\0';
		if (out->len - had > max_size)
			return error_set(err, "is larger than %zu bytes", max_size);
	}
	return out->len > had || error_set(err, "is empty");
}
