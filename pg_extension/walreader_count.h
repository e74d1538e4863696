/*
 * walreader_count - how much slots still have to deliver
 *
 * Exact for a slot whose WAL, from its restart LSN on, is at most
 * WALREADER_BUDGET_BYTES; behind that the beginning is counted and the rest
 * extrapolated, and is_estimate says so.  Slots that stand close together
 * are counted by one reading.  Memory is bounded: it holds a tally for each
 * transaction (or savepoint) with events that has not ended yet; should there
 * be more than a limit, the reading stops there and the rest is estimated.
 * An estimate takes what is open where the reading stopped for committed.
 */
#ifndef CHEMCHAT_WALREADER_COUNT_H
#define CHEMCHAT_WALREADER_COUNT_H

#include "postgres.h"
#include "datatype/timestamp.h"

#include "walreader_slot.h"

#define WALREADER_BUDGET_BYTES (UINT64CONST(1) << 30)

typedef struct WalCount
{
	uint64 events;
	uint64 bytes;          /* of their records */
	TimestampTz oldest_at; /* commit of the first; 0 when none was seen */
	bool is_estimate;
} WalCount;

/*
 * counts[i] is the answer for slots[i].  The budget is a parameter for tests.
 */
extern void walreader_count(const WalSlot *slots, WalCount *counts, int n,
							uint64 budget_bytes);

#endif
