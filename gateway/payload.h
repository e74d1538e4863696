/*
 * payload - the bytes of one frame, shared by every socket they go to
 *
 * Encoded once, then only counted.  PAYLOAD_HEADROOM bytes before the text are
 * the transport's: ws writes the frame's head there, the same bytes for every
 * socket.
 *
 * One thread.  payload_take begins an ownership, payload_drop ends one.
 */
#ifndef CHEMCHAT_PAYLOAD_H
#define CHEMCHAT_PAYLOAD_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"

#define PAYLOAD_HEADROOM 16

typedef struct Payload
{
	uint32_t refs;
	uint32_t len;
	unsigned char bytes[]; /* headroom, then len bytes of text */
} Payload;

/* Copies the text; the caller owns the first reference. */
Payload *payload_new(const char *text, size_t len);

static inline unsigned char *
payload_text(Payload *payload)
{
	return payload->bytes + PAYLOAD_HEADROOM;
}

Payload *payload_take(Payload *payload);
void payload_drop(Payload *payload);

#endif
