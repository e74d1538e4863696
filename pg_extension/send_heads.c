#include "postgres.h"
#include "pgcompat.h"

#include "send_heads.h"

#include "common/hashfn.h"

/* A power of two: of two conversations in one place the later one stays. */
#define HEADS 4096

typedef struct Head
{
	pg_uuid_t conversation_id;
	int64 ev;
} Head;

static Head heads[HEADS];

static Head *
place_of(const pg_uuid_t *conversation_id)
{
	uint32 hash = hash_bytes(conversation_id->data, UUID_LEN);

	return &heads[hash & (HEADS - 1)];
}

int64
send_heads_hint(const pg_uuid_t *conversation_id)
{
	const Head *head = place_of(conversation_id);

	return memcmp(&head->conversation_id, conversation_id, UUID_LEN) == 0
			   ? head->ev
			   : 0;
}

void
send_heads_note(const pg_uuid_t *conversation_id, int64 ev)
{
	Head *head = place_of(conversation_id);

	head->conversation_id = *conversation_id;
	head->ev = ev;
}
