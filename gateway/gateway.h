/*
 * gateway - the parts put together on one loop
 *
 * Starts in the order database, sessions, live channels, door; a stop mirrors
 * it: no new connections, requests under way are finished, each client is told
 * when to come back (`bye`) and closed, then the database goes.
 *
 * Ready while every connection of the pool is up.
 */
#ifndef CHEMCHAT_GATEWAY_H
#define CHEMCHAT_GATEWAY_H

#include "daemon.h"

/* Runs until drained; config is a GatewayConfig.  Returns an ExitCode. */
int gateway_run(Daemon *daemon, const void *config);

#endif
