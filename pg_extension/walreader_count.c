#include "walreader_count.h"

#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "walreader.h"

/* What all tallies of one reading may take. */
#define TALLY_BYTES (64 * 1024 * 1024)

/* Roughly what the hash table adds to an entry. */
#define TALLY_OVERHEAD 32

/* Slots as close as this share a reading, even where they are estimated. */
#define SHARED_BYTES (UINT64CONST(64) << 20)

typedef struct Amount
{
	uint64 events;
	uint64 bytes;
} Amount;

/* What one xid has written so far, for each slot of the pass. */
typedef struct Tally
{
	TransactionId xid; /* the key, first */
	Amount of[FLEXIBLE_ARRAY_MEMBER];
} Tally;

/* The WAL to read for one slot. */
typedef struct Span
{
	const WalSlot *slot;
	WalCount *count;
	XLogRecPtr from;
	XLogRecPtr to;
	bool saw_commit;
} Span;

typedef struct Pass
{
	Span *spans;
	int n;
	HTAB *tallies;
	int64 max_tallies;
} Pass;

static void plan(Span *span, XLogRecPtr limit, uint64 budget_bytes);
static int compare_spans(const void *a, const void *b);
static void run_pass(WalReader *reader, Pass *pass);
static bool tally_event(Pass *pass, XLogReaderState *record);
static void end_xid(Pass *pass, const WalEnd *end, TransactionId xid,
					XLogRecPtr lsn);
static void assume_commits(Pass *pass, XLogRecPtr limit);
static void finish(Span *span, XLogRecPtr limit);

void
walreader_count(const WalSlot *slots, WalCount *counts, int n,
				uint64 budget_bytes)
{
	Span *spans = palloc0(sizeof(Span) * Max(n, 1));
	WalReader *reader = walreader_open();
	XLogRecPtr limit = walreader_limit(reader);
	int done = 0;

	for (int i = 0; i < n; i++)
	{
		spans[i].slot = &slots[i];
		spans[i].count = &counts[i];
		memset(&counts[i], 0, sizeof(counts[i]));
		plan(&spans[i], limit, budget_bytes);
	}
	qsort(spans, n, sizeof(Span), compare_spans);

	while (done < n)
	{
		Pass pass = { .spans = spans + done, .n = 1 };

		/* all that can be counted to the end, or that stand close together */
		while (done + pass.n < n &&
			   (pass.spans[0].to == limit ||
				pass.spans[pass.n].from - pass.spans[0].from <= SHARED_BYTES))
			pass.n++;
		run_pass(reader, &pass);
		done += pass.n;
	}
	for (int i = 0; i < n; i++)
		finish(&spans[i], limit);

	walreader_close(reader);
	pfree(spans);
}

/*
 * From the restart LSN, if that is affordable.  If not, but most of what lies
 * there is confirmed (an old transaction is still open), from the confirmed
 * LSN: what is pending may have begun before, so that is an estimate.
 */
static void
plan(Span *span, XLogRecPtr limit, uint64 budget_bytes)
{
	const WalSlot *slot = span->slot;

	span->from = Min(slot->restart_lsn, limit);
	span->to = limit;
	if (limit - span->from <= budget_bytes)
		return;
	if (slot->confirmed_lsn > span->from + budget_bytes / 4)
		span->from = Min(slot->confirmed_lsn, limit);
	if (limit - span->from > budget_bytes)
		span->to = span->from + budget_bytes;
}

static int
compare_spans(const void *a, const void *b)
{
	const Span *left = a;
	const Span *right = b;

	return (left->from > right->from) - (left->from < right->from);
}

