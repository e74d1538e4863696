/*
 * decide - stream on, repair, or stop with a name
 *
 * The slot is the only position; chemchat.stream is what it is checked
 * against.  An LSN stands in the row before it is confirmed to the server, so
 * a slot that stands further than the row was dropped and made again: what was
 * committed in between is not in it.  No row, another history, no slot, a lost
 * slot: the same.  All of them are mended by republishing from the domain
 * rows into a slot that exists first.
 *
 * Pure.
 */
#ifndef CHEMCHAT_DECIDE_H
#define CHEMCHAT_DECIDE_H

#include "sink.h"

#define DECIDE_CURSOR_SIZE 256

/* The row of chemchat.stream. */
typedef struct StreamRow
{
	bool exists;
	uint64_t system_id;
	uint32_t timeline;
	int shards;
	char layout[SINK_LAYOUT_SIZE];
	uint64_t confirmed_lsn;
	uint64_t events;
	char cursor[DECIDE_CURSOR_SIZE]; /* "" = from the beginning */
	bool is_repaired;
} StreamRow;

/* The slot, as pg_replication_slots has it. */
typedef struct SlotFacts
{
	bool exists;
	bool is_ours; /* our plugin, this database */
	bool is_lost; /* wal_status: its WAL is gone */
	uint64_t confirmed_lsn;
} SlotFacts;

typedef struct StartFacts
{
	uint64_t system_id;
	uint32_t timeline;
	uint64_t flush_lsn;
	int shards;
	const StreamRow *row;
	const SlotFacts *slot;
	const SinkFindings *found;
} StartFacts;

typedef enum StartVerdict
{
	START_STREAM,
	START_REPAIR, /* from the beginning */
	START_RESUME, /* a repair under way, from the row's cursor */
	START_STOP
} StartVerdict;

typedef struct StartDecision
{
	StartVerdict verdict;
	bool drops_slot;
	bool creates_slot;
	const char *stop_name; /* static text, with START_STOP */
	const char *reason;    /* static text, for the log */
} StartDecision;

StartDecision decide_start(const StartFacts *facts);

/* Live delivery: no row, no repair; only a slot to read from. */
StartDecision decide_live_start(const SlotFacts *slot);

#endif
