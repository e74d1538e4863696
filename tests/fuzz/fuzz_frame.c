/* uses: common/wire */
/*
 * fuzz_frame - the frame reader against any bytes
 *
 * Beyond not crashing: what is read must lie inside the frame, and writing it
 * again must give the very bytes that were read.  Run with
 * FUZZ_MAKE_CORPUS=DIR it writes good frames to start from into DIR.
 */
#include "frame.h"

#include "fuzz.h"


static uint8_t again[FRAME_MAX_BYTES];

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	FrameReader reader;
	FrameResult result;
	size_t at = FRAME_HEADER_SIZE;
	uint32_t ordinal;
	uint32_t record_len;
	const uint8_t *record;
	Event event;

	if (!frame_reader_init(&reader, bytes, len))
	{
		REQUIRE(reader.reason != NULL);
		return 0;
	}
	frame_write_header(again, &reader.header);
	while ((result = frame_reader_next(&reader, &ordinal, &event, &record,
									   &record_len)) == FRAME_EVENT)
	{
		REQUIRE(record >= bytes && record + record_len <= bytes + len);
		REQUIRE(event_size(&event) == record_len);
		bytes_put_u32(again + at, ordinal);
		bytes_put_u32(again + at + 4, record_len);
		event_write(again + at + FRAME_EVENT_OVERHEAD, &event);
		at += FRAME_EVENT_OVERHEAD + record_len;
	}
	if (result == FRAME_BAD)
		REQUIRE(reader.reason != NULL);
	else
	{
		REQUIRE(at == len);
		REQUIRE(memcmp(again, bytes, len) == 0);
	}
	return 0;
}

/* Frames of 1 to 32 events, every kind of event, every flag. */
static void
make_corpus(void)
{
	static const EventKind kinds[] = { EVENT_MESSAGE,    EVENT_CONVERSATION,
									   EVENT_MEMBER,     EVENT_REACTION,
									   EVENT_USER,       EVENT_CURSOR,
									   EVENT_PREFERENCE, EVENT_BLOCK };
	static const char trace[] =
		"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
	static const char json[] = "{\"kind\":\"message\",\"body\":\"hi\"}";
	static const uint8_t ids[32] = { 1, 2, 3 };

	for (uint32_t events = 0; events <= 32; events = events * 2 + (events < 2))
	{
		FrameHeader header = { .flags = events == 0 ? FRAME_LAST
													: (uint8_t) (events % 4),
							   .event_count = events,
							   .commit_lsn = 0x1000,
							   .end_lsn = 0x1030,
							   .commit_time_us = 1 };
		size_t at = FRAME_HEADER_SIZE;

		frame_write_header(again, &header);
		for (uint32_t i = 0; i < events; i++)
		{
			Event event = { .kind = kinds[i % 8],
							.flags = i % 3 == 0 ? EVENT_REPLAY : 0,
							.key = ids,
							.id = ids + 16,
							.ev = i,
							.seq = i / 2,
							.rev = i + 1,
							.time_us = 2,
							.trace = i % 2 ? trace : NULL,
							.json = json,
							.json_len = sizeof(json) - 1 - i % 20 };

			bytes_put_u32(again + at, i * 2);
			bytes_put_u32(again + at + 4, (uint32_t) event_size(&event));
			event_write(again + at + FRAME_EVENT_OVERHEAD, &event);
			at += FRAME_EVENT_OVERHEAD + event_size(&event);
		}
		fuzz_seed(events, again, at);
	}
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void) argc;
	(void) argv;
	make_corpus();
	return 0;
}
