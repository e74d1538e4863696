/* uses: common/daemon common/base */
/*
 * A whole daemon of a few lines, run in a child process and looked at from
 * outside, as an operator and a kubelet would.
 */
#include "daemon.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "log.h"
#include "metrics.h"

typedef struct Config
{
	int64_t turn_ms;
	bool is_deaf; /* never looks whether it should drain */
	bool is_never_ready;
	bool is_stuck;
	char *key_file;
} Config;

static const Option options[] = {
	{ .name = "turn_time",
	  .type = OPTION_DURATION,
	  .offset = offsetof(Config, turn_ms),
	  .fallback = "20ms",
	  .min = 1,
	  .max = 1000,
	  .help = "of the loop" },
	{ .name = "is_deaf",
	  .type = OPTION_BOOL,
	  .offset = offsetof(Config, is_deaf),
	  .fallback = "off" },
	{ .name = "is_never_ready",
	  .type = OPTION_BOOL,
	  .offset = offsetof(Config, is_never_ready),
	  .fallback = "off" },
	{ .name = "is_stuck",
	  .type = OPTION_BOOL,
	  .offset = offsetof(Config, is_stuck),
	  .fallback = "off" },
	{ .name = "key_file",
	  .type = OPTION_SECRET_FILE,
	  .offset = offsetof(Config, key_file) },
	{ .name = NULL },
};

static bool
check(const void *config_data, Error *err)
{
	const Config *config = config_data;

	if (config->is_deaf && config->is_never_ready)
		return error_set(err, "is_deaf: makes no sense when never ready");
	return true;
}

static int
run(Daemon *daemon, const void *config_data)
{
	const Config *config = config_data;
	struct pollfd wake = { .fd = daemon_wake_fd(daemon), .events = POLLIN };
	Metric *turns =
		metric_counter("chemchat_test_turns_total", "Loop turns.", NULL);

	log_info("threw a die", "die=%ld.", random());
	if (config->is_never_ready)
		daemon_set_ready(daemon, false, "no database");
	else
		daemon_set_ready(daemon, true, NULL);
	if (config->is_stuck) /* twenty seconds pass without a turn */
		clock_set(clock_now_us() + 20000000, clock_wall_us());
	while (config->is_deaf || !daemon_is_draining(daemon))
	{
		if (config->is_deaf)
			wake.fd = -1;
		(void) poll(&wake, 1, (int) config->turn_ms);
		if (!config->is_stuck)
			daemon_turned(daemon);
		metric_add(turns, 1);
	}
	/* the descriptor becomes and stays readable: every poller learns of it */
	if (poll(&wake, 1, 5000) != 1)
		return EXIT_BUG;
	log_info("drained", NULL);
	return EXIT_OK;
}

static const DaemonSpec spec = {
	.service = "mini",
	.summary = "does nothing, properly",
	.options = options,
	.config_size = sizeof(Config),
	.check = check,
	.run = run,
};

static char dir[] = "/tmp/chemchat-daemon-XXXXXX";
static char port_path[64];
static char out_path[64];
static pid_t child;

static int
make_dir(void **state)
{
	(void) state;
	if (mkdtemp(dir) == NULL)
		return -1;
	(void) snprintf(port_path, sizeof port_path, "%s/port", dir);
	(void) snprintf(out_path, sizeof out_path, "%s/out", dir);
	return 0;
}

static int
remove_dir(void **state)
{
	(void) state;
	(void) unlink(port_path);
	(void) unlink(out_path);
	return rmdir(dir);
}

/* Starts chemchat-mini with up to three flags; output goes to out_path. */
static void
start(const char *one, const char *two, const char *three)
{
	(void) unlink(port_path);
	(void) unlink(out_path);
	(void) fflush(NULL);
	child = fork();
	if (child == 0)
	{
		static char words[6][128];
		char *argv[7];
		int argc = 0;
		const char *given[] = {
			"chemchat-mini", "--ops-port-file", port_path, one, two, three
		};

		for (size_t i = 0; i < 6 && given[i] != NULL; i++)
		{
			(void) snprintf(words[i], sizeof words[i], "%s", given[i]);
			argv[argc++] = words[i];
		}
		argv[argc] = NULL;
		if (freopen(out_path, "w", stdout) == NULL ||
			dup2(STDOUT_FILENO, STDERR_FILENO) < 0)
			_exit(99);
		exit(daemon_main(&spec, argc, argv));
	}
	assert_true(child > 0);
}

