/*
 * conn - one accepted socket: bytes in, shared payloads out, TLS or not
 *
 * All connections of a loop stand behind one epoll descriptor of their own and
 * share one buffer for reading, so an idle one costs its Conn and nothing
 * else.  What is written leaves at the end of the loop's turn, everything for
 * one socket in one call; what the kernel does not take then waits, counted
 * by reference, until it does (conn_is_choked).
 *
 * A handler may do anything with its connection but must not touch it after
 * conn_free or conn_linger.  Nothing calls back before the caller has returned
 * to the loop.
 *
 * One thread.  Owns the descriptor.
 */
#ifndef CHEMCHAT_CONN_H
#define CHEMCHAT_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "address.h"
#include "error.h"
#include "payload.h"
#include "tls.h"

#define CONN_READ_BYTES  (64 * 1024)
#define CONN_LINGER_MS   2000
#define CONN_TICK_MS     250
#define CONN_TURN_TLS    8 /* handshake steps a turn: each may cost a ms */
#define CONN_EARLY_BYTES (64 * 1024) /* more leaves before the turn ends */

typedef struct Conn Conn;
typedef struct Conns Conns;

/* What happens to a connection; all but bytes and ended may be NULL. */
typedef struct ConnHandler
{
	/* The handler may change the bytes; they are gone when it returns. */
	void (*bytes)(void *user, unsigned char *bytes, size_t len);

	/*
	 * The peer has hung up, or TLS broke.  conn_free or conn_linger is still to
	 * be called.
	 */
	void (*ended)(void *user);

	/*
	 * All that was written is with the kernel, after it was not or after
	 * conn_tell_drained.
	 */
	void (*drained)(void *user);

	/* conn_set_deadline's time has come. */
	void (*deadline)(void *user);

	/* Instead of bytes: something is there to be read from fd. */
	void (*readable)(void *user, int fd);
} ConnHandler;

typedef struct ConnsCounts
{
	uint64_t tls_handshakes;
	uint64_t tls_failed;
	uint64_t writes; /* calls of the kernel that wrote something */
	uint64_t chokes; /* that took less than was there */
} ConnsCounts;

/*
 * freed: called for each connection that ends, with the address it had when it
 * was counted; may be NULL.
 */
Conns *conns_open(uv_loop_t *loop, void (*freed)(void *arg, const Address *),
				  void *arg, Error *err) MUST_CHECK;

/* Those that nobody freed are closed; the loop has to run once more. */
void conns_close(Conns **conns);

int conns_count(const Conns *conns);
const ConnsCounts *conns_counts(const Conns *conns);

/* What was written this turn leaves now. */
void conns_flush(Conns *conns);

/* NULL when the descriptor cannot be watched; it is closed then. */
Conn *conn_new(Conns *conns, int take_fd, const ConnHandler *handler,
			   void *user);
void conn_free(Conn **conn);
void conn_set_handler(Conn *conn, const ConnHandler *handler, void *user);

/* From here on bytes are those inside TLS; failing is ended(). */
void conn_start_tls(Conn *conn, Tls *tls);
bool conn_is_handshaking(const Conn *conn);

/* Who is there; counted: freed() is told this address. */
const Address *conn_address(const Conn *conn);
void conn_set_address(Conn *conn, const Address *address, bool is_counted);
bool conn_is_counted(const Conn *conn);

/*
 * Bytes are left with the kernel; ended() still comes when the peer hangs up.
 */
void conn_pause(Conn *conn, bool is_paused);

/* Writes the payload's bytes from `from` on (of payload->bytes). */
void conn_write(Conn *conn, Payload *take_payload, uint32_t from);
bool conn_is_choked(const Conn *conn);

/* drained() is to come, at the end of this turn at the earliest. */
void conn_tell_drained(Conn *conn);
size_t conn_unwritten(const Conn *conn);

/* To a quarter of a second; 0: none. */
void conn_set_deadline(Conn *conn, int delay_ms);
bool conn_has_deadline(const Conn *conn);

/*
 * Ends it so that the peer can read all that was written: writes the rest,
 * shuts down, throws away what still comes; for CONN_LINGER_MS at most once
 * all is written.
 */
void conn_linger(Conn **conn);

#endif
