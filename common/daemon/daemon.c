#include "daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "metrics.h"
#include "ops.h"
#include "option_set.h"
#include "xalloc.h"

#define STUCK_US 15000000

struct Daemon
{
	const DaemonSpec *spec;
	int wake_fd;
	int signal_fd;
	atomic_bool is_draining;
	_Atomic int64_t turned_us;
	_Atomic(const char *) not_ready; /* NULL: ready */
	Metric *ready_gauge;
	Metric *age_gauge;
};

/* What every daemon can be told. */
typedef struct CommonConfig
{
	char *config_file;
	char *ops_host;
	int64_t ops_port;
	char *ops_port_file;
	char *log_level;
	char *log_format;
} CommonConfig;

static const Option common_options[] = {
	{ .name = "config_file",
	  .type = OPTION_STRING,
	  .offset = offsetof(CommonConfig, config_file),
	  .help = "settings as key = value lines" },
	{ .name = "ops_host",
	  .type = OPTION_STRING,
	  .offset = offsetof(CommonConfig, ops_host),
	  .fallback = "127.0.0.1",
	  .is_required = true,
	  .help = "address of /livez, /readyz, /metrics" },
	{ .name = "ops_port",
	  .type = OPTION_INT,
	  .offset = offsetof(CommonConfig, ops_port),
	  .fallback = "0",
	  .min = 0,
	  .max = 65535,
	  .help = "its port; 0: a free one" },
	{ .name = "ops_port_file",
	  .type = OPTION_STRING,
	  .offset = offsetof(CommonConfig, ops_port_file),
	  .help = "where to write the port's number" },
	{ .name = "log_level",
	  .type = OPTION_STRING,
	  .offset = offsetof(CommonConfig, log_level),
	  .fallback = "info",
	  .help = "debug, info, warn or error" },
	{ .name = "log_format",
	  .type = OPTION_STRING,
	  .offset = offsetof(CommonConfig, log_format),
	  .fallback = "logfmt",
	  .help = "logfmt or json" },
	{ .name = NULL },
};

static bool configure(const DaemonSpec *spec, const CommonConfig *common,
					  const void *config, Error *err);
static bool start_log(const DaemonSpec *spec, const CommonConfig *common,
					  Error *err);
static void print_help(const DaemonSpec *spec, const OptionSet *set);
static int serve(const DaemonSpec *spec, const CommonConfig *common,
				 const void *config);
static bool daemon_begin(Daemon *daemon, const DaemonSpec *spec, Error *err);
static bool take_signals(int *signal_fd, Error *err);
static int hook_answer(void *context, const char *path, Buf *body);
static void hook_signalled(void *context);
static void hook_tick(void *context);

int
daemon_main(const DaemonSpec *spec, int argc, char **argv)
{
	OptionAction action = option_set_action(argc, argv);
	CommonConfig common = { 0 };
	void *config = xcalloc(1, spec->config_size);
	OptionSet *set = option_set_new();
	int exit_code = EXIT_CONFIG;
	Error err = { "" };
	bool is_good;

	log_init(spec->service, LOG_INFO, LOG_LOGFMT);
	option_set_add(set, common_options, &common);
	option_set_add(set, spec->options, config);
	if (action == OPTION_HELP || action == OPTION_VERSION)
	{
		if (action == OPTION_HELP)
			print_help(spec, set);
		else
			(void) printf("chemchat-%s %s\n", spec->service, CHEMCHAT_VERSION);
		exit_code = EXIT_OK;
		goto cleanup;
	}

	is_good = option_set_load(set, argc, argv, environ, &err);
	if (!is_good)
		/* told in the format that was asked for, if that much was read */
		(void) start_log(spec, &common, NULL);
	else if (!configure(spec, &common, config, &err))
	{
		option_set_blame(set, &err);
		is_good = false;
	}
	if (!is_good)
	{
		log_error("configuration refused", "reason=%s", log_quote(err.text));
		goto cleanup;
	}

	if (action == OPTION_PRINT_CONFIG)
	{
		Buf text;

		buf_init(&text);
		option_set_print(set, &text);
		(void) fputs(text.data, stdout);
		buf_fini(&text);
		exit_code = EXIT_OK;
	}
	else if (action == OPTION_CHECK_CONFIG)
	{
		(void) printf("chemchat-%s: the configuration is good\n",
					  spec->service);
		exit_code = EXIT_OK;
	}
	else
		exit_code = serve(spec, &common, config);

cleanup:
	option_set_free(&set);
	free(config);
	return exit_code;
}

