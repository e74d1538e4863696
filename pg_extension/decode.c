/*
 * decode - the output plugin "chemchat"
 *
 * In:      WAL messages that our functions wrote, in committed transactions.
 * Out:     frames (frame.h), or JSON lines on request (decode_json.h).
 * Promise: every event of the asked shard, in commit order, each under the
 *          same commit LSN and ordinal however often it is decoded.
 *
 * Runs in the walsender, one transaction after the other: no streaming of
 * open transactions and no two-phase commit, so nothing is ever sent that
 * could still be rolled back.  The events of a transaction are gathered into
 * one frame, since a packet of its own for each is the main cost of decoding;
 * a frame is sent when the next event would make it too large, so memory is
 * bounded by one frame and its copy in the server's output buffer.
 *
 * There is no filter_by_origin: a trigger that fires for replicated rows may
 * well call our functions, and its events are ours.
 */
#include "postgres.h"
#include "pgcompat.h"

#include "access/xact.h"
#include "datatype/timestamp.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "replication/logical.h"
#include "replication/output_plugin.h"
#include "utils/memutils.h"

#include "decode_json.h"
#include "decode_options.h"

/* A buffer that one large event blew up is given back behind this. */
#define KEEP_BYTES (2 * FRAME_TARGET_BYTES)

/* How many changes that nobody asked for between two signs of life. */
#define PROGRESS_EVERY 100

typedef struct DecodeState
{
	DecodeOptions options;
	StringInfoData frame; /* header and events not yet sent */
	uint32 frame_events;
	uint64 next_ordinal; /* in the transaction */
	uint32 skipped;      /* changes since the last sign of life */
	bool is_begun;       /* a frame of the transaction was sent */
} DecodeState;

extern PGDLLEXPORT void _PG_output_plugin_init(OutputPluginCallbacks *cb);

static void startup(LogicalDecodingContext *ctx, OutputPluginOptions *options,
					bool is_init);
static void begin(LogicalDecodingContext *ctx, ReorderBufferTXN *txn);
static void change(LogicalDecodingContext *ctx, ReorderBufferTXN *txn,
				   Relation relation, ReorderBufferChange *row);
static void truncate_rows(LogicalDecodingContext *ctx, ReorderBufferTXN *txn,
						  int nrelations, Relation relations[],
						  ReorderBufferChange *row);
static void message(LogicalDecodingContext *ctx, ReorderBufferTXN *txn,
					XLogRecPtr lsn, bool is_transactional, const char *prefix,
					Size size, const char *data);
static void commit(LogicalDecodingContext *ctx, ReorderBufferTXN *txn,
				   XLogRecPtr commit_lsn);
static void add_to_frame(LogicalDecodingContext *ctx, ReorderBufferTXN *txn,
						 uint32 ordinal, const char *data, Size size);
static void send_frame(LogicalDecodingContext *ctx, ReorderBufferTXN *txn,
					   bool is_last);
static void skip(LogicalDecodingContext *ctx);

void
_PG_output_plugin_init(OutputPluginCallbacks *cb)
{
	cb->startup_cb = startup;
	cb->begin_cb = begin;
	cb->change_cb = change;
	cb->truncate_cb = truncate_rows;
	cb->message_cb = message;
	cb->commit_cb = commit;
}

/*
 * At START_REPLICATION or pg_logical_slot_*_changes with the options, and at
 * the slot's creation (is_init) without any.
 */
static void
startup(LogicalDecodingContext *ctx, OutputPluginOptions *options, bool is_init)
{
	DecodeState *state;

	options->output_type = OUTPUT_PLUGIN_BINARY_OUTPUT;
	options->receive_rewrites = false;
	if (is_init)
		return;

	/* palloc'd in ctx->context, which lives as long as the stream */
	state = palloc0(sizeof(DecodeState));
	initStringInfo(&state->frame);
	decode_options_parse(&state->options, ctx->output_plugin_options);
	if (state->options.format == DECODE_JSON)
		options->output_type = OUTPUT_PLUGIN_TEXTUAL_OUTPUT;
	ctx->output_plugin_private = state;
}

static void
begin(LogicalDecodingContext *ctx, ReorderBufferTXN *txn)
{
	DecodeState *state = ctx->output_plugin_private;

	state->next_ordinal = 0;
	state->is_begun = false;
	state->frame_events = 0;
	state->frame.len = FRAME_HEADER_SIZE;
}

/* A row, ours or foreign: the rows of the chat travel as events, not as rows. */
static void
change(LogicalDecodingContext *ctx, ReorderBufferTXN *txn, Relation relation,
	   ReorderBufferChange *row)
{
	skip(ctx);
}

static void
truncate_rows(LogicalDecodingContext *ctx, ReorderBufferTXN *txn,
			  int nrelations, Relation relations[], ReorderBufferChange *row)
{
	skip(ctx);
}

