/*
 * ops - the operations port
 *
 * A thread with a listening socket for the few who look after the process: a
 * kubelet, Prometheus, a person with curl.  GET only; a request of at most
 * 8 KiB within 5 s; at most 8 connections, further ones wait in the kernel's
 * queue.  Never touches the daemon's own loop, so it answers while that is
 * stuck, which is what it is there to tell.
 *
 * The same thread reads the signals, for the same reason.
 */
#ifndef CHEMCHAT_OPS_H
#define CHEMCHAT_OPS_H

#include <stdint.h>

#include "buf.h"
#include "error.h"

typedef struct Ops Ops;

/* All are called in the operations thread. */
typedef struct OpsHooks
{
	/* Appends the answer to GET path; returns the status, 404 for no such. */
	int (*answer)(void *context, const char *path, Buf *body);

	/* signal_fd of ops_start is readable. */
	void (*signalled)(void *context);

	/* About once a second. */
	void (*tick)(void *context);
	void *context;
} OpsHooks;

/*
 * Listens on host:port (0: one that is free) and starts the thread.  With
 * port_file, its path gets the port's number and a newline, all at once.
 * NULL and a reason when it cannot.
 */
Ops *ops_start(const char *host, int64_t port, const char *port_file,
			   int signal_fd, const OpsHooks *hooks, Error *err) MUST_CHECK;

int ops_port(const Ops *ops);

/* Ends the thread and every connection. */
void ops_stop(Ops **ops);

#endif
