#include "walreader.h"

#include "access/rmgr.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "access/xlog_internal.h"
#include "access/xlogrecovery.h"
#include "access/xlogutils.h"
#include "miscadmin.h"
#include "replication/message.h"
#include "storage/fd.h"

#include "decode_filter.h"

struct WalReader
{
	XLogReaderState *state;
	TimeLineID timeline;
	XLogRecPtr limit; /* no byte behind it is read */
	XLogRecPtr stop;
	bool is_at_limit; /* a page was refused for that reason */
	bool is_found;    /* the seek found a record */
};

static XLogRecPtr flushed(TimeLineID *timeline);
static int read_page(XLogReaderState *state, XLogRecPtr page, int wanted,
					 XLogRecPtr record, char *out);
static void open_segment(XLogReaderState *state, XLogSegNo number,
						 TimeLineID *timeline);
static void close_segment(XLogReaderState *state);

WalReader *
walreader_open(void)
{
	WalReader *reader = palloc0(sizeof(WalReader));

	reader->limit = flushed(&reader->timeline);
	reader->state =
		XLogReaderAllocate(wal_segment_size, NULL,
						   XL_ROUTINE(.page_read = read_page,
									  .segment_open = open_segment,
									  .segment_close = close_segment),
						   reader);
	if (reader->state == NULL)
		ereport(ERROR, errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory"),
				errdetail("could not make a WAL reader"));
	return reader;
}

void
walreader_close(WalReader *reader)
{
	XLogReaderFree(reader->state);
	pfree(reader);
}

XLogRecPtr
walreader_limit(const WalReader *reader)
{
	return reader->limit;
}

void
walreader_seek(WalReader *reader, XLogRecPtr start, XLogRecPtr stop)
{
	reader->stop = Min(stop, reader->limit);
	reader->is_at_limit = false;
	reader->is_found = false;
	if (start >= reader->stop)
		return;
	reader->is_found =
		!XLogRecPtrIsInvalid(XLogFindNextRecord(reader->state, start));
	if (!reader->is_found && !reader->is_at_limit)
		ereport(ERROR, errcode(ERRCODE_DATA_CORRUPTED),
				errmsg("could not find a WAL record behind %X/%X",
					   LSN_FORMAT_ARGS(start)));
}

XLogReaderState *
walreader_next(WalReader *reader)
{
	char *reason = NULL;

	CHECK_FOR_INTERRUPTS();
	if (!reader->is_found)
		return NULL;
	if (XLogReadRecord(reader->state, &reason) == NULL)
	{
		if (!reader->is_at_limit)
			ereport(ERROR, errcode(ERRCODE_DATA_CORRUPTED),
					errmsg("could not read WAL behind %X/%X: %s",
						   LSN_FORMAT_ARGS(reader->state->EndRecPtr),
						   reason ? reason : "no reason given"));
		reader->is_found = false;
		return NULL;
	}
	if (reader->state->ReadRecPtr >= reader->stop)
	{
		reader->is_found = false;
		return NULL;
	}
	return reader->state;
}

XLogReaderState *
walreader_fetch(WalReader *reader, XLogRecPtr lsn)
{
	char *reason = NULL;

	CHECK_FOR_INTERRUPTS();
	XLogBeginRead(reader->state, lsn);
	if (XLogReadRecord(reader->state, &reason) == NULL)
		ereport(ERROR, errcode(ERRCODE_DATA_CORRUPTED),
				errmsg("could not read WAL at %X/%X: %s", LSN_FORMAT_ARGS(lsn),
					   reason ? reason : "no reason given"));
	return reader->state;
}

