/*
 * live_channel - is what one live channel said whole?
 *
 * Follows the numbers of one channel: incarnation of the reader, number of
 * its last frame, when it was last heard.  A frame is DELIVERed when nothing
 * is missing before it; with GAP it is delivered too, but something before it
 * (or, for a heartbeat, up to it) was not heard and the channel needs a
 * repair.  Any loss is noticed: by the next frame, else by the next heartbeat,
 * else by silence.
 *
 * An incarnation below the one followed is a reader that was replaced and
 * woke up late: STALE, not even a sign of life.  Should numbers have gone
 * back for another reason (a clock, an emptied Redis), the channel falls
 * silent, is forgotten, and begins anew.
 *
 * Pure: the caller says what time it is.
 */
#ifndef CHEMCHAT_LIVE_CHANNEL_H
#define CHEMCHAT_LIVE_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

typedef enum LiveVerdict
{
	LIVE_DELIVER,    /* follows what was heard before */
	LIVE_DUPLICATE,  /* heard already: pass it over */
	LIVE_STALE,      /* of a replaced reader: pass it over */
	LIVE_GAP,        /* frames are missing before (heartbeat: up to) it */
	LIVE_NEW_READER, /* another incarnation, or the first frame: GAP */
	LIVE_NEW_HISTORY /* another timeline or system: GAP */
} LiveVerdict;

typedef struct LiveChannel
{
	bool is_known; /* the numbers below hold */
	bool is_heard; /* since the last subscription */
	uint32_t timeline;
	uint64_t system_id;
	uint64_t incarnation;
	uint64_t number; /* of the last frame; 0: none yet */
	int64_t heard_us;
} LiveChannel;

/* What a frame says of itself: the header in redis_keys.h. */
typedef struct LiveStamp
{
	bool is_heartbeat;
	uint32_t timeline;
	uint64_t system_id;
	uint64_t incarnation;
	uint64_t number;
} LiveStamp;

void live_channel_init(LiveChannel *channel);

LiveVerdict live_channel_hear(LiveChannel *channel, const LiveStamp *stamp,
							  int64_t now_us);

/*
 * The connection was lost: the numbers still hold, since the next frame will
 * tell what was missed, but the channel is not alive until it is heard.
 */
void live_channel_unheard(LiveChannel *channel);

/*
 * True once when a channel has said nothing for LIVE_SILENCE_MS: it is
 * forgotten, and its next frame will be a NEW_READER.
 */
bool live_channel_expire(LiveChannel *channel, int64_t now_us);

/* Heard since the last subscription and not silent. */
bool live_channel_is_alive(const LiveChannel *channel, int64_t now_us);

#endif
