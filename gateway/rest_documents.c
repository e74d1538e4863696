/*
 * rest_documents - what describes us, over HTTP
 *
 * The specifications are part of the program: what it serves is what it does.
 */
#include <stdio.h>

#include "documents.h"
#include "etag.h"
#include "frames.h"
#include "rest.h"

void
rest_limits(RestCall *take_call)
{
	const Chat *chat = take_call->chat;
	Buf fields;

	buf_init(&fields);
	buf_printf(&fields,
			   "\"bodyBytes\":%d,\"frameBytes\":%d,\"sendsPerSecond\":%lld,"
			   "\"sendsBurst\":%lld,\"requestsPerSecond\":%lld,"
			   "\"requestsBurst\":%lld,\"connectionsPerUser\":%d,"
			   "\"requestsPerConnection\":%d,\"pingMs\":%d",
			   FRAME_BODY_MAX, FRAME_TEXT_MAX,
			   (long long) chat->send_rule.per_second,
			   (long long) chat->send_rule.burst,
			   (long long) chat->ask_rule.per_second,
			   (long long) chat->ask_rule.burst, chat->user_connections_max,
			   SESSION_REQUESTS_MAX, FRAME_PING_MS);
	rest_answer(take_call, 200, &fields, NULL);
	buf_fini(&fields);
}

void
rest_document(RestCall *take_call)
{
	const Document *document =
		document_find(http_request_path(take_call->request));
	char etag[ETAG_SIZE];

	if (document == NULL)
	{
		rest_refuse(take_call, "not_found", "");
		return;
	}
	etag_of(document->text, document->len, etag);
	if (etag_is_in(http_request_header(take_call->request, HTTP_IF_NONE_MATCH),
				   etag))
		rest_not_modified(take_call, etag);
	else
		rest_answer_document(take_call, document->type, etag, document->text,
							 document->len);
}
