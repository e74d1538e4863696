#include "ctl.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "ctl_file.h"

#define SECRET_SIZE 32

static bool write_secret(const char *path, Error *err);

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

/* 32 random bytes as hexadecimal text. */
static bool
write_secret(const char *path, Error *err)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char bytes[SECRET_SIZE];
	char text[2 * SECRET_SIZE + 1];
	bool is_written;

	if (getrandom(bytes, sizeof bytes, 0) != (ssize_t) sizeof bytes)
		return error_set(err, "could not get random bytes: %s",
						 strerror(errno));
	for (size_t i = 0; i < sizeof bytes; i++)
	{
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	text[sizeof text - 1] = '\n';
	is_written = ctl_file_write_secret(path, text, sizeof text, err);
	explicit_bzero(bytes, sizeof bytes);
	explicit_bzero(text, sizeof text);
	return is_written;
}
