#include "rest.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "frames.h"
#include "long_poll.h"
#include "rest_args.h"
#include "xalloc.h"

struct Rest
{
	Chat *chat;
	int busy;
	RestHandlerFn handlers[VERB_HANDLERS];
};

static bool has_query(const void *arg, const char *name);
static bool has_no_query(const void *arg, const char *name);
static void refuse_route(RestCall *take_call, const char *allowed);
static void on_identity(void *arg, AuthVerdict verdict,
						const Identity *identity);
static bool take_turn(RestCall *call, int64_t *retry_ms);
static void run(RestCall *take_call);
static void finish(RestCall *take_call, int status, const char *content_type,
				   const HttpHeader *headers, int header_count, Buf *take_body);

Rest *
rest_new(Chat *chat)
{
	Rest *rest = xcalloc(1, sizeof(*rest));

	rest->chat = chat;
	rest->handlers[VERB_SQL] = rest_verb;
	rest->handlers[VERB_SEND] = rest_send;
	rest->handlers[VERB_MARK] = rest_mark;
	rest->handlers[VERB_EVENTS] = rest_events;
	rest->handlers[VERB_LIMITS] = rest_limits;
	rest->handlers[VERB_DOCUMENT] = rest_document;
	return rest;
}

void
rest_free(Rest **rest)
{
	if (*rest == NULL)
		return;
	assert((*rest)->busy == 0);
	free(*rest);
	*rest = NULL;
}

int
rest_busy(const Rest *rest)
{
	return rest->busy;
}

void
rest_set_handler(Rest *rest, VerbHandler handler, RestHandlerFn handler_run)
{
	rest->handlers[handler] = handler_run;
}

void
rest_request(void *arg, HttpRequest *take_request)
{
	Rest *rest = arg;
	RestCall *call = xcalloc(1, sizeof(*call));
	const char *method = http_request_method(take_request) == HTTP_HEAD
							 ? "GET"
							 : http_request_method_name(take_request);
	char allowed[HTTP_METHODS_SIZE];
	Slice token;

	rest->busy++;
	rest->chat->counts.requests++;
	call->rest = rest;
	call->chat = rest->chat;
	call->request = take_request;
	call->began_us = clock_now_us();
	call->verb =
		verb_of_request(method, http_request_path(take_request), has_query,
						take_request, allowed, sizeof(allowed));
	if (call->verb == NULL || rest->handlers[call->verb->handler] == NULL)
		refuse_route(call, allowed);
	else if (call->verb->flags & VERB_PUBLIC)
		run(call);
	else if (rest->chat->is_draining)
		rest_refuse(call, "unavailable", "");
	else
	{
		token = http_request_token(take_request);
		auth_check(rest->chat->auth, token.len > 0 ? token.at : "", token.len,
				   on_identity, call);
	}
}

void
rest_methods(Slice path, char methods[HTTP_METHODS_SIZE])
{
	size_t len;

	(void) verb_of_request("OPTIONS", path, has_no_query, NULL, methods,
						   HTTP_METHODS_SIZE);
	len = strlen(methods);
	(void) snprintf(methods + len, HTTP_METHODS_SIZE - len, "%sOPTIONS",
					len > 0 ? ", " : "");
}

void
rest_answer(RestCall *take_call, int status, const Buf *fields,
			const char *etag)
{
	HttpHeader header = { "ETag", etag };
	Buf body;

	buf_init(&body);
	buf_append_char(&body, '{');
	buf_append(&body, fields->data, fields->len);
	buf_append_str(&body, "}\n");
	finish(take_call, status, "application/json", &header, etag != NULL, &body);
	buf_fini(&body);
}

void
rest_answer_document(RestCall *take_call, const char *content_type,
					 const char *etag, const char *text, size_t len)
{
	HttpHeader headers[] = { { "ETag", etag },
							 { "Cache-Control", "no-cache" } };
	Buf body;

	buf_init(&body);
	buf_append(&body, text, len);
	finish(take_call, 200, content_type, headers, 2, &body);
	buf_fini(&body);
}

void
rest_not_modified(RestCall *take_call, const char *etag)
{
	HttpHeader header = { "ETag", etag };

	finish(take_call, 304, NULL, &header, 1, NULL);
}

void
rest_refuse(RestCall *take_call, const char *code, const char *field)
{
	Problem problem = { .code = code, .field = field, .offset = -1 };

	rest_refuse_with(take_call, &problem);
}

