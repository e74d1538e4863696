#include "live_channel.h"

#include <string.h>

#include "redis_keys.h"

static LiveVerdict begin(LiveChannel *channel, const LiveStamp *stamp);
static LiveVerdict follow(LiveChannel *channel, const LiveStamp *stamp);

void
live_channel_init(LiveChannel *channel)
{
	memset(channel, 0, sizeof(*channel));
}

LiveVerdict
live_channel_hear(LiveChannel *channel, const LiveStamp *stamp, int64_t now_us)
{
	LiveVerdict verdict;

	if (!channel->is_known)
		verdict = begin(channel, stamp);
	else if (stamp->system_id != channel->system_id)
	{
		begin(channel, stamp);
		verdict = LIVE_NEW_HISTORY;
	}
	else if (stamp->incarnation < channel->incarnation)
		return LIVE_STALE;
	else if (stamp->timeline != channel->timeline)
	{
		begin(channel, stamp);
		verdict = LIVE_NEW_HISTORY;
	}
	else if (stamp->incarnation > channel->incarnation)
		verdict = begin(channel, stamp);
	else
		verdict = follow(channel, stamp);

	channel->is_heard = true;
	channel->heard_us = now_us;
	return verdict;
}

void
live_channel_unheard(LiveChannel *channel)
{
	channel->is_heard = false;
}

bool
live_channel_expire(LiveChannel *channel, int64_t now_us)
{
	if (!channel->is_known ||
		now_us - channel->heard_us < LIVE_SILENCE_MS * 1000)
		return false;
	channel->is_known = false;
	channel->is_heard = false;
	return true;
}

bool
live_channel_is_alive(const LiveChannel *channel, int64_t now_us)
{
	return channel->is_heard &&
		   now_us - channel->heard_us < LIVE_SILENCE_MS * 1000;
}

static LiveVerdict
begin(LiveChannel *channel, const LiveStamp *stamp)
{
	channel->is_known = true;
	channel->system_id = stamp->system_id;
	channel->timeline = stamp->timeline;
	channel->incarnation = stamp->incarnation;
	channel->number = stamp->number;
	return LIVE_NEW_READER;
}

/*
 * The same reader as before.  One connection carries a channel in order, so
 * a lower number can only be a repetition.
 */
static LiveVerdict
follow(LiveChannel *channel, const LiveStamp *stamp)
{
	uint64_t last = channel->number;

	if (stamp->is_heartbeat ? stamp->number == last : stamp->number == last + 1)
	{
		channel->number = stamp->number;
		return LIVE_DELIVER;
	}
	if (stamp->number <= last)
		return LIVE_DUPLICATE;
	channel->number = stamp->number;
	return LIVE_GAP;
}
