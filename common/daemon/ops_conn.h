/*
 * ops_conn - one request and its answer on the operations port
 *
 * A connection reads one request head, answers, closes.  Non-blocking: told
 * when its socket is ready and what time it is, it says what it waits for.
 */
#ifndef CHEMCHAT_OPS_CONN_H
#define CHEMCHAT_OPS_CONN_H

#include <stdbool.h>
#include <stdint.h>

#include "ops.h"

typedef struct OpsConn OpsConn;

/* Takes the descriptor. */
OpsConn *ops_conn_new(int take_fd, int64_t now_us);
void ops_conn_free(OpsConn **conn);

int ops_conn_fd(const OpsConn *conn);

/* POLLIN or POLLOUT. */
short ops_conn_events(const OpsConn *conn);

/* One step; is_ready: poll said so.  False: free it. */
bool ops_conn_turn(OpsConn *conn, bool is_ready, int64_t now_us,
				   const OpsHooks *hooks);

#endif