/* A WAL message; txn is NULL for those outside of any transaction. */
static void
message(LogicalDecodingContext *ctx, ReorderBufferTXN *txn, XLogRecPtr lsn,
		bool is_transactional, const char *prefix, Size size, const char *data)
{
	DecodeState *state = ctx->output_plugin_private;
	uint32 ordinal;
	Event event;

	if (!is_transactional)
		return;
	if (!decode_is_event(prefix, data, size, &event))
	{
		if (decode_is_newer(prefix, data, size))
			ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					errmsg("event at %X/%X is of version %d, this library "
						   "knows %d",
						   LSN_FORMAT_ARGS(lsn), data[0], EVENT_VERSION),
					errhint("A walsender keeps the library it began with: "
							"connect again."));
		skip(ctx);
		return;
	}

	if (state->next_ordinal > PG_UINT32_MAX)
		ereport(ERROR, errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				errmsg("transaction %u has more events than an ordinal can "
					   "number",
					   txn->xid));
	ordinal = (uint32) state->next_ordinal++;
	if (!decode_filter_passes(&state->options.filter, &event))
	{
		skip(ctx);
		return;
	}

	if (state->options.format == DECODE_BINARY)
	{
		add_to_frame(ctx, txn, ordinal, data, size);
		return;
	}
	OutputPluginPrepareWrite(ctx, true);
	decode_json_append(ctx->out, txn->final_lsn, ordinal, &event);
	OutputPluginWrite(ctx, true);
	state->is_begun = true;
}

/* The end of the replay of a transaction. */
static void
commit(LogicalDecodingContext *ctx, ReorderBufferTXN *txn,
	   XLogRecPtr commit_lsn)
{
	DecodeState *state = ctx->output_plugin_private;

	if (state->frame_events > 0)
		send_frame(ctx, txn, true);
	state->skipped = 0;
	/* for pg_stat_replication's lag */
	OutputPluginUpdateProgress(ctx, !state->is_begun);
}

/*
 * A full frame is sent by the event that does not fit into it any more, so
 * that the one in hand at commit is never empty and can say LAST.
 */
static void
add_to_frame(LogicalDecodingContext *ctx, ReorderBufferTXN *txn, uint32 ordinal,
			 const char *data, Size size)
{
	DecodeState *state = ctx->output_plugin_private;
	StringInfo frame = &state->frame;
	uint8 *to;

	if (state->frame_events > 0 &&
		frame->len + FRAME_EVENT_OVERHEAD + size > FRAME_TARGET_BYTES)
		send_frame(ctx, txn, false);

	enlargeStringInfo(frame, FRAME_EVENT_OVERHEAD + (int) size);
	to = (uint8 *) frame->data + frame->len;
	bytes_put_u32(to, ordinal);
	bytes_put_u32(to + 4, (uint32) size);
	memcpy(to + FRAME_EVENT_OVERHEAD, data, size);
	frame->len += FRAME_EVENT_OVERHEAD + (int) size;
	state->frame_events++;
}

static void
send_frame(LogicalDecodingContext *ctx, ReorderBufferTXN *txn, bool is_last)
{
	DecodeState *state = ctx->output_plugin_private;
	StringInfo frame = &state->frame;
	FrameHeader header;

	header.flags =
		(state->is_begun ? 0 : FRAME_FIRST) | (is_last ? FRAME_LAST : 0);
	header.event_count = state->frame_events;
	header.commit_lsn = txn->final_lsn;
	header.end_lsn = txn->end_lsn;
	header.commit_time_us =
		COMPAT_TXN_COMMIT_TIME(txn) +
		(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
	frame_write_header((uint8 *) frame->data, &header);

	/*
	 * Only the last one carries an LSN in the CopyData header: a client that
	 * confirms what it sees there must have the whole transaction.
	 */
	OutputPluginPrepareWrite(ctx, is_last);
	appendBinaryStringInfo(ctx->out, frame->data, frame->len);
	OutputPluginWrite(ctx, is_last);

	if (frame->maxlen > KEEP_BYTES)
	{
		MemoryContext old = MemoryContextSwitchTo(ctx->context);

		pfree(frame->data);
		initStringInfo(frame);
		MemoryContextSwitchTo(old);
	}
	frame->len = FRAME_HEADER_SIZE;
	state->frame_events = 0;
	state->skipped = 0;
	state->is_begun = true;
}

/*
 * Something that is not sent.  While a large foreign transaction is replayed
 * the server neither reads replies nor sends keepalives by itself, and would
 * end the connection for a silence of its own making.
 */
static void
skip(LogicalDecodingContext *ctx)
{
	DecodeState *state = ctx->output_plugin_private;

	if (COMPAT_SERVER_REPORTS_PROGRESS || ++state->skipped < PROGRESS_EVERY)
		return;
	state->skipped = 0;
	OutputPluginUpdateProgress(ctx, false);
}
