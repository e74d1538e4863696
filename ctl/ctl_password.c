#include "ctl_password.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "secret_file.h"

/* One byte more, to notice what is too long, and a NUL. */
#define LINE_SIZE (PASSWORD_MAX_SIZE + 2)

static bool read_file(const char *path, char line[LINE_SIZE], Error *err);
static bool ask_twice(char line[LINE_SIZE], Error *err);
static bool ask(int terminal, const char *prompt, char line[LINE_SIZE],
				Error *err);
static ssize_t read_unseen(int terminal, const struct termios *was,
						   const sigset_t *waiting, const char *prompt,
						   char line[LINE_SIZE]);
static void say(int terminal, const char *text);
static void on_signal(int signal_number);

static volatile sig_atomic_t caught;

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
	int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	if (terminal < 0)
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
	(void) close(terminal);
	return is_same;
}

/*
 * Whatever ends or stops us meanwhile finds the terminal as it was: signals
 * come only while we wait, and take effect when it has been restored.
 */
static bool
ask(int terminal, const char *prompt, char line[LINE_SIZE], Error *err)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP };
	enum
	{
		SIGNALS = sizeof signals / sizeof signals[0]
	};
	struct sigaction was_action[SIGNALS];
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t blocked;
	sigset_t was_mask;
	struct termios was;
	ssize_t len;

	if (tcgetattr(terminal, &was) != 0)
		return error_set(err, "could not ask: %s", strerror(errno));
	(void) sigemptyset(&blocked);
	for (int i = 0; i < SIGNALS; i++)
		(void) sigaddset(&blocked, signals[i]);
	do
	{
		caught = 0;
		(void) sigprocmask(SIG_BLOCK, &blocked, &was_mask);
		for (int i = 0; i < SIGNALS; i++)
			(void) sigaction(signals[i], &action, &was_action[i]);
		len = read_unseen(terminal, &was, &was_mask, prompt, line);
		for (int i = 0; i < SIGNALS; i++)
			(void) sigaction(signals[i], &was_action[i], NULL);
		if (caught != 0)
			(void) raise(caught);
		(void) sigprocmask(SIG_SETMASK, &was_mask, NULL);
	} while (caught == SIGTSTP); /* and is back */
	if (len <= 0)
		return error_set(err, "no password was given");
	line[len] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	return true;
}

/* A line; not above 0: a signal was caught, or nobody is there any more. */
static ssize_t
read_unseen(int terminal, const struct termios *was, const sigset_t *waiting,
			const char *prompt, char line[LINE_SIZE])
{
	struct pollfd readable = { .fd = terminal, .events = POLLIN };
	struct termios quiet = *was;
	ssize_t len = -1;

	quiet.c_lflag &= ~(tcflag_t) ECHO;
	(void) tcsetattr(terminal, TCSAFLUSH, &quiet);
	say(terminal, prompt);
	if (ppoll(&readable, 1, NULL, waiting) > 0)
		len = read(terminal, line, LINE_SIZE - 1);
	(void) tcsetattr(terminal, TCSAFLUSH, was);
	say(terminal, "\n");
	return len;
}

static void
say(int terminal, const char *text)
{
	if (write(terminal, text, strlen(text)) < 0)
		return; /* then nobody sees it; what is typed may still be good */
}

static void
on_signal(int signal_number)
{
	caught = signal_number;
}
