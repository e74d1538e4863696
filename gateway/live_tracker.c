#include "live_tracker.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "live_channel.h"
#include "live_frame.h"
#include "log.h"
#include "xalloc.h"

/* "18446744073709551615:4294967295:FFFFFFFF/FFFFFFFF" */
#define POSITION_SIZE 64

struct LiveTracker
{
	LiveCallbacks callbacks;
	void *arg;
	const LiveMetrics *metrics;
	uint64_t system_id;

	bool is_live;
	LiveChannel channel[LIVE_CHANNELS];
	int64_t look_at_us[LIVE_CHANNELS]; /* second look; 0: none is due */
	uint64_t heard_lsn[LIVE_CHANNELS];
};

static bool read_message(int channel, const void *bytes, size_t len,
						 LiveFrameReader *reader);
static void say_broken(LiveTracker *tracker, int channel, LiveBreak why,
					   int64_t now_us);
static bool hand_on(LiveTracker *tracker, int channel, LiveFrameReader *reader);
static void update_mode(LiveTracker *tracker, int64_t now_us);
static void set_mode(LiveTracker *tracker, bool is_live);

LiveTracker *
live_tracker_new(const LiveCallbacks *callbacks, void *arg,
				 const LiveMetrics *metrics)
{
	LiveTracker *tracker = xcalloc(1, sizeof(*tracker));

	tracker->callbacks = *callbacks;
	tracker->arg = arg;
	tracker->metrics = metrics;
	for (int i = 0; i < LIVE_CHANNELS; i++)
		live_channel_init(&tracker->channel[i]);
	return tracker;
}

void
live_tracker_free(LiveTracker **tracker)
{
	free(*tracker);
	*tracker = NULL;
}

void
live_tracker_set_system_id(LiveTracker *tracker, uint64_t system_id)
{
	tracker->system_id = system_id;
}

bool
live_tracker_is_live(const LiveTracker *tracker)
{
	return tracker->is_live;
}

bool
live_tracker_hear(LiveTracker *tracker, const char *name, size_t name_len,
				  const void *bytes, size_t len, int64_t now_us)
{
	int channel = live_channel_parse(name, name_len);
	LiveFrameReader reader;
	LiveStamp stamp;
	bool is_fresh;

	if (channel < 0)
		return false;
	metric_add(tracker->metrics->messages, 1);
	if (!read_message(channel, bytes, len, &reader))
	{
		log_warn("not a live message", "channel=%d reason=%s", channel,
				 log_quote(reader.reason));
		/* whoever floods us with these gets one repair per second look */
		if (tracker->look_at_us[channel] == 0)
			say_broken(tracker, channel, LIVE_BREAK_BAD_FRAME, now_us);
		return false;
	}
	if (tracker->system_id != 0 &&
		reader.header.system_id != tracker->system_id)
	{
		metric_add(tracker->metrics->passed_over, 1);
		return false;
	}

	stamp.is_heartbeat = reader.header.is_heartbeat;
	stamp.timeline = reader.header.timeline;
	stamp.system_id = reader.header.system_id;
	stamp.incarnation = reader.header.incarnation;
	stamp.number = reader.header.number;
	is_fresh = !tracker->channel[channel].is_known;
	switch (live_channel_hear(&tracker->channel[channel], &stamp, now_us))
	{
		case LIVE_STALE:
			metric_add(tracker->metrics->passed_over, 1);
			return false;
		case LIVE_DUPLICATE:
			metric_add(tracker->metrics->passed_over, 1);
			update_mode(tracker, now_us);
			return false;
		case LIVE_DELIVER:
			break;
		case LIVE_GAP:
			say_broken(tracker, channel, LIVE_BREAK_HOLE, now_us);
			break;
		case LIVE_NEW_READER:
			say_broken(tracker, channel,
					   is_fresh ? LIVE_BREAK_FIRST : LIVE_BREAK_INCARNATION,
					   now_us);
			break;
		case LIVE_NEW_HISTORY:
			say_broken(tracker, channel, LIVE_BREAK_HISTORY, now_us);
			break;
	}
	tracker->heard_lsn[channel] = reader.header.end_lsn;
	update_mode(tracker, now_us);
	return hand_on(tracker, channel, &reader);
}

