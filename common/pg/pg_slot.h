/*
 * pg_slot - one request of a connection, queued or on the server
 *
 * For pg_conn.c alone.  Lists are first in, first out.
 */
#ifndef CHEMCHAT_PG_SLOT_H
#define CHEMCHAT_PG_SLOT_H

#include <libpq-fe.h>

#include "pg_conn.h"

typedef struct PgSlot
{
	struct PgSlot *next;
	PgRequest request;
	PGresult *result;  /* the statement's, or its error's */
	bool is_preparing; /* the next result is of its statement's PREPARE */
	bool is_failed;
	bool is_answered; /* called back already (deadline) */
	int64_t sent_us;
} PgSlot;

typedef struct PgSlotList
{
	PgSlot *head;
	PgSlot *tail;
	int count;
} PgSlotList;

void pg_slots_append(PgSlotList *list, PgSlot *slot);

/* NULL when empty. */
PgSlot *pg_slots_shift(PgSlotList *list);

/* Calls back, once; what comes later is dropped. */
void pg_slot_answer(PgSlot *slot, PgOutcome outcome, const char *message);

/* Forgets what came, for another try. */
void pg_slot_reset(PgSlot *slot);
void pg_slot_free(PgSlot *slot);

/* libpq's messages have several lines; a log line has one. */
void pg_first_line(Error *err, const char *text);

#endif
