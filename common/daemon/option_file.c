#include "option_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_LINE 65536

static bool read_line(char *line, size_t len, char **key, char **value,
					  Error *err);
static bool read_quoted(char *at, Error *err);
static char *skip_blanks(char *at);

bool
option_file_read(const char *path, OptionFileSetting setting, void *context,
				 Error *err)
{
	bool is_read = false;
	char *line = NULL;
	size_t cap = 0;
	int number = 0;
	struct stat st;
	FILE *file = fopen(path, "re");

	if (file == NULL)
		return error_set(err, "could not open \"%s\": %s", path,
						 strerror(errno));
	if (fstat(fileno(file), &st) != 0 || S_ISDIR(st.st_mode))
	{
		error_set(err, "could not read \"%s\": it is not a file", path);
		goto cleanup;
	}

	for (;;)
	{
		char *key = NULL;
		char *value = NULL;
		ssize_t len;

		errno = 0;
		len = getline(&line, &cap, file);
		if (len < 0)
			break;
		number++;
		if (!read_line(line, (size_t) len, &key, &value, err) ||
			(key != NULL && !setting(context, key, value, number, err)))
		{
			error_wrap(err, "%s:%d", path, number);
			goto cleanup;
		}
	}
	if (ferror(file))
	{
		error_set(err, "could not read \"%s\": %s", path, strerror(errno));
		goto cleanup;
	}
	is_read = true;

cleanup:
	free(line);
	(void) fclose(file);
	return is_read;
}

/* Cuts the line into key and value, in place; *key stays NULL when empty. */
static bool
read_line(char *line, size_t len, char **key, char **value, Error *err)
{
	char *at;
	char *end;

	if (len > MAX_LINE)
		return error_set(err, "the line is longer than %d bytes", MAX_LINE);
	if (memchr(line, '\0', len) != NULL)
		return error_set(err, "there is a zero byte in the line");
	line[strcspn(line, "\r\n")] = '\0';

	at = skip_blanks(line);
	if (*at == '\0' || *at == '#')
		return true;

	*key = at;
	at += strcspn(at, " \t=");
	end = at;
	at = skip_blanks(at);
	if (*at != '=' || end == *key)
		return error_set(err, "expected \"key = value\"");
	*end = '\0';
	at = skip_blanks(at + 1);

	*value = at;
	if (*at == '"')
	{
		*value = at + 1;
		return read_quoted(at + 1, err);
	}
	for (end = at; *at != '\0'; at++)
	{
		bool is_blank = *at == ' ' || *at == '\t';

		if (*at == '#' && (at == *value || at[-1] == ' ' || at[-1] == '\t'))
			break;
		if (!is_blank)
			end = at + 1;
	}
	*end = '\0';
	return true;
}

/* Undoes the escapes in place; only a comment may follow the second quote. */
static bool
read_quoted(char *at, Error *err)
{
	char *out = at;

	while (*at != '"')
	{
		if (*at == '\\' && (at[1] == '"' || at[1] == '\\'))
			at++;
		if (*at == '\0')
			return error_set(err, "the quoted value has no end");
		*out++ = *at++;
	}
	at = skip_blanks(at + 1);
	*out = '\0';
	if (*at != '\0' && *at != '#')
		return error_set(err, "there is something after the quoted value");
	return true;
}

static char *
skip_blanks(char *at)
{
	return at + strspn(at, " \t");
}