/* The exit code, or -signal. */
static int
wait_end(void)
{
	int status = 0;

	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static const char *
output(void)
{
	static char text[16384];
	FILE *file = fopen(out_path, "r");
	size_t len;

	if (file == NULL)
		return ""; /* the child did not get so far yet */
	len = fread(text, 1, sizeof text - 1, file);
	text[len] = '\0';
	(void) fclose(file);
	return text;
}

static void
wait_output(const char *what)
{
	for (int i = 0; i < 500; i++)
	{
		if (strstr(output(), what) != NULL)
			return;
		(void) poll(NULL, 0, 10);
	}
	fail_msg("no \"%s\" in: %s", what, output());
}

static int
port(void)
{
	for (int i = 0; i < 500; i++)
	{
		FILE *file = fopen(port_path, "r");
		int number = 0;

		if (file != NULL)
		{
			assert_int_equal(fscanf(file, "%d", &number), 1);
			(void) fclose(file);
			return number;
		}
		(void) poll(NULL, 0, 10);
	}
	fail_msg("no port file; %s", output());
	return 0;
}

static int
dial(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
								   .sin_port = htons((uint16_t) port()) };
	struct timeval limit = { .tv_sec = 8 };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit,
								sizeof limit),
					 0);
	assert_int_equal(connect(fd, (struct sockaddr *) &address, sizeof address),
					 0);
	return fd;
}

/* Everything until the other side closes. */
static const char *
receive(int fd)
{
	static char text[65536];
	size_t len = 0;
	ssize_t n;

	while ((n = recv(fd, text + len, sizeof text - 1 - len, 0)) > 0)
		len += (size_t) n;
	if (n < 0)
		fail_msg("no end of the answer: %s", strerror(errno));
	text[len] = '\0';
	(void) close(fd);
	return text;
}

static const char *
ask_bytes(const char *request, size_t len)
{
	int fd = dial();

	assert_int_equal(send(fd, request, len, MSG_NOSIGNAL), len);
	return receive(fd);
}

static const char *
ask(const char *request)
{
	return ask_bytes(request, strlen(request));
}

