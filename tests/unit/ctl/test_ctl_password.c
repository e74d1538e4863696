/* uses: ctl common/jwt common/http common/password common/pg common/base */
/*
 * The prompt as somebody at a terminal sees it: the command is a child with a
 * terminal of its own, and we are the keyboard and the screen.
 */
#include "ctl_password.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define RIGHT   "correct horse battery"
#define WAIT_MS 10000

typedef struct Terminal
{
	int screen; /* the master's end */
	int line;   /* the slave's, to look at its settings */
	int told;   /* what the command made of it */
	pid_t child;
	size_t seen_len;
	char seen[4096];
} Terminal;

static void
command(int line, int told)
{
	char hash[PASSWORD_HASH_SIZE];
	Error err;
	const char *text = hash;

	(void) setsid();
	(void) ioctl(line, TIOCSCTTY, 0);
	if (!ctl_password_hash(NULL, hash, &err))
		text = err.text;
	if (write(told, text, strlen(text)) < 0)
		_exit(2);
	_exit(0);
}

static int
begin(void **state)
{
	static Terminal terminal;
	int told[2];

	memset(&terminal, 0, sizeof(terminal));
	terminal.screen = posix_openpt(O_RDWR | O_NOCTTY);
	assert_true(terminal.screen >= 0);
	assert_int_equal(grantpt(terminal.screen), 0);
	assert_int_equal(unlockpt(terminal.screen), 0);
	terminal.line = open(ptsname(terminal.screen), O_RDWR | O_NOCTTY);
	assert_true(terminal.line >= 0);
	assert_int_equal(pipe(told), 0);
	terminal.child = fork();
	if (terminal.child == 0)
		command(terminal.line, told[1]);
	close(told[1]);
	terminal.told = told[0];
	*state = &terminal;
	return 0;
}

static int
end(void **state)
{
	Terminal *terminal = *state;

	if (terminal->child > 0)
	{
		kill(terminal->child, SIGKILL);
		(void) waitpid(terminal->child, NULL, 0);
	}
	close(terminal->told);
	close(terminal->line);
	close(terminal->screen);
	return 0;
}

/* Until that stands on the screen. */
static void
see(Terminal *terminal, const char *text)
{
	struct pollfd readable = { .fd = terminal->screen, .events = POLLIN };

	while (strstr(terminal->seen, text) == NULL)
	{
		ssize_t got;

		if (poll(&readable, 1, WAIT_MS) != 1)
			fail_msg("no \"%s\" but \"%s\"", text, terminal->seen);
		got = read(terminal->screen, terminal->seen + terminal->seen_len,
				   sizeof(terminal->seen) - 1 - terminal->seen_len);
		assert_true(got > 0);
		terminal->seen_len += (size_t) got;
	}
}

static void
type(Terminal *terminal, const char *text)
{
	assert_int_equal(write(terminal->screen, text, strlen(text)), strlen(text));
}

static bool
echoes(const Terminal *terminal)
{
	struct termios settings;

	assert_int_equal(tcgetattr(terminal->line, &settings), 0);
	return (settings.c_lflag & ECHO) != 0;
}

/* What the command said at its end; its wait status. */
static int
ending(Terminal *terminal, char *text, size_t size)
{
	struct pollfd readable = { .fd = terminal->told, .events = POLLIN };
	int status;
	ssize_t got;

	if (poll(&readable, 1, WAIT_MS) != 1)
		fail_msg("it does not end");
	got = read(terminal->told, text, size - 1);
	text[got > 0 ? got : 0] = '\0';
	assert_int_equal(waitpid(terminal->child, &status, 0), terminal->child);
	terminal->child = 0;
	return status;
}

static void
what_is_typed_is_not_seen(void **state)
{
	Terminal *terminal = *state;
	char hash[1000];

	see(terminal, "Password: ");
	assert_false(echoes(terminal));
	type(terminal, RIGHT "\n");
	see(terminal, "Again: ");
	assert_false(echoes(terminal));
	type(terminal, RIGHT "\n");
	assert_int_equal(ending(terminal, hash, sizeof(hash)), 0);
	assert_true(password_is_of(hash, RIGHT, strlen(RIGHT)));
	assert_true(echoes(terminal));
	see(terminal, "Again: \r\n");
	assert_null(strstr(terminal->seen, "horse"));
}

static void
not_the_same_twice_is_no_password(void **state)
{
	Terminal *terminal = *state;
	char said[1000];

	see(terminal, "Password: ");
	type(terminal, RIGHT "\n");
	see(terminal, "Again: ");
	type(terminal, RIGHT "!\n");
	assert_int_equal(ending(terminal, said, sizeof(said)), 0);
	assert_string_equal(said, "that was not the same twice");
	assert_true(echoes(terminal));
}

static void
the_end_of_what_is_typed_is_no_password(void **state)
{
	Terminal *terminal = *state;
	char said[1000];

	see(terminal, "Password: ");
	type(terminal, "\x04"); /* Ctrl-D */
	assert_int_equal(ending(terminal, said, sizeof(said)), 0);
	assert_string_equal(said, "no password was given");
	assert_true(echoes(terminal));
}

static void
ends_by(Terminal *terminal, int signal_number)
{
	char said[1000];
	int status = ending(terminal, said, sizeof(said));

	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), signal_number);
	assert_string_equal(said, "");
	assert_true(echoes(terminal));
}

static void
ctrl_c_leaves_the_terminal_as_it_was(void **state)
{
	Terminal *terminal = *state;

	see(terminal, "Password: ");
	type(terminal, "half of it\x03");
	ends_by(terminal, SIGINT);
	assert_null(strstr(terminal->seen, "half"));
}

static void
so_does_ctrl_c_at_the_second_question(void **state)
{
	Terminal *terminal = *state;

	see(terminal, "Password: ");
	type(terminal, RIGHT "\n");
	see(terminal, "Again: ");
	type(terminal, "\x03");
	ends_by(terminal, SIGINT);
}

static void
so_does_a_kill(void **state)
{
	Terminal *terminal = *state;

	see(terminal, "Password: ");
	kill(terminal->child, SIGTERM);
	ends_by(terminal, SIGTERM);
}

#define SCENE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE(what_is_typed_is_not_seen),
		SCENE(not_the_same_twice_is_no_password),
		SCENE(the_end_of_what_is_typed_is_no_password),
		SCENE(ctrl_c_leaves_the_terminal_as_it_was),
		SCENE(so_does_ctrl_c_at_the_second_question),
		SCENE(so_does_a_kill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
