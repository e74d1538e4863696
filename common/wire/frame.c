#include "frame.h"

#define SMALLEST_EVENT (FRAME_EVENT_OVERHEAD + EVENT_HEADER_SIZE)

static bool refuse(FrameReader *reader, const char *reason);
static FrameResult bad(FrameReader *reader, const char *reason);

bool
frame_reader_init(FrameReader *reader, const uint8_t *bytes, size_t len)
{
	FrameHeader *header = &reader->header;

	memset(reader, 0, sizeof(*reader));
	reader->last_ordinal = -1;
	if (len < FRAME_HEADER_SIZE)
		return refuse(reader, "shorter than a frame header");
	if (bytes[0] != FRAME_MAGIC)
		return refuse(reader, "wrong magic");
	if (bytes[1] != FRAME_VERSION)
		return refuse(reader, "unknown version");
	if (len > FRAME_MAX_BYTES)
		return refuse(reader, "longer than a frame may be");
	if ((bytes[2] & ~(FRAME_FIRST | FRAME_LAST)) != 0)
		return refuse(reader, "unknown flags");
	if (bytes[3] != 0)
		return refuse(reader, "reserved byte is not zero");

	header->flags = bytes[2];
	header->event_count = bytes_get_u32(bytes + 4);
	header->commit_lsn = bytes_get_u64(bytes + 8);
	header->end_lsn = bytes_get_u64(bytes + 16);
	header->commit_time_us = (int64_t) bytes_get_u64(bytes + 24);

	if (header->commit_lsn == 0)
		return refuse(reader, "no commit LSN");
	if (header->end_lsn <= header->commit_lsn)
		return refuse(reader, "end LSN not behind commit LSN");
	if (header->event_count == 0 && header->flags != FRAME_LAST)
		return refuse(reader, "no event and not just the last");
	if (header->event_count > (len - FRAME_HEADER_SIZE) / SMALLEST_EVENT)
		return refuse(reader, "more events than there is room for");

	reader->at = bytes + FRAME_HEADER_SIZE;
	reader->end = bytes + len;
	reader->left = header->event_count;
	return true;
}

FrameResult
frame_reader_next(FrameReader *reader, uint32_t *ordinal, Event *event,
				  const uint8_t **record, uint32_t *record_len)
{
	size_t room = (size_t) (reader->end - reader->at);
	uint32_t number;
	uint32_t len;

	if (reader->reason != NULL)
		return FRAME_BAD;
	if (reader->left == 0)
		return room == 0 ? FRAME_END
						 : bad(reader, "bytes behind the last event");
	if (room < FRAME_EVENT_OVERHEAD)
		return bad(reader, "cut off in front of an event");
	number = bytes_get_u32(reader->at);
	len = bytes_get_u32(reader->at + 4);
	if ((int64_t) number <= reader->last_ordinal)
		return bad(reader, "ordinals do not ascend");
	if (len > room - FRAME_EVENT_OVERHEAD)
		return bad(reader, "event longer than the frame");
	if (!event_parse(reader->at + FRAME_EVENT_OVERHEAD, len, event))
		return bad(reader, "not an event record");

	*ordinal = number;
	*record = reader->at + FRAME_EVENT_OVERHEAD;
	*record_len = len;
	reader->at += FRAME_EVENT_OVERHEAD + len;
	reader->last_ordinal = number;
	reader->left--;
	return FRAME_EVENT;
}

/* From here on the reader says nothing else. */
static FrameResult
bad(FrameReader *reader, const char *reason)
{
	reader->reason = reason;
	return FRAME_BAD;
}

static bool
refuse(FrameReader *reader, const char *reason)
{
	reader->reason = reason;
	return false;
}
