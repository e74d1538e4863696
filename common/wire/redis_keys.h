/*
 * redis_keys - live delivery through Redis (contract 6)
 *
 * The live slot's reader publishes on 64 channels, chosen by the hash of the
 * event's key as partition.h computes it over 64.  Each is a sharded channel
 * (SPUBLISH, SSUBSCRIBE) with a hash tag of its own.
 *
 *   {chemchat:<n>}:live            n = 0..63
 *
 * One message, big-endian:
 *
 *   offset size
 *        0    1  version, LIVE_VERSION
 *        1    1  kind: LIVE_EVENTS or LIVE_HEARTBEAT
 *        2    2  number of events (0 in a heartbeat)
 *        4    4  timeline
 *        8    8  incarnation of the reader: grows with every start
 *       16    8  number: 1.. per channel and incarnation for LIVE_EVENTS; a
 *                heartbeat repeats the last one (0 = none yet)
 *       24    8  system id
 *       32    8  end LSN of the transaction (heartbeat: of the last one seen)
 *       40    -  events, each: 4 length, event record (event.h)
 *
 * Every channel has a heartbeat each second.  A gateway that sees a hole in
 * the numbers, a new incarnation or 3 s of silence repairs the channel by
 * live_heads before it delivers anything newer.
 *
 *   {chemchat:live}:incarnation    string: the highest one ever taken
 *
 * A reader takes max(its clock in microseconds, that + 1), so it grows also
 * when a clock does not.
 */
#ifndef CHEMCHAT_REDIS_KEYS_H
#define CHEMCHAT_REDIS_KEYS_H

#define LIVE_CHANNELS        64
#define LIVE_CHANNEL_FORMAT  "{chemchat:%d}:live"
#define LIVE_INCARNATION_KEY "{chemchat:live}:incarnation"
#define LIVE_VERSION         1
#define LIVE_HEADER_SIZE     40
#define LIVE_EVENTS          'e'
#define LIVE_HEARTBEAT       'h'
#define LIVE_HEARTBEAT_MS    1000
#define LIVE_SILENCE_MS      3000

#endif
