/*
 * fanout_turn - what each conversation gathered in this turn of the loop
 *
 * A conversation's events leave in one frame, encoded once, to all who are its
 * members at that moment: at the turn's end, before somebody leaves, or when
 * FANOUT_FRAME_BYTES are together.  Of a conversation that is forgotten nothing
 * leaves any more.
 *
 * Frames go out through the fan-out's ports.  One thread.
 */
#ifndef CHEMCHAT_FANOUT_TURN_H
#define CHEMCHAT_FANOUT_TURN_H

#include "fanout.h"
#include "fanout_change.h"

typedef struct FanoutTurn FanoutTurn;

/* Borrows the ports; counts the frames given to sockets in *delivered. */
FanoutTurn *fanout_turn_new(const FanoutPorts *ports, void *arg,
							uint64_t *delivered);

/* Flushes. */
void fanout_turn_free(FanoutTurn **turn);

void fanout_turn_append(FanoutTurn *turn, Conversation *conversation,
						const Change *change);
void fanout_turn_flush_one(FanoutTurn *turn, Conversation *conversation);
void fanout_turn_flush(FanoutTurn *turn);

/* The conversation goes; what it gathered with it. */
void fanout_turn_forget(Conversation *conversation);

#endif