void
rest_refuse_with(RestCall *take_call, const Problem *problem)
{
	int64_t retry_ms = problem->retry_ms > 0
						   ? problem->retry_ms
						   : frame_error_retry_ms(problem->code);
	int status = problem->status != 0
					 ? problem->status
					 : problem_status(problem->code, problem->field);
	HttpHeader headers[2];
	int count = 0;
	char seconds[24];
	Buf body;

	take_call->chat->counts.refused++;
	if (status == 401)
		headers[count++] = (HttpHeader){ "WWW-Authenticate", "Bearer" };
	if (status == 405)
		headers[count++] = (HttpHeader){ "Allow", problem->detail };
	if (retry_ms > 0)
	{
		(void) snprintf(seconds, sizeof(seconds), "%lld",
						(long long) (retry_ms + 999) / 1000);
		headers[count++] = (HttpHeader){ "Retry-After", seconds };
	}
	buf_init(&body);
	problem_write(problem, &body);
	buf_append_char(&body, '\n');
	finish(take_call, status, PROBLEM_TYPE, headers, count, &body);
	buf_fini(&body);
}

const VerbValue *
rest_value(const RestCall *call, const char *name)
{
	const VerbValue *value = verb_value(call->verb, &call->values, name);

	assert(value != NULL);
	return value;
}

static bool
has_query(const void *arg, const char *name)
{
	char byte[1];

	return http_request_query_value(arg, name, byte, sizeof(byte)) !=
		   QUERY_NONE;
}

static bool
has_no_query(const void *arg, const char *name)
{
	(void) arg;
	(void) name;
	return false;
}

static void
refuse_route(RestCall *take_call, const char *allowed)
{
	Problem problem = { .code = "unknown_type", .offset = -1 };

	if (allowed[0] != '\0' && take_call->verb == NULL)
	{
		problem.status = 405;
		problem.detail = allowed;
	}
	rest_refuse_with(take_call, &problem);
}

static void
on_identity(void *arg, AuthVerdict verdict, const Identity *identity)
{
	RestCall *call = arg;
	Problem problem = { .code = "rate_limited", .offset = -1 };

	if (verdict == AUTH_UNAVAILABLE)
		rest_refuse(call, "unavailable", "");
	else if (verdict == AUTH_REFUSED)
		rest_refuse(call, "invalid_token", "");
	else
	{
		call->identity = *identity;
		if (!take_turn(call, &problem.retry_ms))
		{
			call->chat->counts.rate_limited++;
			rest_refuse_with(call, &problem);
		}
		else if (!auth_allows(identity, call->verb->scope))
			rest_refuse(call, "forbidden", "");
		else
			run(call);
	}
}

static bool
take_turn(RestCall *call, int64_t *retry_ms)
{
	int64_t now_us = clock_now_us();
	UserLimit *limit =
		user_limits_of(call->chat->limits, &call->identity.user_id, now_us);

	if (!rate_limit_take(&limit->requests, &call->chat->ask_rule, now_us,
						 retry_ms))
		return false;
	return call->verb->handler != VERB_SQL ||
		   (call->verb->flags & VERB_WRITES) != 0 ||
		   admission_read(&call->chat->admission,
						  db_reads_waiting(call->chat->db), retry_ms);
}

static void
run(RestCall *take_call)
{
	const Verb *verb = take_call->verb;
	Problem problem = { .code = "bad_frame", .offset = -1 };
	VerbRefusal refusal;

	take_call->args = rest_args_read(take_call->request, verb, &problem);
	if (take_call->args == NULL)
	{
		rest_refuse_with(take_call, &problem);
		return;
	}
	if (!verb_values_init(&take_call->values, verb, take_call->args, &refusal))
	{
		rest_refuse(take_call, refusal.code,
					rest_args_name(verb, refusal.field));
		return;
	}
	take_call->rest->handlers[verb->handler](take_call);
}

static void
finish(RestCall *take_call, int status, const char *content_type,
	   const HttpHeader *headers, int header_count, Buf *take_body)
{
	http_request_answer(&take_call->request, status, content_type, headers,
						header_count, take_body);
	take_call->rest->busy--;
	verb_values_fini(&take_call->values);
	json_decref(take_call->args);
	free(take_call);
}
