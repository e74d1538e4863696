/*
 * awaited - commits of ours that the live channels should tell of soon
 *
 * A relay that died says nothing: only after seconds of silence does the
 * gateway poll.  What this gateway committed itself it need not wait that long
 * for: each commit stands here for AWAITED_MS, and is then hinted to the
 * fan-out, which pulls when it has not heard of it (fanout_hint).
 *
 * First in, first out; beyond AWAITED_MAX a commit is not noted, and comes
 * when the silence is noticed.  Pure.  One thread.
 */
#ifndef CHEMCHAT_AWAITED_H
#define CHEMCHAT_AWAITED_H

#include <stdbool.h>
#include <stdint.h>

#include "uuid.h"

#define AWAITED_MS  200
#define AWAITED_MAX 16384

typedef struct Awaited Awaited;

Awaited *awaited_new(void);
void awaited_free(Awaited **awaited);

void awaited_add(Awaited *awaited, const Uuid *conversation_id, uint64_t ev,
				 int64_t now_us);

/* Takes the next one whose time is over; false when there is none. */
bool awaited_next(Awaited *awaited, int64_t now_us, Uuid *conversation_id,
				  uint64_t *ev);

#endif
