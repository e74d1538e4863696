/*
 * frames - what the server says (docs/protocol.md, "Server to client")
 *
 * Each returns a finished frame that the caller owns.  `ref` is the request's,
 * as it came, or "".  Pure.
 */
#ifndef CHEMCHAT_FRAMES_H
#define CHEMCHAT_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "payload.h"
#include "uuid.h"

#define FRAME_PING_MS  25000
#define FRAME_BODY_MAX 16384
#define FRAME_TEXT_MAX 65536

typedef struct FrameWelcome
{
	const Uuid *user_id;
	const Uuid *session_id;
	const char *position;
	bool is_reset;
} FrameWelcome;

typedef struct FrameOk
{
	const Uuid *id;
	uint64_t seq;
	uint64_t ev;
	uint64_t rev;
	int64_t created_us; /* since 1970 */
	bool is_duplicate;
	const char *position;
} FrameOk;

Payload *frame_welcome(const char *ref, const FrameWelcome *welcome);
Payload *frame_ok(const char *ref, const FrameOk *ok);

/* The fields alone, without braces. */
void frame_ok_fields(Buf *out, const FrameOk *ok);

/* field: "" for none; retry_after_ms: 0 for none. */
Payload *frame_error(const char *ref, const char *code, const char *field,
					 int64_t retry_after_ms);

/* An answer whose fields are JSON already: `"a":1,"b":[]`. */
Payload *frame_answer(const char *ref, const char *type, const Buf *fields);
Payload *frame_pong(const char *ref);

Payload *frame_added(const Uuid *conversation_id, uint64_t ev, uint64_t seq);
Payload *frame_removed(const Uuid *conversation_id);

/* Somebody asks her in. */
Payload *frame_invited(const Uuid *conversation_id);

/*
 * count 0: events of more conversations than were remembered.
 * is_state_lost: also a frame of state was.
 */
Payload *frame_lag(const Uuid *conversation_ids, int count, bool is_state_lost);
Payload *frame_reset(const char *position);
Payload *frame_bye(const char *reason, int64_t retry_after_ms);

/* An events frame: begin, events with commas between them, end. */
void frame_events_begin(Buf *out, const Uuid *conversation_id);
void frame_events_end(Buf *out, const char *position);

/* A state frame: begin, events with commas between them, end. */
void frame_state_begin(Buf *out);
void frame_state_end(Buf *out);

/* `,"name":"text"`; nothing when text is "". */
void frame_text_field(Buf *out, const char *name, const char *text);

/* When to try again after this error; 0: that is not said. */
int64_t frame_error_retry_ms(const char *code);

/* The message in words that goes with a code. */
const char *frame_error_message(const char *code);

#endif
