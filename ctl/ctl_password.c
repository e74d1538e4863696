#include "ctl_password.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "secret_file.h"

/* One byte more, to notice what is too long, and a NUL. */
#define LINE_SIZE (PASSWORD_MAX_SIZE + 2)

static bool read_file(const char *path, char line[LINE_SIZE], Error *err);
static bool ask_twice(char line[LINE_SIZE], Error *err);
static bool ask(FILE *terminal, const char *prompt, char line[LINE_SIZE],
				Error *err);

bool
ctl_password_hash(const char *file, char hash[PASSWORD_HASH_SIZE], Error *err)
{
	char line[LINE_SIZE];
	bool is_made = false;

	if ((file != NULL ? read_file(file, line, err) : ask_twice(line, err)) &&
		password_check(line, strlen(line), err))
	{
		is_made = password_hash(line, strlen(line), hash);
		if (!is_made)
			error_set(err, "there is no memory for a password hash");
	}
	explicit_bzero(line, sizeof line);
	return is_made;
}

static bool
read_file(const char *path, char line[LINE_SIZE], Error *err)
{
	bool is_read;
	Buf text;

	buf_init(&text);
	is_read = secret_file_read(path, &text, err);
	line[0] = '\0';
	if (is_read && text.data != NULL)
	{
		size_t len = strcspn(text.data, "\r\n");

		if (len >= LINE_SIZE)
			len = LINE_SIZE - 1;
		memcpy(line, text.data, len);
		line[len] = '\0';
	}
	secret_file_wipe(&text);
	buf_fini(&text);
	return is_read;
}

static bool
ask_twice(char line[LINE_SIZE], Error *err)
{
	char again[LINE_SIZE] = "";
	bool is_same = false;
	FILE *terminal = fopen("/dev/tty", "r+e");

	if (terminal == NULL)
		return error_set(err, "there is no terminal to ask for a password at; "
							  "use --password-file");
	if (ask(terminal, "Password: ", line, err) &&
		ask(terminal, "Again: ", again, err))
	{
		is_same = strcmp(line, again) == 0;
		if (!is_same)
			error_set(err, "that was not the same twice");
	}
	explicit_bzero(again, sizeof again);
	(void) fclose(terminal);
	return is_same;
}

static bool
ask(FILE *terminal, const char *prompt, char line[LINE_SIZE], Error *err)
{
	struct termios was;
	struct termios quiet;
	bool is_read;

	if (tcgetattr(fileno(terminal), &was) != 0)
		return error_set(err, "could not ask: %s", strerror(errno));
	quiet = was;
	quiet.c_lflag &= ~(tcflag_t) ECHO;
	(void) setvbuf(terminal, NULL, _IONBF, 0);
	(void) fputs(prompt, terminal);
	(void) tcsetattr(fileno(terminal), TCSAFLUSH, &quiet);
	is_read = fgets(line, LINE_SIZE, terminal) != NULL;
	(void) tcsetattr(fileno(terminal), TCSAFLUSH, &was);
	(void) fputs("\n", terminal);
	if (!is_read)
		return error_set(err, "no password was given");
	line[strcspn(line, "\r\n")] = '\0';
	return true;
}
