/*
 * live_frame - one message of a live channel (contract 6)
 *
 * The bytes that redis_keys.h describes: written by the relay's Redis sink,
 * read by the gateways.  A reader refuses the whole message before it gives
 * out its first event, and says why.
 *
 * Pure; allocates nothing.  Events borrow the message's bytes.
 */
#ifndef CHEMCHAT_LIVE_FRAME_H
#define CHEMCHAT_LIVE_FRAME_H

#include "event.h"
#include "redis_keys.h"

#define LIVE_EVENT_OVERHEAD 4
#define LIVE_CHANNEL_SIZE   24 /* of a channel's name, NUL included */

typedef struct LiveHeader
{
	bool is_heartbeat;
	uint16_t event_count;
	uint32_t timeline;
	uint64_t incarnation;
	uint64_t number;
	uint64_t system_id;
	uint64_t end_lsn;
} LiveHeader;

typedef struct LiveFrameReader
{
	LiveHeader header;
	const uint8_t *at;
	uint32_t left; /* events not yet given out */
	const char *reason;
} LiveFrameReader;

/* Writes LIVE_HEADER_SIZE bytes. */
void live_frame_write_header(uint8_t *out, const LiveHeader *header);

/* False with reader->reason set unless all of it is well-formed. */
bool live_frame_init(LiveFrameReader *reader, const uint8_t *bytes, size_t len);

/* The next event; false when there is no more. */
bool live_frame_next(LiveFrameReader *reader, Event *event);

/* The channel (0..63) of a key of 16 bytes. */
int live_channel_of(const uint8_t *key);

/* Its name. */
void live_channel_name(int channel, char out[LIVE_CHANNEL_SIZE]);

/* The channel of a name, or -1. */
int live_channel_parse(const char *name, size_t len);

#endif
