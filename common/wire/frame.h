/*
 * frame - what the output plugin sends the relay (contract 4)
 *
 * One CopyData payload of the replication stream ('w' message) is one frame.
 * A frame holds events of one transaction only.  A large transaction is
 * several frames in order; a transaction that has no event for the asked
 * shard sends none.  Big-endian.
 *
 *   offset size
 *        0    1  magic, FRAME_MAGIC
 *        1    1  version, FRAME_VERSION
 *        2    1  flags: FRAME_FIRST, FRAME_LAST of the transaction
 *        3    1  zero
 *        4    4  number of events, >= 1, or 0 in a frame that only says LAST
 *        8    8  commit LSN: start of the commit record; with the ordinal it
 *                is the identity of an event on its timeline
 *       16    8  end LSN: end of the commit record; what may be confirmed
 *                once every event of the transaction is acknowledged
 *       24    8  commit time, microseconds since 1970 UTC
 *       32    -  events, each:
 *                  4  ordinal: 0.. over all our messages of the transaction,
 *                     counted before the shard filter; ascending
 *                  4  length of the event record
 *                  -  event record (event.h)
 *
 * The end LSN is known at begin on every supported server; a reader confirms
 * nothing before FRAME_LAST.
 *
 * Compiles in the backend and in a daemon: no allocation, no libpq.
 */
#ifndef CHEMCHAT_FRAME_H
#define CHEMCHAT_FRAME_H

#include "bytes.h"
#include "event.h"

#define FRAME_MAGIC          0xC5
#define FRAME_VERSION        1
#define FRAME_PROTO          1 /* the plugin option proto */
#define FRAME_HEADER_SIZE    32
#define FRAME_EVENT_OVERHEAD 8
#define FRAME_FIRST          0x01
#define FRAME_LAST           0x02
#define FRAME_TARGET_BYTES   (256 * 1024) /* the plugin splits behind this */
#define FRAME_MAX_BYTES      (4 * 1024 * 1024)

typedef struct FrameHeader
{
	uint8_t flags;
	uint32_t event_count;
	uint64_t commit_lsn;
	uint64_t end_lsn;
	int64_t commit_time_us;
} FrameHeader;

typedef enum FrameResult
{
	FRAME_EVENT, /* *event and *ordinal are set */
	FRAME_END,   /* every announced event was read, no byte left */
	FRAME_BAD    /* not a frame; *reason says why */
} FrameResult;

/* Walks one frame; borrows the bytes. */
typedef struct FrameReader
{
	FrameHeader header;
	const uint8_t *at;
	const uint8_t *end;
	uint32_t left;
	int64_t last_ordinal;
	const char *reason;
} FrameReader;

static inline void
frame_write_header(uint8_t *out, const FrameHeader *header)
{
	out[0] = FRAME_MAGIC;
	out[1] = FRAME_VERSION;
	out[2] = header->flags;
	out[3] = 0;
	bytes_put_u32(out + 4, header->event_count);
	bytes_put_u64(out + 8, header->commit_lsn);
	bytes_put_u64(out + 16, header->end_lsn);
	bytes_put_u64(out + 24, (uint64_t) header->commit_time_us);
}

/* Reads the header; false with reader->reason set when it is no frame. */
bool frame_reader_init(FrameReader *reader, const uint8_t *bytes, size_t len);

/* The next event. */
FrameResult frame_reader_next(FrameReader *reader, uint32_t *ordinal,
							  Event *event, const uint8_t **record,
							  uint32_t *record_len);

#endif