void
live_tracker_lost(LiveTracker *tracker)
{
	for (int i = 0; i < LIVE_CHANNELS; i++)
		live_channel_unheard(&tracker->channel[i]);
	set_mode(tracker, false);
}

void
live_tracker_tick(LiveTracker *tracker, int64_t now_us)
{
	int64_t oldest_us = now_us;

	for (int i = 0; i < LIVE_CHANNELS; i++)
	{
		LiveChannel *channel = &tracker->channel[i];

		if (channel->heard_us != 0 && channel->heard_us < oldest_us)
			oldest_us = channel->heard_us;
		if (live_channel_expire(channel, now_us))
		{
			metric_add(tracker->metrics->silences, 1);
			set_mode(tracker, false);
		}
		if (tracker->look_at_us[i] != 0 && now_us >= tracker->look_at_us[i])
		{
			tracker->look_at_us[i] = 0;
			metric_add(tracker->metrics->repairs[LIVE_BREAK_SECOND_LOOK], 1);
			tracker->callbacks.on_broken(tracker->arg, i,
										 LIVE_BREAK_SECOND_LOOK);
		}
	}
	metric_set(tracker->metrics->silence, now_us - oldest_us);
}

uint64_t
live_tracker_heard_lsn(const LiveTracker *tracker)
{
	uint64_t lsn = UINT64_MAX;

	if (!tracker->is_live)
		return 0;
	for (int i = 0; i < LIVE_CHANNELS; i++)
	{
		if (tracker->heard_lsn[i] < lsn)
			lsn = tracker->heard_lsn[i];
	}
	return lsn;
}

/* The whole of it is sound, and every event belongs to this channel. */
static bool
read_message(int channel, const void *bytes, size_t len,
			 LiveFrameReader *reader)
{
	LiveFrameReader walk;
	Event event;

	if (!live_frame_init(reader, bytes, len))
		return false;
	walk = *reader;
	while (live_frame_next(&walk, &event))
	{
		if (live_channel_of(event.key) != channel)
		{
			reader->reason = "an event of another channel";
			return false;
		}
	}
	return true;
}

static void
say_broken(LiveTracker *tracker, int channel, LiveBreak why, int64_t now_us)
{
	tracker->look_at_us[channel] = now_us + LIVE_SECOND_LOOK_MS * 1000;
	metric_add(tracker->metrics->repairs[why], 1);
	tracker->callbacks.on_broken(tracker->arg, channel, why);
}

static bool
hand_on(LiveTracker *tracker, int channel, LiveFrameReader *reader)
{
	const LiveHeader *header = &reader->header;
	char position[POSITION_SIZE];
	Event event;

	if (header->is_heartbeat)
		return false;
	snprintf(position, sizeof(position), "%" PRIu64 ":%" PRIu32 ":%X/%X",
			 header->system_id, header->timeline,
			 (unsigned) (header->end_lsn >> 32), (unsigned) header->end_lsn);
	metric_add(tracker->metrics->events, header->event_count);
	while (live_frame_next(reader, &event))
	{
		metric_observe_us(tracker->metrics->delay,
						  clock_wall_us() - event.time_us);
		tracker->callbacks.on_event(tracker->arg, channel, &event, position);
	}
	return true;
}

/* Only upwards: what falls silent is seen by the tick. */
static void
update_mode(LiveTracker *tracker, int64_t now_us)
{
	if (tracker->is_live)
		return;
	for (int i = 0; i < LIVE_CHANNELS; i++)
	{
		if (!live_channel_is_alive(&tracker->channel[i], now_us))
			return;
	}
	set_mode(tracker, true);
}

static void
set_mode(LiveTracker *tracker, bool is_live)
{
	if (tracker->is_live == is_live)
		return;
	tracker->is_live = is_live;
	metric_set(tracker->metrics->is_live, is_live);
	metric_add(tracker->metrics->mode_changes, 1);
	tracker->callbacks.on_mode(tracker->arg, is_live);
}
