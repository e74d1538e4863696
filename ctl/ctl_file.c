#include "ctl_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static bool write_all(int fd, const char *text, size_t len);

bool
ctl_file_write_secret(const char *path, const char *text, size_t len,
					  Error *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool is_written;

	if (fd < 0)
		return error_set(err, "could not create \"%s\": %s", path,
						 strerror(errno));
	is_written = write_all(fd, text, len) && fsync(fd) == 0;
	if (!is_written)
		error_set(err, "could not write \"%s\": %s", path, strerror(errno));
	is_written = close(fd) == 0 && is_written;
	if (!is_written)
		(void) unlink(path);
	return is_written;
}

static bool
write_all(int fd, const char *text, size_t len)
{
	while (len > 0)
	{
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0)
		{
			text += n;
			len -= (size_t) n;
		}
	}
	return true;
}
