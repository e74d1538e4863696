#include "fanout_turn.h"

#include <stdlib.h>
#include <string.h>

#include "frames.h"
#include "xalloc.h"

#define POSITION_SIZE 80

/* What one conversation gathered. */
typedef struct TurnFrame
{
	struct TurnFrame *next;
	Conversation *conversation; /* NULL: it is gone */
	Buf text;
	char position[POSITION_SIZE];
} TurnFrame;

struct FanoutTurn
{
	const FanoutPorts *ports;
	void *arg;
	uint64_t *delivered;
	TurnFrame *dirty;
	TurnFrame *spare;
};

static TurnFrame *begin(FanoutTurn *turn, Conversation *conversation);
static void write_out(FanoutTurn *turn, TurnFrame *frame);

FanoutTurn *
fanout_turn_new(const FanoutPorts *ports, void *arg, uint64_t *delivered)
{
	FanoutTurn *turn = xcalloc(1, sizeof(*turn));

	turn->ports = ports;
	turn->arg = arg;
	turn->delivered = delivered;
	return turn;
}

void
fanout_turn_free(FanoutTurn **turn_ref)
{
	FanoutTurn *turn = *turn_ref;
	TurnFrame *frame;

	if (turn == NULL)
		return;
	*turn_ref = NULL;
	fanout_turn_flush(turn);
	while ((frame = turn->spare) != NULL)
	{
		turn->spare = frame->next;
		buf_fini(&frame->text);
		free(frame);
	}
	free(turn);
}

void
fanout_turn_append(FanoutTurn *turn, Conversation *conversation,
				   const Change *change)
{
	TurnFrame *frame = conversation->frame;

	if (frame == NULL)
		frame = begin(turn, conversation);
	else if (frame->text.len + change->json.len > FANOUT_FRAME_BYTES)
		write_out(turn, frame);
	if (frame->text.len == 0)
		frame_events_begin(&frame->text, &conversation->id);
	else
		buf_append_char(&frame->text, ',');
	buf_append(&frame->text, change->json.at, change->json.len);
	frame->position[0] = '\0';
	if (change->position != NULL)
		strncat(frame->position, change->position, POSITION_SIZE - 1);
}

void
fanout_turn_flush_one(FanoutTurn *turn, Conversation *conversation)
{
	if (conversation->frame != NULL)
		write_out(turn, conversation->frame);
}

void
fanout_turn_flush(FanoutTurn *turn)
{
	TurnFrame *frame;

	while ((frame = turn->dirty) != NULL)
	{
		turn->dirty = frame->next;
		write_out(turn, frame);
		if (frame->conversation != NULL)
			frame->conversation->frame = NULL;
		frame->conversation = NULL;
		frame->next = turn->spare;
		turn->spare = frame;
	}
}

void
fanout_turn_forget(Conversation *conversation)
{
	if (conversation->frame != NULL)
		conversation->frame->conversation = NULL;
}

static TurnFrame *
begin(FanoutTurn *turn, Conversation *conversation)
{
	TurnFrame *frame = turn->spare;

	if (frame != NULL)
		turn->spare = frame->next;
	else
	{
		frame = xcalloc(1, sizeof(*frame));
		buf_init(&frame->text);
	}
	buf_reset(&frame->text);
	frame->conversation = conversation;
	frame->next = turn->dirty;
	if (turn->dirty == NULL)
		turn->ports->dirty(turn->arg);
	turn->dirty = frame;
	conversation->frame = frame;
	return frame;
}

/* To all who are members now; the frame is empty then. */
static void
write_out(FanoutTurn *turn, TurnFrame *frame)
{
	Conversation *conversation = frame->conversation;
	Payload *payload;

	if (conversation == NULL || frame->text.len == 0)
		return;
	frame_events_end(&frame->text, frame->position);
	payload = payload_new(frame->text.data, frame->text.len);
	for (uint32_t i = 0; i < conversation->member_count; i++)
	{
		User *user = conversation->members[i]->user;

		for (Seat *seat = user->seats; seat != NULL; seat = seat->next)
		{
			turn->ports->deliver(turn->arg, seat, payload, &conversation->id);
			(*turn->delivered)++;
		}
	}
	payload_drop(payload);
	buf_reset(&frame->text);
}