/* One reading, from the first span's start to the last end. */
static void
run_pass(WalReader *reader, Pass *pass)
{
	Size size = offsetof(Tally, of) + sizeof(Amount) * pass->n;
	HASHCTL control = { .keysize = sizeof(TransactionId),
						.entrysize = size,
						.hcxt = CurrentMemoryContext };
	XLogRecPtr stop = InvalidXLogRecPtr;
	XLogReaderState *record;

	pass->max_tallies = TALLY_BYTES / (size + TALLY_OVERHEAD);
	pass->tallies = hash_create("pending events", 256, &control,
								HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	for (int i = 0; i < pass->n; i++)
		stop = Max(stop, pass->spans[i].to);

	walreader_seek(reader, pass->spans[0].from, stop);
	while ((record = walreader_next(reader)) != NULL)
	{
		WalEnd end;

		if (!tally_event(pass, record))
		{
			/* too many open: nothing behind this is known */
			for (int i = 0; i < pass->n; i++)
				pass->spans[i].to = Min(pass->spans[i].to, record->ReadRecPtr);
			break;
		}
		if (!walreader_end(record, &end))
			continue;
		end_xid(pass, &end, end.xid, record->ReadRecPtr);
		for (int i = 0; i < end.subxact_count; i++)
			end_xid(pass, &end, end.subxacts[i], record->ReadRecPtr);
	}
	assume_commits(pass, walreader_limit(reader));
	hash_destroy(pass->tallies);
}

/* False when there is no room for another xid. */
static bool
tally_event(Pass *pass, XLogReaderState *record)
{
	TransactionId xid;
	Tally *tally;
	Event event;
	uint32 size_bytes;
	bool is_found;

	if (!walreader_event(record, &event, &size_bytes))
		return true;
	xid = XLogRecGetXid(record);
	tally = hash_search(pass->tallies, &xid, HASH_FIND, NULL);
	if (tally == NULL)
	{
		if (hash_get_num_entries(pass->tallies) >= pass->max_tallies)
			return false;
		tally = hash_search(pass->tallies, &xid, HASH_ENTER, &is_found);
		memset(tally->of, 0, sizeof(Amount) * pass->n);
	}
	for (int i = 0; i < pass->n; i++)
	{
		if (!decode_filter_passes(&pass->spans[i].slot->filter, &event))
			continue;
		tally->of[i].events++;
		tally->of[i].bytes += size_bytes;
	}
	return true;
}

/* A transaction, or one of its savepoints, is committed or rolled back. */
static void
end_xid(Pass *pass, const WalEnd *end, TransactionId xid, XLogRecPtr lsn)
{
	Tally *tally = NULL;

	if (hash_get_num_entries(pass->tallies) > 0)
		tally = hash_search(pass->tallies, &xid, HASH_REMOVE, NULL);
	if (!end->is_commit)
		return;
	for (int i = 0; i < pass->n; i++)
	{
		Span *span = &pass->spans[i];
		WalCount *count = span->count;

		if (lsn < span->slot->confirmed_lsn || lsn >= span->to)
			continue;
		span->saw_commit = true;
		/* a removed entry stays readable until the next one is entered */
		if (tally == NULL || tally->of[i].events == 0)
			continue;
		if (count->oldest_at == 0)
			count->oldest_at = end->time;
		count->events += tally->of[i].events;
		count->bytes += tally->of[i].bytes;
	}
}

/*
 * Where the reading had to stop early, what is open there counts as pending:
 * a transaction larger than the budget must not look like nothing.
 */
static void
assume_commits(Pass *pass, XLogRecPtr limit)
{
	HASH_SEQ_STATUS scan;
	Tally *tally;

	hash_seq_init(&scan, pass->tallies);
	while ((tally = hash_seq_search(&scan)) != NULL)
		for (int i = 0; i < pass->n; i++)
			if (pass->spans[i].to < limit)
			{
				pass->spans[i].count->events += tally->of[i].events;
				pass->spans[i].count->bytes += tally->of[i].bytes;
			}
}

static void
finish(Span *span, XLogRecPtr limit)
{
	WalCount *count = span->count;
	XLogRecPtr confirmed = Max(span->slot->confirmed_lsn, span->from);

	count->is_estimate =
		(span->from > span->slot->restart_lsn && span->saw_commit);
	if (span->to >= limit)
		return;
	count->is_estimate = true;
	if (span->to > confirmed && count->events > 0)
	{
		double factor =
			(double) (limit - confirmed) / (double) (span->to - confirmed);

		count->events = (uint64) ((double) count->events * factor);
		count->bytes = (uint64) ((double) count->bytes * factor);
	}
}
