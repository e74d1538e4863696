#include "pg_slot.h"

#include <stdlib.h>
#include <string.h>

void
pg_slots_append(PgSlotList *list, PgSlot *slot)
{
	slot->next = NULL;
	if (list->tail != NULL)
		list->tail->next = slot;
	else
		list->head = slot;
	list->tail = slot;
	list->count++;
}

PgSlot *
pg_slots_shift(PgSlotList *list)
{
	PgSlot *slot = list->head;

	if (slot == NULL)
		return NULL;
	list->head = slot->next;
	if (list->head == NULL)
		list->tail = NULL;
	list->count--;
	slot->next = NULL;
	return slot;
}

void
pg_slot_answer(PgSlot *slot, PgOutcome outcome, const char *message)
{
	PgReply reply = {
		.outcome = outcome, .sqlstate = "", .message = message, .column = ""
	};
	Error line = { "" };

	if (slot->is_answered)
		return;
	slot->is_answered = true;
	if (outcome == PG_COMMITTED)
		reply.result = (const PgResult *) slot->result;
	if (outcome == PG_REFUSED)
	{
		const char *state = PQresultErrorField(slot->result, PG_DIAG_SQLSTATE);
		const char *column =
			PQresultErrorField(slot->result, PG_DIAG_COLUMN_NAME);
		const char *text =
			PQresultErrorField(slot->result, PG_DIAG_MESSAGE_PRIMARY);

		pg_first_line(&line, text ? text : PQresultErrorMessage(slot->result));
		reply.sqlstate = state ? state : "";
		reply.column = column ? column : "";
		reply.message = line.text;
	}
	slot->request.done(slot->request.arg, &reply);
}

void
pg_slot_reset(PgSlot *slot)
{
	PQclear(slot->result);
	slot->result = NULL;
	slot->is_failed = false;
	slot->is_preparing = false;
}

void
pg_slot_free(PgSlot *slot)
{
	PQclear(slot->result);
	pg_params_fini(&slot->request.params);
	free(slot);
}

void
pg_first_line(Error *err, const char *text)
{
	size_t len = strcspn(text, "\n");

	if (len == 0)
		error_set(err, "connection closed");
	else
		error_set(err, "%.*s", (int) len, text);
}
