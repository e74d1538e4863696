/*
 * walreader - this server's own WAL, record by record
 *
 * Reads what is flushed (on a standby: replayed) and never waits for more;
 * follows the history over a change of timeline.  WAL that is gone is an
 * ERROR 58P01 (undefined_file): its caller asked for a slot that has moved on
 * meanwhile, and may look again.
 *
 * Lives in the current memory context; files are closed by walreader_close,
 * or by the end of the (sub)transaction.
 */
#ifndef CHEMCHAT_WALREADER_H
#define CHEMCHAT_WALREADER_H

#include "postgres.h"
#include "access/xlogreader.h"
#include "datatype/timestamp.h"

#include "event.h"

typedef struct WalReader WalReader;

extern WalReader *walreader_open(void);
extern void walreader_close(WalReader *reader);

/* How far the WAL could be read when the reader was opened. */
extern XLogRecPtr walreader_limit(const WalReader *reader);

/*
 * The first record that starts at or behind start is the next one; none that
 * starts at or behind stop is returned.
 */
extern void walreader_seek(WalReader *reader, XLogRecPtr start,
						   XLogRecPtr stop);

/* NULL: no whole record is left.  Looks for interrupts. */
extern XLogReaderState *walreader_next(WalReader *reader);

/* The record that starts exactly there, as an earlier reading has shown. */
extern XLogReaderState *walreader_fetch(WalReader *reader, XLogRecPtr lsn);

/*
 * Is the record one of our events in this database?  The event borrows the
 * record's bytes until the next one is read.
 */
extern bool walreader_event(XLogReaderState *record, Event *event,
							uint32 *size_bytes);

/* The end of a transaction, with all the xids that end with it. */
typedef struct WalEnd
{
	bool is_commit;
	TimestampTz time;
	TransactionId xid;
	int subxact_count;
	TransactionId *subxacts; /* borrowed */
} WalEnd;

extern bool walreader_end(XLogReaderState *record, WalEnd *end);

#endif
