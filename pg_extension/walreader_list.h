/*
 * walreader_list - the events a slot still has to deliver, one by one
 *
 * In the order and under the numbers in which the output plugin would send
 * them: by commit, and by ordinal within a transaction.  Reads the WAL until
 * it has found max_rows of them, however far that is, then the part that they
 * stand in once more: memory is a tally for each open transaction or
 * savepoint, and a position for each row, never the events.
 */
#ifndef CHEMCHAT_WALREADER_LIST_H
#define CHEMCHAT_WALREADER_LIST_H

#include "postgres.h"
#include "datatype/timestamp.h"

#include "walreader_slot.h"

/* The event is borrowed until the function returns. */
typedef void (*WalListRow)(void *arg, XLogRecPtr commit_lsn, uint32 ordinal,
						   TimestampTz committed_at, const Event *event);

/* Raises ERROR 54000 when more savepoints are open than it can hold. */
extern void walreader_list(const WalSlot *slot, int max_rows, WalListRow row,
						   void *arg);

#endif