bool
daemon_is_draining(const Daemon *daemon)
{
	return atomic_load_explicit(&daemon->is_draining, memory_order_acquire);
}

int
daemon_wake_fd(const Daemon *daemon)
{
	return daemon->wake_fd;
}

void
daemon_turned(Daemon *daemon)
{
	atomic_store_explicit(&daemon->turned_us, clock_now_us(),
						  memory_order_relaxed);
}

void
daemon_set_ready(Daemon *daemon, bool is_ready, const char *reason)
{
	const char *now = is_ready ? NULL : reason != NULL ? reason : "not ready";
	const char *before = atomic_exchange(&daemon->not_ready, now);

	metric_set(daemon->ready_gauge, is_ready);
	if (is_ready && before != NULL)
		log_info("ready", NULL);
	else if (!is_ready && before == NULL)
		log_warn("not ready", "reason=%s", log_quote(now));
}

static bool
configure(const DaemonSpec *spec, const CommonConfig *common,
		  const void *config, Error *err)
{
	return start_log(spec, common, err) &&
		   (spec->check == NULL || spec->check(config, err));
}

static bool
start_log(const DaemonSpec *spec, const CommonConfig *common, Error *err)
{
	static const char *const levels[] = { "debug", "info", "warn", "error" };
	const char *level = common->log_level != NULL ? common->log_level : "";
	const char *format = common->log_format != NULL ? common->log_format : "";
	bool is_json = strcmp(format, "json") == 0;

	if (!is_json && strcmp(format, "logfmt") != 0)
		return error_set(err, "log_format: \"%s\" is neither logfmt nor json",
						 format);
	for (int i = 0; i < 4; i++)
	{
		if (strcmp(level, levels[i]) == 0)
		{
			log_init(spec->service, (LogLevel) i,
					 is_json ? LOG_JSON : LOG_LOGFMT);
			return true;
		}
	}
	return error_set(err,
					 "log_level: \"%s\" is none of debug, info, warn, error",
					 level);
}

static void
print_help(const DaemonSpec *spec, const OptionSet *set)
{
	Buf text;

	buf_init(&text);
	buf_printf(&text,
			   "chemchat-%s - %s\n\n"
			   "usage: chemchat-%s [--SETTING VALUE ...]\n"
			   "       chemchat-%s --check-config | --print-config | "
			   "--version | --help\n\n"
			   "A setting comes from its flag, else from the variable "
			   "CHEMCHAT_<SETTING>,\n"
			   "else from the file --config-file names, else it is what "
			   "stands in brackets.\n\n",
			   spec->service, spec->summary, spec->service, spec->service);
	option_set_help(set, &text);
	(void) fputs(text.data, stdout);
	buf_fini(&text);
}

/* Start is: signals, operations port, run; the end is the reverse. */
static int
serve(const DaemonSpec *spec, const CommonConfig *common, const void *config)
{
	Daemon daemon = { .wake_fd = -1, .signal_fd = -1 };
	const OpsHooks hooks = { .answer = hook_answer,
							 .signalled = hook_signalled,
							 .tick = hook_tick,
							 .context = &daemon };
	Ops *ops = NULL;
	Error err = { "" };
	int exit_code = EXIT_UNAVAILABLE;

	if (daemon_begin(&daemon, spec, &err))
		ops = ops_start(common->ops_host, common->ops_port,
						common->ops_port_file, daemon.signal_fd, &hooks, &err);
	if (ops == NULL)
	{
		log_error("could not start", "reason=%s", log_quote(err.text));
		goto cleanup;
	}

	log_info("started", "version=%s pid=%d ops=%s:%d", CHEMCHAT_VERSION,
			 (int) getpid(), common->ops_host, ops_port(ops));
	exit_code = spec->run(&daemon, config);
	log_tell_repeats(true);
	log_info("stopped", "exit_code=%d", exit_code);

cleanup:
	ops_stop(&ops);
	if (daemon.signal_fd >= 0)
		(void) close(daemon.signal_fd);
	if (daemon.wake_fd >= 0)
		(void) close(daemon.wake_fd);
	return exit_code;
}

