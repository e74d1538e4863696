/*
 * daemon - what every ChemChat process is
 *
 * daemon_main reads the options, answers --help, --version, --check-config
 * and --print-config, starts the operations port in a thread of its own
 * (GET /livez, /readyz, /metrics), installs the signal handlers and calls
 * run().  It returns the exit code.
 *
 * SIGTERM and SIGINT ask run() to drain (daemon_is_draining, and the wake
 * descriptor becomes readable); a second one leaves at once with 130.
 * /livez is 503 when the loop has not turned for 15 s; /readyz is 503 with
 * the reason until daemon_set_ready, and while draining.
 *
 * Options every daemon has: config_file, ops_host (127.0.0.1), ops_port (0 =
 * chosen free, written to ops_port_file when set), log_level, log_format.
 */
#ifndef CHEMCHAT_DAEMON_H
#define CHEMCHAT_DAEMON_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"
#include "option.h"

/* Exit codes, documented in docs/operations.md. */
typedef enum ExitCode
{
	EXIT_OK = 0,
	EXIT_BUG = 70,         /* EX_SOFTWARE: an invariant did not hold */
	EXIT_UNAVAILABLE = 69, /* EX_UNAVAILABLE: a dependency, for too long */
	EXIT_CONFIG = 78,      /* EX_CONFIG */
	EXIT_NAMED_STOP = 80,  /* stopped by a named condition; see its log line */
	EXIT_SECOND_SIGNAL = 130
} ExitCode;

typedef struct Daemon Daemon;

typedef struct DaemonSpec
{
	const char *service;   /* "relay": log field and binary chemchat-relay */
	const char *summary;   /* one line for --help */
	const Option *options; /* ends with a NULL name */
	size_t config_size;

	/*
	 * Cross-checks of the whole configuration; may be NULL.  A reason that
	 * begins with "name_of_setting: " gets its source put before it.
	 */
	bool (*check)(const void *config, Error *err);

	/* Runs until drained; returns an ExitCode. */
	int (*run)(Daemon *daemon, const void *config);
} DaemonSpec;

int daemon_main(const DaemonSpec *spec, int argc, char **argv);

bool daemon_is_draining(const Daemon *daemon);

/* Readable once a stop was asked for; for poll(), uv_poll. */
int daemon_wake_fd(const Daemon *daemon);

/* Call once per loop turn, at least every second. */
void daemon_turned(Daemon *daemon);

/* reason: borrowed static text, said by /readyz when not ready. */
void daemon_set_ready(Daemon *daemon, bool is_ready, const char *reason);

#endif
