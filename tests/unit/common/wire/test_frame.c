/* uses: common/wire common/base */
#include "frame.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/*
 * A frame stands right in front of a page that nobody may read, so that a
 * reader that goes one byte too far dies, in every kind of build.
 */
typedef struct Guarded
{
	uint8_t *map;
	size_t map_bytes;
	uint8_t *fence;
} Guarded;

#define ROOM       (64 * 1024)
#define MAX_EVENTS 40
#define ROUNDS     300

typedef struct Sample
{
	uint8_t bytes[ROOM];
	size_t len;
	FrameHeader header;
	Event events[MAX_EVENTS];
	uint32_t ordinals[MAX_EVENTS];
	uint32_t offsets[MAX_EVENTS]; /* of the records */
} Sample;

static uint64_t seed;

static uint64_t
next_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static uint32_t
random_below(uint32_t limit)
{
	return (uint32_t) (next_random() % limit);
}

static void
guarded_open(Guarded *guarded)
{
	size_t page = (size_t) sysconf(_SC_PAGESIZE);

	guarded->map_bytes = ROOM + page;
	guarded->map = mmap(NULL, guarded->map_bytes, PROT_READ | PROT_WRITE,
						MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(guarded->map != MAP_FAILED);
	guarded->fence = guarded->map + ROOM;
	assert_int_equal(mprotect(guarded->fence, page, PROT_NONE), 0);
}

static void
guarded_close(Guarded *guarded)
{
	assert_int_equal(munmap(guarded->map, guarded->map_bytes), 0);
}

/* The bytes, ending at the fence. */
static uint8_t *
guarded_put(Guarded *guarded, const uint8_t *bytes, size_t len)
{
	return memcpy(guarded->fence - len, bytes, len);
}

static uint32_t
add_event(Sample *sample, uint32_t at, uint32_t ordinal, uint8_t ids[32],
		  const char *json, uint32_t json_len)
{
	static const EventKind kinds[] = { EVENT_MESSAGE,    EVENT_CONVERSATION,
									   EVENT_MEMBER,     EVENT_REACTION,
									   EVENT_USER,       EVENT_CURSOR,
									   EVENT_PREFERENCE, EVENT_BLOCK };
	static const char trace[] =
		"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
	Event *event = &sample->events[at];
	uint8_t *out = sample->bytes + sample->len;

	event->kind = kinds[random_below(8)];
	event->flags = (uint8_t) random_below(2);
	event->key = ids;
	event->id = ids + 16;
	event->ev = next_random();
	event->seq = next_random();
	event->rev = next_random() | 1;
	event->time_us = (int64_t) next_random();
	event->trace = random_below(2) ? trace : NULL;
	event->json = json;
	event->json_len = json_len;

	bytes_put_u32(out, ordinal);
	bytes_put_u32(out + 4, (uint32_t) event_size(event));
	event_write(out + FRAME_EVENT_OVERHEAD, event);
	sample->ordinals[at] = ordinal;
	sample->offsets[at] = (uint32_t) sample->len + FRAME_EVENT_OVERHEAD;
	sample->len += FRAME_EVENT_OVERHEAD + event_size(event);
	return ordinal;
}

static void
make_sample(Sample *sample, uint32_t events)
{
	static const char json[] =
		"{\"kind\":\"message\",\"body\":\"H\xe2\x82\x82O, and some more text "
		"that "
		"makes the records differ in length, as they do in life\"}";
	static uint8_t ids[32];
	uint32_t ordinal = 0;

	for (size_t i = 0; i < sizeof(ids); i++)
		ids[i] = (uint8_t) next_random();
	sample->len = FRAME_HEADER_SIZE;
	for (uint32_t i = 0; i < events; i++)
	{
		ordinal += random_below(5) + (i > 0);
		add_event(sample, i, ordinal, ids, json,
				  2 + random_below(sizeof(json) - 2));
	}
	sample->header.flags = (uint8_t) random_below(4);
	sample->header.event_count = events;
	sample->header.commit_lsn = (next_random() >> 2) + 1;
	sample->header.end_lsn = sample->header.commit_lsn + 1 + random_below(99);
	sample->header.commit_time_us = (int64_t) next_random();
	frame_write_header(sample->bytes, &sample->header);
}

/*
 * Reads everything; returns the events read, and how it ended.  What is
 * handed out must lie within the frame.
 */
static uint32_t
read_all(const uint8_t *bytes, size_t len, FrameResult *end,
		 const char **reason)
{
	FrameReader reader;
	uint32_t count = 0;

	*end = FRAME_BAD;
	if (frame_reader_init(&reader, bytes, len))
	{
		uint32_t ordinal;
		uint32_t record_len;
		const uint8_t *record;
		Event event;
		volatile uint8_t sum = 0;

		while ((*end = frame_reader_next(&reader, &ordinal, &event, &record,
										 &record_len)) == FRAME_EVENT)
		{
			assert_true(record >= bytes && record_len <= len &&
						record + record_len <= bytes + len);
			for (uint32_t i = 0; i < event.json_len; i++)
				sum = (uint8_t) (sum + (uint8_t) event.json[i]);
			sum = (uint8_t) (sum + event.key[15] + event.id[15]);
			if (event.trace != NULL)
				sum = (uint8_t) (sum + event.trace[EVENT_TRACE_SIZE - 1]);
			count++;
		}
	}
	*reason = reader.reason;
	assert_true((*end == FRAME_BAD) == (reader.reason != NULL));
	return count;
}

static void
assert_refused(const uint8_t *bytes, size_t len, const char *why)
{
	FrameResult end;
	const char *reason;

	read_all(bytes, len, &end, &reason);
	assert_int_equal(end, FRAME_BAD);
	assert_string_equal(reason, why);
}

static void
what_was_written_is_read(void **state)
{
	static Sample sample;
	Guarded guarded;

	guarded_open(&guarded);
	for (int round = 0; round < ROUNDS; round++)
	{
		FrameReader reader;
		uint32_t events = 1 + random_below(MAX_EVENTS);
		const uint8_t *bytes;
		uint32_t ordinal;
		uint32_t len;
		const uint8_t *record;
		Event event;

		make_sample(&sample, events);
		bytes = guarded_put(&guarded, sample.bytes, sample.len);
		assert_true(frame_reader_init(&reader, bytes, sample.len));
		assert_int_equal(reader.header.flags, sample.header.flags);
		assert_int_equal(reader.header.event_count, events);
		assert_true(reader.header.commit_lsn == sample.header.commit_lsn);
		assert_true(reader.header.end_lsn == sample.header.end_lsn);
		assert_true(reader.header.commit_time_us ==
					sample.header.commit_time_us);
		for (uint32_t i = 0; i < events; i++)
		{
			const Event *wanted = &sample.events[i];

			assert_int_equal(frame_reader_next(&reader, &ordinal, &event,
											   &record, &len),
							 FRAME_EVENT);
			assert_int_equal(ordinal, sample.ordinals[i]);
			assert_ptr_equal(record, bytes + sample.offsets[i]);
			assert_int_equal(len, event_size(wanted));
			assert_int_equal(event.kind, wanted->kind);
			assert_int_equal(event.flags, wanted->flags);
			assert_memory_equal(event.key, wanted->key, 16);
			assert_memory_equal(event.id, wanted->id, 16);
			assert_true(event.ev == wanted->ev && event.seq == wanted->seq &&
						event.rev == wanted->rev &&
						event.time_us == wanted->time_us);
			assert_true((event.trace == NULL) == (wanted->trace == NULL));
			assert_int_equal(event.json_len, wanted->json_len);
			assert_memory_equal(event.json, wanted->json, wanted->json_len);
		}
		for (int again = 0; again < 2; again++)
			assert_int_equal(frame_reader_next(&reader, &ordinal, &event,
											   &record, &len),
							 FRAME_END);
	}
	guarded_close(&guarded);
}

static void
every_truncation_is_refused(void **state)
{
	static Sample sample;
	Guarded guarded;

	guarded_open(&guarded);
	for (int round = 0; round < 20; round++)
	{
		make_sample(&sample, 1 + random_below(8));
		for (size_t len = 0; len < sample.len; len++)
		{
			FrameResult end;
			const char *reason;

			read_all(guarded_put(&guarded, sample.bytes, len), len, &end,
					 &reason);
			assert_int_equal(end, FRAME_BAD);
		}
	}
	guarded_close(&guarded);
}

static void
no_single_byte_leads_outside(void **state)
{
	static Sample sample;
	Guarded guarded;

	guarded_open(&guarded);
	for (int round = 0; round < 6; round++)
	{
		make_sample(&sample, 1 + random_below(4));
		for (size_t at = 0; at < sample.len; at++)
		{
			for (int xor = 1; xor < 256; xor ++)
			{
				FrameResult end;
				const char *reason;
				uint8_t *bytes =
					guarded_put(&guarded, sample.bytes, sample.len);

				bytes[at] ^= (uint8_t) xor ;
				read_all(bytes, sample.len, &end, &reason);
			}
		}
	}
	guarded_close(&guarded);
}

static void
what_follows_the_last_event_is_refused(void **state)
{
	static Sample sample;

	make_sample(&sample, 3);
	sample.bytes[sample.len++] = 0;
	assert_refused(sample.bytes, sample.len, "bytes behind the last event");
}

static void
each_header_field_is_checked(void **state)
{
	static Sample sample;
	static uint8_t large[FRAME_MAX_BYTES + 1];
	FrameHeader header;

	make_sample(&sample, 2);
	sample.bytes[0] ^= 1;
	assert_refused(sample.bytes, sample.len, "wrong magic");

	make_sample(&sample, 2);
	sample.bytes[1]++;
	assert_refused(sample.bytes, sample.len, "unknown version");

	make_sample(&sample, 2);
	sample.bytes[2] |= 0x04;
	assert_refused(sample.bytes, sample.len, "unknown flags");

	make_sample(&sample, 2);
	sample.bytes[3] = 1;
	assert_refused(sample.bytes, sample.len, "reserved byte is not zero");

	make_sample(&sample, 2);
	header = sample.header;
	header.commit_lsn = 0;
	frame_write_header(sample.bytes, &header);
	assert_refused(sample.bytes, sample.len, "no commit LSN");

	header = sample.header;
	header.end_lsn = header.commit_lsn;
	frame_write_header(sample.bytes, &header);
	assert_refused(sample.bytes, sample.len, "end LSN not behind commit LSN");

	header = sample.header;
	header.event_count = UINT32_MAX;
	frame_write_header(sample.bytes, &header);
	assert_refused(sample.bytes, sample.len,
				   "more events than there is room for");

	header = sample.header;
	header.event_count = 1;
	frame_write_header(sample.bytes, &header);
	assert_refused(sample.bytes, sample.len, "bytes behind the last event");

	memcpy(large, sample.bytes, sample.len);
	assert_refused(large, sizeof(large), "longer than a frame may be");
	assert_refused(sample.bytes, 0, "shorter than a frame header");
	assert_refused(sample.bytes, FRAME_HEADER_SIZE - 1,
				   "shorter than a frame header");
}

static void
only_the_last_frame_may_be_empty(void **state)
{
	uint8_t bytes[FRAME_HEADER_SIZE];
	FrameHeader header = { .commit_lsn = 7, .end_lsn = 9 };
	FrameResult end;
	const char *reason;

	for (uint8_t flags = 0; flags < 4; flags++)
	{
		header.flags = flags;
		frame_write_header(bytes, &header);
		read_all(bytes, sizeof(bytes), &end, &reason);
		assert_int_equal(end, flags == FRAME_LAST ? FRAME_END : FRAME_BAD);
	}
}

static void
ordinals_must_ascend(void **state)
{
	static Sample sample;

	make_sample(&sample, 2);
	bytes_put_u32(sample.bytes + sample.offsets[1] - FRAME_EVENT_OVERHEAD,
				  sample.ordinals[0]);
	assert_refused(sample.bytes, sample.len, "ordinals do not ascend");
}

static void
an_event_cannot_be_longer_than_its_frame(void **state)
{
	static Sample sample;

	make_sample(&sample, 2);
	bytes_put_u32(sample.bytes + sample.offsets[1] - 4, UINT32_MAX);
	assert_refused(sample.bytes, sample.len, "event longer than the frame");
}

static void
a_refusal_is_final(void **state)
{
	static Sample sample;
	FrameReader reader;
	uint32_t ordinal;
	uint32_t len;
	const uint8_t *record;
	Event event;

	make_sample(&sample, 2);
	sample.bytes[sample.offsets[0] + 1] = '?'; /* kind */
	assert_true(frame_reader_init(&reader, sample.bytes, sample.len));
	for (int again = 0; again < 3; again++)
	{
		assert_int_equal(frame_reader_next(&reader, &ordinal, &event, &record,
										   &len),
						 FRAME_BAD);
		assert_string_equal(reader.reason, "not an event record");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(no_single_byte_leads_outside),
		cmocka_unit_test(what_follows_the_last_event_is_refused),
		cmocka_unit_test(each_header_field_is_checked),
		cmocka_unit_test(only_the_last_frame_may_be_empty),
		cmocka_unit_test(ordinals_must_ascend),
		cmocka_unit_test(an_event_cannot_be_longer_than_its_frame),
		cmocka_unit_test(a_refusal_is_final),
	};
	const char *given = getenv("CHEMCHAT_TEST_SEED");

	seed = given ? strtoull(given, NULL, 0)
				 : ((uint64_t) getpid() << 32) ^ (uint64_t) clock();
	seed |= 1;
	fprintf(stderr, "seed: CHEMCHAT_TEST_SEED=%" PRIu64 "\n", seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
