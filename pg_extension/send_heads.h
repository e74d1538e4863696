/*
 * send_heads - where this session last saw the end of a conversation
 *
 * A hint for the look-up of a head: asked for the entries from a known one on,
 * the index reads those; asked for the last one, it reads the whole leaf.
 *
 * Only a hint.  It is too low when others have written since, which costs
 * nothing, and too high when what was noted has been rolled back: then nothing
 * is found from there on, and the look-up is repeated without it.
 */
#ifndef CHEMCHAT_SEND_HEADS_H
#define CHEMCHAT_SEND_HEADS_H

#include "utils/uuid.h"

/* An ev to look from; 0 when there is none. */
extern int64 send_heads_hint(const pg_uuid_t *conversation_id);

extern void send_heads_note(const pg_uuid_t *conversation_id, int64 ev);

#endif
