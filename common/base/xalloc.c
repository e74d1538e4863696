#include "xalloc.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *checked(void *memory);

void *
xmalloc(size_t size)
{
	return checked(malloc(size > 0 ? size : 1));
}

void *
xcalloc(size_t count, size_t size)
{
	if (count == 0 || size == 0)
		count = size = 1;
	return checked(calloc(count, size));
}

void *
xrealloc(void *old, size_t size)
{
	return checked(realloc(old, size > 0 ? size : 1));
}

char *
xstrdup(const char *text)
{
	return xstrndup(text, strlen(text));
}

char *
xstrndup(const char *text, size_t len)
{
	size_t used = strnlen(text, len);
	char *copy = xmalloc(used + 1);

	memcpy(copy, text, used);
	copy[used] = '\0';
	return copy;
}

static void *
checked(void *memory)
{
	/* no stdio: it may want memory too */
	static const char words[] = "out of memory\n";

	if (memory == NULL)
	{
		ssize_t ignored = write(STDERR_FILENO, words, sizeof words - 1);

		(void) ignored;
		abort();
	}
	return memory;
}
