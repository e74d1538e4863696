/*
 * ledger - the relay's ordinary connection: what is on record
 *
 * Looks up the slot and the row of chemchat.stream, writes that row, has the
 * history republished, and tells who blocks the making of a slot.  One call
 * at a time, none blocks; the connection is made again by itself, with
 * growing pauses.
 *
 * One thread.  Results are valid until the next call begins.
 */
#ifndef CHEMCHAT_LEDGER_H
#define CHEMCHAT_LEDGER_H

#include <poll.h>

#include "decide.h"
#include "pg_session.h"

typedef struct Ledger Ledger;

typedef enum LedgerCall
{
	LEDGER_NOTHING,
	LEDGER_LOOK,
	LEDGER_REPORT,
	LEDGER_REPUBLISH,
	LEDGER_BLOCKERS,
	LEDGER_PENDING
} LedgerCall;

typedef enum LedgerTurn
{
	LEDGER_BUSY,  /* connecting, or a call is under way */
	LEDGER_IDLE,  /* a call may begin */
	LEDGER_DONE,  /* ledger_last_call is over, its result is there */
	LEDGER_FAILED /* err: a call failed, or the connection (LEDGER_NOTHING) */
} LedgerTurn;

typedef struct LedgerLook
{
	char slot_name[64];
	uint64_t system_id; /* of the server that answered */
	uint64_t flush_lsn;
	SlotFacts slot;
	StreamRow row;
} LedgerLook;

typedef struct LedgerRepublish
{
	int64_t events;
	char cursor[DECIDE_CURSOR_SIZE];
	bool is_done;
	int64_t done;
	int64_t total;
} LedgerRepublish;

/* Both borrowed for its life: target's texts as well. */
Ledger *ledger_new(const PgTarget *target, bool is_live, int shard, int shards);
void ledger_free(Ledger **ledger);

LedgerTurn ledger_turn(Ledger *ledger, int64_t now_us, Error *err) MUST_CHECK;
LedgerCall ledger_last_call(const Ledger *ledger);

/* No call is under way and the connection stands. */
bool ledger_is_idle(const Ledger *ledger);

/* The server said it is going down (57P01, 57P03). */
bool ledger_server_stops(const Ledger *ledger);

/* Fills one pollfd when there is something to wait for; lowers *deadline_us. */
int ledger_wait(const Ledger *ledger, struct pollfd *fd, int64_t *deadline_us);

/* These need ledger_is_idle; a failure to send shows in the next turn. */
void ledger_begin_look(Ledger *ledger);
void ledger_begin_report(Ledger *ledger, const char *slot,
						 const StreamRow *row);
void ledger_begin_republish(Ledger *ledger, const char *cursor, int max_events);
void ledger_begin_blockers(Ledger *ledger, int backend_pid);
void ledger_begin_pending(Ledger *ledger, const char *slot);

const LedgerLook *ledger_look(const Ledger *ledger);
const LedgerRepublish *ledger_republish(const Ledger *ledger);
/* "1234 5678", "" when nobody blocks. */
const char *ledger_blockers(const Ledger *ledger);
/* Events not yet confirmed, -1 when unknown. */
int64_t ledger_pending(const Ledger *ledger);

#endif
