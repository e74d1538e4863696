#include "redis_command.h"

#include <string.h>

/* '*' or '$', up to 20 digits, CRLF */
#define PREFIX_MAX 23

static void append_prefix(Buf *out, char kind, size_t n);

bool
redis_command_append(Buf *out, int argc, const char *const *argv,
					 const size_t *argv_len, size_t max_bytes)
{
	size_t need = PREFIX_MAX;

	for (int i = 0; i < argc; i++)
		need += PREFIX_MAX + (argv_len ? argv_len[i] : strlen(argv[i])) + 2;
	if (out->len + need > max_bytes)
		return false;

	buf_reserve(out, need);
	append_prefix(out, '*', (size_t) argc);
	for (int i = 0; i < argc; i++)
	{
		size_t len = argv_len ? argv_len[i] : strlen(argv[i]);

		append_prefix(out, '$', len);
		buf_append(out, argv[i], len);
		buf_append(out, "\r\n", 2);
	}
	return true;
}

static void
append_prefix(Buf *out, char kind, size_t n)
{
	char text[PREFIX_MAX];
	char *at = text + sizeof(text);

	*--at = '\n';
	*--at = '\r';
	do
	{
		*--at = (char) ('0' + n % 10);
		n /= 10;
	} while (n > 0);
	*--at = kind;
	buf_append(out, at, (size_t) (text + sizeof(text) - at));
}
