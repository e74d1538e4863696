/* uses: common/wire common/base */
/*
 * fuzz_live - the reader of live messages against any bytes
 *
 * Beyond not crashing: what init accepts is given out whole, each event lies
 * inside the message, and writing it again gives the very bytes that were
 * read.  Names of channels are read from the same bytes: one that is accepted
 * is the one we would write.  Run with FUZZ_MAKE_CORPUS=DIR it writes good
 * messages to start from into DIR.
 */
#include "live_frame.h"

#include "fuzz.h"


static uint8_t again[1024 * 1024];

static void
check_name(const uint8_t *bytes, size_t len)
{
	char name[LIVE_CHANNEL_SIZE];
	int channel = live_channel_parse((const char *) bytes, len);

	if (channel < 0)
		return;
	REQUIRE(channel < LIVE_CHANNELS);
	live_channel_name(channel, name);
	REQUIRE(strlen(name) == len && memcmp(name, bytes, len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	LiveFrameReader reader;
	Event event;
	size_t at = LIVE_HEADER_SIZE;
	uint32_t count = 0;

	check_name(bytes, len);
	if (!live_frame_init(&reader, bytes, len))
	{
		REQUIRE(reader.reason != NULL);
		REQUIRE(!live_frame_next(&reader, &event));
		return 0;
	}
	live_frame_write_header(again, &reader.header);
	while (live_frame_next(&reader, &event))
	{
		size_t size = event_size(&event);
		int channel = live_channel_of(event.key);

		REQUIRE(channel >= 0 && channel < LIVE_CHANNELS);
		REQUIRE((const uint8_t *) event.json >= bytes &&
				(const uint8_t *) event.json + event.json_len <= bytes + len);
		bytes_put_u32(again + at, (uint32_t) size);
		event_write(again + at + LIVE_EVENT_OVERHEAD, &event);
		at += LIVE_EVENT_OVERHEAD + size;
		count++;
	}
	REQUIRE(count == reader.header.event_count);
	REQUIRE(at == len && memcmp(again, bytes, len) == 0);
	return 0;
}

static size_t
make_message(uint8_t *out, uint16_t count)
{
	static const char trace[] =
		"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
	static const EventKind kinds[] = { EVENT_MESSAGE,    EVENT_CONVERSATION,
									   EVENT_MEMBER,     EVENT_REACTION,
									   EVENT_USER,       EVENT_CURSOR,
									   EVENT_PREFERENCE, EVENT_BLOCK };
	static const uint8_t id[16] = { 1, 2, 3 };
	LiveHeader header = { .is_heartbeat = count == 0,
						  .event_count = count,
						  .timeline = 1,
						  .incarnation = 1,
						  .number = 1,
						  .system_id = 1 };
	size_t len = LIVE_HEADER_SIZE;

	live_frame_write_header(out, &header);
	for (uint16_t i = 0; i < count; i++)
	{
		Event event = { .kind = kinds[i % 8],
						.key = id,
						.id = id,
						.ev = i,
						.rev = 1,
						.trace = i % 3 == 0 ? trace : NULL,
						.json = "{\"a\":1}",
						.json_len = 7 };

		bytes_put_u32(out + len, (uint32_t) event_size(&event));
		event_write(out + len + LIVE_EVENT_OVERHEAD, &event);
		len += LIVE_EVENT_OVERHEAD + event_size(&event);
	}
	return len;
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void) argc;
	(void) argv;
	for (uint16_t count = 0; count <= 16; count++)
		fuzz_seed(count, again, make_message(again, count));
	return 0;
}
