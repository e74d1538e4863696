#include "walreader_list.h"

#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "walreader.h"

/* 80 bytes each in the end. */
#define MAX_XIDS (1024 * 1024)

/* A committed transaction with at least one row to show. */
typedef struct Txn
{
	XLogRecPtr commit_lsn;
	TimestampTz committed_at;
	int first_row;
	int max_rows; /* of them to show */
	int rows;     /* found so far */
	uint32 next_ordinal;
} Txn;

/* What an xid has written; once it is committed, for which transaction. */
typedef struct Xid
{
	TransactionId xid;    /* the key, first */
	int txn;              /* -1 while it is open */
	uint64 passing;       /* events this slot wants */
	XLogRecPtr first_lsn; /* of its first event, wanted or not */
} Xid;

typedef struct Row
{
	XLogRecPtr lsn; /* of the record */
	uint32 ordinal;
} Row;

typedef struct List
{
	const WalSlot *slot;
	WalReader *reader;
	HTAB *xids;
	Txn *txns;
	int txn_count;
	Row *rows;
	int row_count;
	int max_rows;
	XLogRecPtr start; /* the first event of the chosen transactions */
	XLogRecPtr stop;  /* behind their last commit */
} List;

static void choose_txns(List *list);
static void note_event(List *list, XLogReaderState *record);
static void end_txn(List *list, const WalEnd *end, XLogRecPtr lsn);
static void forget_txn(List *list, const WalEnd *end);
static Xid *find_xid(List *list, TransactionId xid);
static void place_rows(List *list);
static void show_rows(List *list, WalListRow row, void *arg);

