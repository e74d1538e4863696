/*
 * slots - the relays of this process, a thread each
 *
 * One relay per slot: the Kafka slot, and the live slot when there is a Redis
 * for it.  They share nothing but the metrics.  The main thread waits for the
 * signal to stop, tells the operations port how they fare and ends when all
 * have; when one stops by a name, the others drain and that is the exit code.
 */
#ifndef CHEMCHAT_SLOTS_H
#define CHEMCHAT_SLOTS_H

#include "daemon.h"
#include "relay_config.h"

/* DaemonSpec.run */
int slots_run(Daemon *daemon, const void *config);

#endif
