/*
 * replication - the logical replication protocol, on one connection
 *
 * Connects as a walsender of one database, learns who the server is, takes the
 * slot's advisory lock, makes the slot when asked, streams and gives feedback.
 * Nothing blocks: begin a step, then replication_step until it is over.
 *
 * The lock is taken on this very connection (pg_try_advisory_lock, polled: the
 * blocking form would hold a snapshot).  Who has it is who streams, and it goes
 * with the connection: a relay that dies or freezes loses both at once.
 *
 * One thread.  Knows nothing of what the frames hold, nor what may be
 * confirmed: that is told by the caller and repeated in every feedback.
 */
#ifndef CHEMCHAT_REPLICATION_H
#define CHEMCHAT_REPLICATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "pg_session.h"

#define REPLICATION_NAME_SIZE 64

typedef struct Replication Replication;

typedef struct ReplicationServer
{
	uint64_t system_id;
	uint32_t timeline;
	uint64_t flush_lsn;            /* when asked */
	int64_t wal_sender_timeout_ms; /* 0: the server never gives up on us */
	int version;                   /* 150020 */
	int backend_pid;
} ReplicationServer;

/* What START_REPLICATION is told besides the slot. */
typedef struct ReplicationStart
{
	const char *slot;
	uint64_t lsn; /* 0: where the slot stands */
	int shard;
	int shards;
	bool with_replays;
} ReplicationStart;

typedef enum ReplicationMessage
{
	REPLICATION_FRAME,     /* bytes, len: a frame; wal_end */
	REPLICATION_KEEPALIVE, /* wal_end, wants_reply */
	REPLICATION_NONE,      /* nothing complete has arrived */
	REPLICATION_ENDED,     /* err */
	REPLICATION_BAD        /* err: not the protocol */
} ReplicationMessage;

typedef struct ReplicationPacket
{
	const char *bytes; /* borrowed until the next packet */
	size_t len;
	uint64_t wal_end;
	bool wants_reply;
} ReplicationPacket;

/* Connects and identifies the server; the step after it fills *server. */
Replication *replication_open(const PgTarget *target, Error *err);
void replication_close(Replication **replication);

/* PG_READY: what was begun is done.  PG_FAILED: err; is it still alive? */
PgStep replication_step(Replication *replication, Error *err) MUST_CHECK;

const ReplicationServer *replication_server(const Replication *replication);
/* The server has left, though there may be more to read. */
bool replication_is_hung_up(const Replication *replication);
const PgSession *replication_session(const Replication *replication);

/* Tries for the lock of a slot; then replication_has_lock. */
bool replication_begin_lock(Replication *replication, const char *slot,
							Error *err) MUST_CHECK;
bool replication_has_lock(const Replication *replication);

/*
 * Makes the slot; then replication_slot_lsn is where it begins.  The server
 * waits for every transaction open in any database; lock_timeout_ms bounds
 * that (SQLSTATE 55P03).
 */
bool replication_begin_create(Replication *replication, const char *slot,
							  int64_t lock_timeout_ms, Error *err) MUST_CHECK;
uint64_t replication_slot_lsn(const Replication *replication);

bool replication_begin_drop(Replication *replication, const char *slot,
							Error *err) MUST_CHECK;
bool replication_begin_stream(Replication *replication,
							  const ReplicationStart *start,
							  Error *err) MUST_CHECK;

/* While streaming: read takes from the socket, next hands out. */
bool replication_read(Replication *replication, Error *err) MUST_CHECK;
ReplicationMessage replication_next(Replication *replication,
									ReplicationPacket *packet, Error *err);

/*
 * Standby status: `written` received here, `confirmed` never needed again.
 * asks_reply makes the server answer with a keepalive.
 */
bool replication_feedback(Replication *replication, uint64_t written,
						  uint64_t confirmed, bool asks_reply,
						  Error *err) MUST_CHECK;

#endif
