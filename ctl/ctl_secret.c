#include "ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define SECRET_SIZE 32

static bool write_secret(const char *path, Error *err);
static bool write_all(int fd, const char *text, size_t len);

int
ctl_secret(int argc, char **argv)
{
	const char *out = NULL;
	const CtlFlag flags[] = {
		{ "--out", &out, "FILE", "a file that is not there yet", true },
		{ NULL, NULL, NULL, NULL, false },
	};
	int exit_code = CTL_OK;
	Error err = { "" };

	if (!ctl_parse(flags, argc, argv, &exit_code))
		return exit_code;
	if (!write_secret(out, &err))
		return ctl_failed(argv[0], &err);
	return CTL_OK;
}

/* 32 random bytes as hexadecimal text, readable by the owner alone. */
static bool
write_secret(const char *path, Error *err)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char bytes[SECRET_SIZE];
	char text[2 * SECRET_SIZE + 1];
	bool is_written = false;
	int fd;

	if (getrandom(bytes, sizeof bytes, 0) != (ssize_t) sizeof bytes)
		return error_set(err, "could not get random bytes: %s",
						 strerror(errno));
	for (size_t i = 0; i < sizeof bytes; i++)
	{
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	text[sizeof text - 1] = '\n';

	/* O_EXCL: a key in use is never overwritten, nor a link followed */
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
	{
		error_set(err, "could not create \"%s\": %s", path, strerror(errno));
		goto cleanup;
	}
	is_written = write_all(fd, text, sizeof text) && fsync(fd) == 0;
	if (!is_written)
		error_set(err, "could not write \"%s\": %s", path, strerror(errno));
	is_written = close(fd) == 0 && is_written;
	if (!is_written)
		(void) unlink(path);

cleanup:
	explicit_bzero(bytes, sizeof bytes);
	explicit_bzero(text, sizeof text);
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