static bool
daemon_begin(Daemon *daemon, const DaemonSpec *spec, Error *err)
{
	unsigned int seed;
	char labels[96];

	/* What many of a kind wait at random must not be the same for all. */
	if (getrandom(&seed, sizeof seed, 0) != (ssize_t) sizeof seed)
		return error_set(err, "there are no random bytes");
	srandom(seed);

	daemon->spec = spec;
	atomic_store(&daemon->not_ready, "starting");
	daemon_turned(daemon);
	daemon->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (daemon->wake_fd < 0)
		return error_set(err, "could not create an event descriptor: %s",
						 strerror(errno));

	(void) snprintf(labels, sizeof labels, "service=\"%s\",version=\"%s\"",
					spec->service, CHEMCHAT_VERSION);
	metric_set(metric_gauge("chemchat_build_info", "What is running; always 1.",
							labels),
			   1);
	daemon->ready_gauge =
		metric_gauge("chemchat_ready", "1 while /readyz says 200.", NULL);
	daemon->age_gauge =
		metric_gauge_us("chemchat_loop_age_seconds",
						"Time since the loop last turned.", NULL);
	return take_signals(&daemon->signal_fd, err);
}

/*
 * Signals become bytes for the operations thread, which never waits for the
 * loop: nothing runs inside a handler, and a second signal is heard even
 * when the loop is stuck.  Blocked before any thread exists, so in all.
 */
static bool
take_signals(int *signal_fd, Error *err)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t asked;

	(void) sigemptyset(&asked);
	(void) sigaddset(&asked, SIGTERM);
	(void) sigaddset(&asked, SIGINT);
	if (sigaction(SIGPIPE, &ignore, NULL) != 0 ||
		pthread_sigmask(SIG_BLOCK, &asked, NULL) != 0)
		return error_set(err, "could not block signals: %s", strerror(errno));

	*signal_fd = signalfd(-1, &asked, SFD_CLOEXEC | SFD_NONBLOCK);
	if (*signal_fd < 0)
		return error_set(err, "could not read signals: %s", strerror(errno));
	return true;
}

static int
hook_answer(void *context, const char *path, Buf *body)
{
	Daemon *daemon = context;
	const char *not_ready = atomic_load(&daemon->not_ready);
	int64_t age_us = clock_now_us() - atomic_load(&daemon->turned_us);

	if (strcmp(path, "/livez") == 0)
	{
		bool is_stuck = age_us > STUCK_US;

		if (is_stuck)
			buf_printf(body, "the loop has not turned for %lld s\n",
					   (long long) (age_us / 1000000));
		else
			buf_append_str(body, "ok\n");
		return is_stuck ? 503 : 200;
	}
	if (strcmp(path, "/readyz") == 0)
	{
		if (daemon_is_draining(daemon))
			not_ready = "draining";
		buf_printf(body, "%s\n", not_ready != NULL ? not_ready : "ok");
		return not_ready != NULL ? 503 : 200;
	}
	if (strcmp(path, "/metrics") == 0)
	{
		metric_set(daemon->age_gauge, age_us > 0 ? age_us : 0);
		metrics_write(body);
		return 200;
	}
	buf_append_str(body, "there are /livez, /readyz and /metrics\n");
	return 404;
}

static void
hook_signalled(void *context)
{
	Daemon *daemon = context;
	struct signalfd_siginfo info;

	while (read(daemon->signal_fd, &info, sizeof info) == (ssize_t) sizeof info)
	{
		uint64_t one = 1;
		ssize_t ignored;

		if (atomic_exchange(&daemon->is_draining, true))
		{
			log_warn("left at once", "signal=%s exit_code=%d",
					 sigabbrev_np((int) info.ssi_signo), EXIT_SECOND_SIGNAL);
			_exit(EXIT_SECOND_SIGNAL);
		}
		log_info("draining", "signal=%s", sigabbrev_np((int) info.ssi_signo));
		metric_set(daemon->ready_gauge, 0);
		ignored = write(daemon->wake_fd, &one, sizeof one);
		(void) ignored; /* a counter of 1 cannot be full */
	}
}

static void
hook_tick(void *context)
{
	(void) context;
	log_tell_repeats(false);
}