static const char *
get(const char *path)
{
	char request[128];

	(void) snprintf(request, sizeof request,
					"GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
	return ask(request);
}

static void
assert_status(const char *answer, int status)
{
	char line[32];

	(void) snprintf(line, sizeof line, "HTTP/1.1 %d ", status);
	if (strncmp(answer, line, strlen(line)) != 0)
		fail_msg("not %d but: %s", status, answer);
}

static void
assert_ends(const char *answer, const char *body)
{
	size_t len = strlen(answer);

	assert_true(len >= strlen(body));
	assert_string_equal(answer + len - strlen(body), body);
}

static void
it_lives_is_ready_and_drains(void **state)
{
	(void) state;
	start(NULL, NULL, NULL);
	wait_output("msg=\"ready\"");
	assert_status(get("/livez"), 200);
	assert_ends(get("/readyz"), "\r\n\r\nok\n");
	assert_status(get("/readyz?verbose"), 200);
	assert_status(get("/metrics"), 200);
	assert_non_null(strstr(get("/metrics"), "\nchemchat_ready 1\n"));
	assert_non_null(strstr(get("/metrics"), "\nchemchat_test_turns_total "));
	assert_status(get("/"), 404);
	assert_int_equal(kill(child, SIGTERM), 0);
	assert_int_equal(wait_end(), EXIT_OK);
	wait_output("msg=\"draining\" signal=TERM");
	wait_output("msg=\"drained\"");
	wait_output("msg=\"stopped\" exit_code=0");
}

static void
the_terminals_interrupt_drains_too(void **state)
{
	(void) state;
	start(NULL, NULL, NULL);
	wait_output("msg=\"ready\"");
	assert_int_equal(kill(child, SIGINT), 0);
	assert_int_equal(wait_end(), EXIT_OK);
}

static void
the_second_signal_leaves_at_once(void **state)
{
	(void) state;
	start("--is-deaf=on", NULL, NULL);
	wait_output("msg=\"ready\"");
	assert_int_equal(kill(child, SIGTERM), 0);
	wait_output("msg=\"draining\"");
	assert_status(get("/livez"), 200);
	assert_status(get("/readyz"), 503);
	assert_ends(get("/readyz"), "draining\n");
	assert_non_null(strstr(get("/metrics"), "\nchemchat_ready 0\n"));
	assert_int_equal(kill(child, SIGTERM), 0);
	assert_int_equal(wait_end(), EXIT_SECOND_SIGNAL);
}

/* What they wait at random would be the same for all of them. */
static void
two_of_a_kind_do_not_march(void **state)
{
	char first[32] = "";
	const char *die;

	(void) state;
	for (int i = 0; i < 2; i++)
	{
		start(NULL, NULL, NULL);
		wait_output("msg=\"ready\"");
		assert_int_equal(kill(child, SIGTERM), 0);
		assert_int_equal(wait_end(), EXIT_OK);
		die = strstr(output(), "die=");
		assert_non_null(die);
		if (i == 0)
			(void) snprintf(first, sizeof first, "%.*s",
							(int) strcspn(die, "."), die);
		else
			assert_int_not_equal(strncmp(die, first, strlen(first)), 0);
	}
}

static void
it_says_why_it_is_not_ready(void **state)
{
	(void) state;
	start("--is-never-ready=on", NULL, NULL);
	(void) port();
	for (int i = 0; i < 500 && strstr(get("/readyz"), "no database") == NULL;
		 i++)
		(void) poll(NULL, 0, 10);
	assert_status(get("/readyz"), 503);
	assert_ends(get("/readyz"), "no database\n");
	assert_status(get("/livez"), 200);
	assert_int_equal(kill(child, SIGTERM), 0);
	assert_int_equal(wait_end(), EXIT_OK);
}

static void
a_loop_that_does_not_turn_is_not_alive(void **state)
{
	(void) state;
	start("--is-stuck=on", NULL, NULL);
	wait_output("msg=\"ready\"");
	for (int i = 0; i < 500 && strstr(get("/livez"), "not turned") == NULL; i++)
		(void) poll(NULL, 0, 10);
	assert_status(get("/livez"), 503);
	assert_ends(get("/livez"), "the loop has not turned for 20 s\n");
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(wait_end(), -SIGKILL);
}

static void
bad_settings_end_with_78_and_one_line(void **state)
{
	static const struct
	{
		const char *flag;
		const char *reason;
	} cases[] = {
		{ "--turn-time=2s", "--turn-time: must be between 1ms and 1s" },
		{ "--turn-tme=2s", "--turn-tme: there is no such flag" },
		{ "--log-level=loud", "--log-level: log_level: \\\"loud\\\" is none" },
		{ "--log-format=xml", "--log-format: log_format: \\\"xml\\\" is " },
		{ "--ops-port=65536", "--ops-port: must be between 0 and 65535" },
		{ "--ops-host=", "ops_host: is required" },
		{ "--key-file=/nowhere/key", "--key-file: key_file: could not open" },
		{ "--config-file=/nowhere/conf", "could not open" },
	};

	(void) state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
	{
		const char *text;

		start(cases[i].flag, NULL, NULL);
		assert_int_equal(wait_end(), EXIT_CONFIG);
		text = output();
		if (strstr(text, cases[i].reason) == NULL)
			fail_msg("no \"%s\" in: %s", cases[i].reason, text);
		assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
		assert_int_equal(access(port_path, F_OK), -1);
	}
	start("--is-deaf=on", "--is-never-ready=on", "--log-format=json");
	assert_int_equal(wait_end(), EXIT_CONFIG);
	assert_non_null(strstr(output(), "\"reason\":\"--is-deaf: is_deaf: makes "
									 "no sense when never ready\""));
}

static void
it_can_be_asked_without_running(void **state)
{
	(void) state;
	start("--help", NULL, NULL);
	assert_int_equal(wait_end(), EXIT_OK);
	assert_non_null(strstr(output(), "chemchat-mini - does nothing, properly"));
	assert_non_null(strstr(output(), "--turn-time TIME"));
	start("--version", "--nonsense", NULL);
	assert_int_equal(wait_end(), EXIT_OK);
	assert_string_equal(output(), "chemchat-mini " CHEMCHAT_VERSION "\n");
	start("--check-config", NULL, NULL);
	assert_int_equal(wait_end(), EXIT_OK);
	start("--check-config", "--turn-time=9", NULL);
	assert_int_equal(wait_end(), EXIT_CONFIG);
	start("--print-config", "--turn-time=9ms", NULL);
	assert_int_equal(wait_end(), EXIT_OK);
	assert_non_null(strstr(output(), "turn_time = 9ms  # --turn-time\n"));
	assert_int_equal(access(port_path, F_OK), -1);
}

static void
a_taken_port_is_named(void **state)
{
	char flag[32];
	int number;
	pid_t first;

	(void) state;
	start(NULL, NULL, NULL);
	number = port();
	first = child;
	(void) snprintf(flag, sizeof flag, "--ops-port=%d", number);
	start(flag, NULL, NULL);
	assert_int_equal(wait_end(), EXIT_UNAVAILABLE);
	assert_non_null(strstr(output(), "could not listen on 127.0.0.1 port"));
	assert_non_null(strstr(output(), "Address already in use"));
	assert_int_equal(kill(first, SIGKILL), 0);
	child = first;
	assert_int_equal(wait_end(), -SIGKILL);
}

static void
odd_requests_are_refused(void **state)
{
	static char huge[9000];
	static const char zero[] = "GET /livez\0 HTTP/1.1\r\n\r\n";

	(void) state;
	start(NULL, NULL, NULL);
	wait_output("msg=\"ready\"");
	assert_status(ask("POST /livez HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi"),
				  405);
	assert_non_null(
		strstr(ask("DELETE / HTTP/1.1\r\n\r\n"), "\r\nAllow: GET\r\n"));
	assert_status(ask("GET http://x/livez HTTP/1.1\r\n\r\n"), 400);
	assert_status(ask("GET /livez HTTP/2.0\r\n\r\n"), 400);
	assert_status(ask("GET /livez\r\n\r\n"), 400);
	assert_status(ask(" /livez HTTP/1.1\r\n\r\n"), 400);
	assert_status(ask("\r\n\r\n"), 400);
	assert_status(ask("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 400);
	assert_status(ask_bytes(zero, sizeof zero - 1), 400);
	assert_status(ask("GET /livez HTTP/1.0\n\n"), 200);
	memset(huge, 'a', sizeof huge);
	memcpy(huge, "GET /", 5);
	assert_status(ask_bytes(huge, sizeof huge), 431);
	assert_status(ask_bytes(huge, 8192), 431);
	assert_int_equal(kill(child, SIGTERM), 0);
	assert_int_equal(wait_end(), EXIT_OK);
}

/* Eight that say nothing, and the ninth is answered when they are closed. */
static void
silent_connections_are_closed_in_time(void **state)
{
	int silent[8];
	int64_t began_us;

	(void) state;
	start(NULL, NULL, NULL);
	wait_output("msg=\"ready\"");
	began_us = clock_now_us();
	for (int i = 0; i < 8; i++)
	{
		silent[i] = dial();
		assert_int_equal(send(silent[i], "GET /", 5, MSG_NOSIGNAL), 5);
	}
	assert_status(get("/livez"), 200);
	assert_in_range(clock_now_us() - began_us, 3900000, 7500000);
	for (int i = 0; i < 8; i++)
		assert_string_equal(receive(silent[i]), "");
	assert_int_equal(kill(child, SIGTERM), 0);
	assert_int_equal(wait_end(), EXIT_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_lives_is_ready_and_drains),
		cmocka_unit_test(the_terminals_interrupt_drains_too),
		cmocka_unit_test(the_second_signal_leaves_at_once),
		cmocka_unit_test(two_of_a_kind_do_not_march),
		cmocka_unit_test(it_says_why_it_is_not_ready),
		cmocka_unit_test(a_loop_that_does_not_turn_is_not_alive),
		cmocka_unit_test(bad_settings_end_with_78_and_one_line),
		cmocka_unit_test(it_can_be_asked_without_running),
		cmocka_unit_test(a_taken_port_is_named),
		cmocka_unit_test(odd_requests_are_refused),
		cmocka_unit_test(silent_connections_are_closed_in_time),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
