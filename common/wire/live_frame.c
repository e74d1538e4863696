#include "live_frame.h"

#include <stdio.h>

#include "partition.h"

static bool check_events(LiveFrameReader *reader, const uint8_t *end);

void
live_frame_write_header(uint8_t *out, const LiveHeader *header)
{
	out[0] = LIVE_VERSION;
	out[1] = header->is_heartbeat ? LIVE_HEARTBEAT : LIVE_EVENTS;
	out[2] = (uint8_t) (header->event_count >> 8);
	out[3] = (uint8_t) header->event_count;
	bytes_put_u32(out + 4, header->timeline);
	bytes_put_u64(out + 8, header->incarnation);
	bytes_put_u64(out + 16, header->number);
	bytes_put_u64(out + 24, header->system_id);
	bytes_put_u64(out + 32, header->end_lsn);
}

bool
live_frame_init(LiveFrameReader *reader, const uint8_t *bytes, size_t len)
{
	LiveHeader *header = &reader->header;

	reader->left = 0;
	reader->reason = NULL;
	if (len < LIVE_HEADER_SIZE)
		reader->reason = "shorter than a header";
	else if (bytes[0] != LIVE_VERSION)
		reader->reason = "unknown version";
	else if (bytes[1] != LIVE_EVENTS && bytes[1] != LIVE_HEARTBEAT)
		reader->reason = "unknown kind";
	if (reader->reason != NULL)
		return false;

	header->is_heartbeat = bytes[1] == LIVE_HEARTBEAT;
	header->event_count = (uint16_t) (bytes[2] << 8 | bytes[3]);
	header->timeline = bytes_get_u32(bytes + 4);
	header->incarnation = bytes_get_u64(bytes + 8);
	header->number = bytes_get_u64(bytes + 16);
	header->system_id = bytes_get_u64(bytes + 24);
	header->end_lsn = bytes_get_u64(bytes + 32);
	reader->at = bytes + LIVE_HEADER_SIZE;

	if (header->incarnation == 0 || header->timeline == 0)
		reader->reason = "no incarnation or timeline";
	else if (header->is_heartbeat && header->event_count != 0)
		reader->reason = "a heartbeat with events";
	else if (!header->is_heartbeat && header->event_count == 0)
		reader->reason = "no event";
	else if (!header->is_heartbeat && header->number == 0)
		reader->reason = "events without a number";
	if (reader->reason != NULL)
		return false;
	return check_events(reader, bytes + len);
}

bool
live_frame_next(LiveFrameReader *reader, Event *event)
{
	uint32_t len;

	if (reader->left == 0)
		return false;
	reader->left--;
	len = bytes_get_u32(reader->at);
	reader->at += LIVE_EVENT_OVERHEAD;

	/* was read once already, by init */
	if (!event_parse(reader->at, len, event))
		return false;
	reader->at += len;
	return true;
}

int
live_channel_of(const uint8_t *key)
{
	char text[36];

	partition_key_text(key, text);
	return (int) partition_of(text, sizeof(text), LIVE_CHANNELS);
}

void
live_channel_name(int channel, char out[LIVE_CHANNEL_SIZE])
{
	snprintf(out, LIVE_CHANNEL_SIZE, LIVE_CHANNEL_FORMAT, channel);
}

int
live_channel_parse(const char *name, size_t len)
{
	char want[LIVE_CHANNEL_SIZE];
	size_t at = strlen("{chemchat:");
	int channel;

	if (len < at + 2)
		return -1;
	channel = name[at] - '0';
	if (name[at + 1] != '}')
		channel = channel * 10 + (name[at + 1] - '0');
	if (channel < 0 || channel >= LIVE_CHANNELS)
		return -1;

	/* one spelling only: compare it with what we would say */
	live_channel_name(channel, want);
	return strlen(want) == len && memcmp(want, name, len) == 0 ? channel : -1;
}

static bool
check_events(LiveFrameReader *reader, const uint8_t *end)
{
	const uint8_t *at = reader->at;
	Event event;

	for (uint32_t i = 0; i < reader->header.event_count; i++)
	{
		uint32_t len;

		if (end - at < LIVE_EVENT_OVERHEAD)
		{
			reader->reason = "an event's length is cut off";
			return false;
		}
		len = bytes_get_u32(at);
		at += LIVE_EVENT_OVERHEAD;
		if ((size_t) (end - at) < len)
		{
			reader->reason = "an event is cut off";
			return false;
		}
		if (!event_parse(at, len, &event))
		{
			reader->reason = "an event is malformed";
			return false;
		}
		at += len;
	}
	if (at != end)
	{
		reader->reason = "bytes behind the last event";
		return false;
	}
	reader->left = reader->header.event_count;
	return true;
}