bool
walreader_event(XLogReaderState *record, Event *event, uint32 *size_bytes)
{
	xl_logical_message *message;
	Size len;

	if (XLogRecGetRmid(record) != RM_LOGICALMSG_ID)
		return false;
	message = (xl_logical_message *) XLogRecGetData(record);
	len = XLogRecGetDataLen(record);
	if (!message->transactional || message->dbId != MyDatabaseId ||
		len < SizeOfLogicalMessage || message->prefix_size == 0 ||
		message->message_size !=
			len - SizeOfLogicalMessage - message->prefix_size ||
		message->message[message->prefix_size - 1] != '\0')
		return false;
	*size_bytes = (uint32) message->message_size;
	return decode_is_event(message->message,
						   message->message + message->prefix_size,
						   message->message_size, event);
}

bool
walreader_end(XLogReaderState *record, WalEnd *end)
{
	uint8 info = XLogRecGetInfo(record);

	if (XLogRecGetRmid(record) != RM_XACT_ID)
		return false;
	end->xid = XLogRecGetXid(record);
	switch (info & XLOG_XACT_OPMASK)
	{
		case XLOG_XACT_COMMIT:
		case XLOG_XACT_COMMIT_PREPARED:
		{
			xl_xact_parsed_commit commit;

			ParseCommitRecord(info, (xl_xact_commit *) XLogRecGetData(record),
							  &commit);
			end->is_commit = true;
			end->time = commit.xact_time;
			end->subxact_count = commit.nsubxacts;
			end->subxacts = commit.subxacts;
			if (TransactionIdIsValid(commit.twophase_xid))
				end->xid = commit.twophase_xid;
			return true;
		}
		case XLOG_XACT_ABORT:
		case XLOG_XACT_ABORT_PREPARED:
		{
			xl_xact_parsed_abort abort;

			ParseAbortRecord(info, (xl_xact_abort *) XLogRecGetData(record),
							 &abort);
			end->is_commit = false;
			end->time = abort.xact_time;
			end->subxact_count = abort.nsubxacts;
			end->subxacts = abort.subxacts;
			if (TransactionIdIsValid(abort.twophase_xid))
				end->xid = abort.twophase_xid;
			return true;
		}
		default:
			return false;
	}
}

static XLogRecPtr
flushed(TimeLineID *timeline)
{
	if (RecoveryInProgress())
		return GetXLogReplayRecPtr(timeline);
	return GetFlushRecPtr(timeline);
}

/*
 * As the server's read_local_xlog_page, but for the limit of our own: a
 * reading ends where the WAL ended when it began.
 */
static int
read_page(XLogReaderState *state, XLogRecPtr page, int wanted,
		  XLogRecPtr record, char *out)
{
	WalReader *reader = state->private_data;
	XLogRecPtr limit = reader->limit;
	TimeLineID timeline = reader->timeline;
	WALReadError error;
	int count = XLOG_BLCKSZ;

	if (page + wanted > limit)
	{
		reader->is_at_limit = true;
		return -1;
	}
	XLogReadDetermineTimeline(state, page, wanted, timeline);
	if (state->currTLI != timeline)
	{
		/* what stands behind the switch point in an old file never was */
		timeline = state->currTLI;
		limit = Min(limit, state->currTLIValidUntil);
		if (page + wanted > limit)
			return -1;
	}
	if (page + XLOG_BLCKSZ > limit)
		count = (int) (limit - page);
	if (!WALRead(state, out, page, count, timeline, &error))
		WALReadRaiseError(&error);
	return count;
}

static void
open_segment(XLogReaderState *state, XLogSegNo number, TimeLineID *timeline)
{
	char path[MAXPGPATH];

	XLogFilePath(path, *timeline, number, state->segcxt.ws_segsize);
	state->seg.ws_file = OpenTransientFile(path, O_RDONLY | PG_BINARY);
	if (state->seg.ws_file < 0)
		ereport(ERROR, errcode_for_file_access(),
				errmsg("could not open WAL file \"%s\": %m", path));
}

static void
close_segment(XLogReaderState *state)
{
	CloseTransientFile(state->seg.ws_file);
	/* as the reader wants it */
	state->seg.ws_file = -1;
}
