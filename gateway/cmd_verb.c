/*
 * cmd_verb - a verb that is one function of the database
 */
#include "command.h"
#include "frames.h"
#include "xalloc.h"

#include <stdlib.h>

/* Waits for the answer. */
typedef struct Asked
{
	Request *request;
	const Verb *verb;
} Asked;

static void on_answer(void *arg, const DbError *error, const DbAnswer *answer);

void
cmd_verb(const CommandArgs *args)
{
	Request *request = command_begin(args);
	Asked *asked;

	if (request == NULL)
		return;
	asked = xcalloc(1, sizeof(*asked));
	asked->request = request;
	asked->verb = args->verb;
	db_call(args->chat->db, args->verb, &session_user(args->session)->id,
			args->values, NULL, on_answer, asked);
}

static void
on_answer(void *arg, const DbError *error, const DbAnswer *answer)
{
	Asked *asked = arg;
	Request *request = asked->request;
	Payload *frame = NULL;

	if (answer != NULL && request->session != NULL)
		frame = frame_answer(request->ref, asked->verb->answer, answer->fields);
	command_answer(request->detail, request, error, frame);
	free(asked);
}
