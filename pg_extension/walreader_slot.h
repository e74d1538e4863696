/*
 * walreader_slot - a replication slot, as far as its pending events go
 *
 * What a slot still has to deliver are the events of every transaction whose
 * commit record starts at or behind its confirmed LSN, and that its shard
 * and sink want.  Those transactions began at or behind its restart LSN.
 */
#ifndef CHEMCHAT_WALREADER_SLOT_H
#define CHEMCHAT_WALREADER_SLOT_H

#include "postgres.h"
#include "access/xlogdefs.h"

#include "decode_filter.h"

typedef struct WalSlot
{
	DecodeFilter filter;
	XLogRecPtr restart_lsn;
	XLogRecPtr confirmed_lsn;
} WalSlot;

/*
 * What the relay asks of a slot of this name: `..._1of4` one shard,
 * `..._live` everything but replays.  Any other name gets everything.
 */
extern DecodeFilter walreader_slot_filter(const char *name);

#endif