void
walreader_list(const WalSlot *slot, int max_rows, WalListRow row, void *arg)
{
	List list = { .slot = slot, .max_rows = max_rows };
	HASHCTL control = { .keysize = sizeof(TransactionId),
						.entrysize = sizeof(Xid),
						.hcxt = CurrentMemoryContext };

	if (max_rows <= 0)
		return;
	list.reader = walreader_open();
	list.xids = hash_create("transactions with pending events", 256, &control,
							HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	list.txns = palloc_extended(sizeof(Txn) * max_rows, MCXT_ALLOC_HUGE);
	list.rows = palloc_extended(sizeof(Row) * max_rows, MCXT_ALLOC_HUGE);

	choose_txns(&list);
	if (list.txn_count > 0)
	{
		place_rows(&list);
		show_rows(&list, row, arg);
	}

	pfree(list.rows);
	pfree(list.txns);
	hash_destroy(list.xids);
	walreader_close(list.reader);
}

/* First reading: as many transactions, in commit order, as fill the rows. */
static void
choose_txns(List *list)
{
	XLogReaderState *record;
	WalEnd end;

	list->start = InvalidXLogRecPtr;
	walreader_seek(list->reader, list->slot->restart_lsn, PG_UINT64_MAX);
	while (list->row_count < list->max_rows &&
		   (record = walreader_next(list->reader)) != NULL)
	{
		note_event(list, record);
		if (!walreader_end(record, &end))
			continue;
		if (end.is_commit && record->ReadRecPtr >= list->slot->confirmed_lsn)
			end_txn(list, &end, record->ReadRecPtr);
		else
			forget_txn(list, &end);
	}
}

static void
note_event(List *list, XLogReaderState *record)
{
	TransactionId id;
	Xid *xid;
	Event event;
	uint32 size_bytes;

	if (!walreader_event(record, &event, &size_bytes))
		return;
	id = XLogRecGetXid(record);
	xid = find_xid(list, id);
	if (xid == NULL)
	{
		if (hash_get_num_entries(list->xids) >= MAX_XIDS)
			ereport(ERROR, errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					errmsg("more than %d transactions or savepoints with "
						   "pending events are open at %X/%X",
						   MAX_XIDS, LSN_FORMAT_ARGS(record->ReadRecPtr)),
					errhint("outbox_status() still estimates how many "
							"events are pending."));
		xid = hash_search(list->xids, &id, HASH_ENTER, NULL);
		xid->txn = -1;
		xid->passing = 0;
		xid->first_lsn = record->ReadRecPtr;
	}
	if (decode_filter_passes(&list->slot->filter, &event))
		xid->passing++;
}

/* A pending transaction; kept if the slot wants anything of it. */
static void
end_txn(List *list, const WalEnd *end, XLogRecPtr lsn)
{
	uint64 passing = 0;
	Txn *txn = &list->txns[list->txn_count];

	for (int i = -1; i < end->subxact_count; i++)
	{
		Xid *xid = find_xid(list, i < 0 ? end->xid : end->subxacts[i]);

		if (xid != NULL)
			passing += xid->passing;
	}
	if (passing == 0)
	{
		forget_txn(list, end);
		return;
	}

	/* those without a wanted event too: their events have ordinals */
	for (int i = -1; i < end->subxact_count; i++)
	{
		Xid *xid = find_xid(list, i < 0 ? end->xid : end->subxacts[i]);

		if (xid == NULL)
			continue;
		xid->txn = list->txn_count;
		if (XLogRecPtrIsInvalid(list->start) || xid->first_lsn < list->start)
			list->start = xid->first_lsn;
	}
	txn->commit_lsn = lsn;
	txn->committed_at = end->time;
	txn->first_row = list->row_count;
	txn->max_rows =
		(int) Min(passing, (uint64) (list->max_rows - list->row_count));
	txn->rows = 0;
	txn->next_ordinal = 0;
	list->txn_count++;
	list->row_count += txn->max_rows;
	list->stop = lsn;
}

static void
forget_txn(List *list, const WalEnd *end)
{
	if (hash_get_num_entries(list->xids) == 0)
		return;
	hash_search(list->xids, &end->xid, HASH_REMOVE, NULL);
	for (int i = 0; i < end->subxact_count; i++)
		hash_search(list->xids, &end->subxacts[i], HASH_REMOVE, NULL);
}

static Xid *
find_xid(List *list, TransactionId xid)
{
	return hash_search(list->xids, &xid, HASH_FIND, NULL);
}

/*
 * Second reading: number the events of the chosen transactions and note where
 * the wanted ones stand.  Transactions lie interleaved in the WAL; each has
 * its own stretch of rows.
 */
static void
place_rows(List *list)
{
	XLogReaderState *record;
	Event event;
	uint32 size_bytes;

	walreader_seek(list->reader, list->start, list->stop);
	while ((record = walreader_next(list->reader)) != NULL)
	{
		Xid *xid;
		Txn *txn;
		uint32 ordinal;

		if (!walreader_event(record, &event, &size_bytes))
			continue;
		xid = find_xid(list, XLogRecGetXid(record));
		if (xid == NULL || xid->txn < 0)
			continue;
		txn = &list->txns[xid->txn];
		ordinal = txn->next_ordinal++;
		if (txn->rows < txn->max_rows &&
			decode_filter_passes(&list->slot->filter, &event))
		{
			Row *row = &list->rows[txn->first_row + txn->rows++];

			row->lsn = record->ReadRecPtr;
			row->ordinal = ordinal;
		}
	}
}

static void
show_rows(List *list, WalListRow row, void *arg)
{
	for (int t = 0; t < list->txn_count; t++)
	{
		const Txn *txn = &list->txns[t];

		for (int i = 0; i < txn->rows; i++)
		{
			const Row *at = &list->rows[txn->first_row + i];
			XLogReaderState *record = walreader_fetch(list->reader, at->lsn);
			Event event;
			uint32 size_bytes;

			if (!walreader_event(record, &event, &size_bytes))
				ereport(ERROR, errcode(ERRCODE_DATA_CORRUPTED),
						errmsg("no event at %X/%X any more",
							   LSN_FORMAT_ARGS(at->lsn)));
			row(arg, txn->commit_lsn, at->ordinal, txn->committed_at, &event);
		}
	}
}
