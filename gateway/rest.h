/*
 * rest - the verbs over HTTP (docs/openapi.yaml)
 *
 * A request finds its verb, its user (Authorization: Bearer), her limits and
 * scopes, and its arguments; then its handler answers it, once, perhaps after
 * the database did.  What is written is answered after COMMIT.  Errors are
 * problem documents with the WebSocket's codes.
 *
 * One thread, that of the loop.
 */
#ifndef CHEMCHAT_REST_H
#define CHEMCHAT_REST_H

#include <jansson.h>

#include "chat.h"
#include "http_request.h"
#include "problem.h"
#include "verb_args.h"

typedef struct Rest Rest;

/* One request under way; of its handler until answered. */
typedef struct RestCall
{
	Rest *rest;
	Chat *chat;
	HttpRequest *request;
	const Verb *verb;
	Identity identity; /* of a verb that is not public */
	VerbValues values;
	json_t *args; /* the values borrow from it */
	int64_t began_us;
} RestCall;

typedef void (*RestHandlerFn)(RestCall *take_call);

Rest *rest_new(Chat *chat);

/* Nothing may be under way any more. */
void rest_free(Rest **rest);

/* DoorConfig.request; arg is the Rest. */
void rest_request(void *arg, HttpRequest *take_request);

/* DoorConfig.methods: what may be asked of that path, OPTIONS at least. */
void rest_methods(Slice path, char methods[HTTP_METHODS_SIZE]);

/* Requests that are not answered yet. */
int rest_busy(const Rest *rest);

/* Whose handler is elsewhere; a verb without one does not exist. */
void rest_set_handler(Rest *rest, VerbHandler handler, RestHandlerFn run);

/* For the handlers: each ends the call. */

/* fields: JSON without braces.  etag: NULL, or with its quotes. */
void rest_answer(RestCall *take_call, int status, const Buf *fields,
				 const char *etag);
void rest_answer_document(RestCall *take_call, const char *content_type,
						  const char *etag, const char *text, size_t len);
void rest_not_modified(RestCall *take_call, const char *etag);
void rest_refuse(RestCall *take_call, const char *code, const char *field);
void rest_refuse_with(RestCall *take_call, const Problem *problem);

const VerbValue *rest_value(const RestCall *call, const char *name);

void rest_verb(RestCall *take_call);
void rest_send(RestCall *take_call);
void rest_mark(RestCall *take_call);
void rest_limits(RestCall *take_call);
void rest_document(RestCall *take_call);

#endif
