#include "rest_args.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "strict_json.h"

#define VALUE_MAX 8192 /* of a path's segment or a query's value */

static bool read_body(const HttpRequest *request, json_t **object,
					  Problem *problem);
static bool is_json(Slice content_type);
static bool put_argument(const HttpRequest *request, const Verb *verb,
						 const VerbArg *arg, json_t *object);
static bool put_header(Slice header, const VerbArg *arg, json_t *object);
static bool put_text(const VerbArg *arg, const char *text, json_t *object);
static json_t *number_of(const char *text);
static json_t *list_of(const char *text);

json_t *
rest_args_read(const HttpRequest *request, const Verb *verb, Problem *problem)
{
	json_t *object = NULL;

	if (!read_body(request, &object, problem))
		return NULL;
	for (const VerbArg *arg = verb->args; arg->kind != VERB_NONE; arg++)
	{
		if (arg->place != VERB_BODY && arg->place != VERB_MATCH)
			json_object_del(object, arg->name);
		if (put_argument(request, verb, arg, object))
			continue;
		problem->code = "invalid_argument";
		problem->field = rest_args_name(verb, arg->name);
		json_decref(object);
		return NULL;
	}
	return object;
}

const char *
rest_args_name(const Verb *verb, const char *field)
{
	for (const VerbArg *arg = verb->args; arg->kind != VERB_NONE; arg++)
	{
		if (arg->place == VERB_KEY && strcmp(arg->name, field) == 0)
			return "Idempotency-Key";
	}
	return field;
}

/* An empty object when there is no body; a GET's is not looked at. */
static bool
read_body(const HttpRequest *request, json_t **object, Problem *problem)
{
	Slice body = http_request_body(request);
	size_t offset;

	if (body.len == 0 || http_request_method(request) == HTTP_GET ||
		http_request_method(request) == HTTP_HEAD)
	{
		*object = json_object();
		return true;
	}
	problem->code = "bad_frame";
	if (!is_json(http_request_header(request, HTTP_CONTENT_TYPE)))
	{
		problem->status = 415;
		problem->detail = "a body is application/json";
		return false;
	}
	*object = strict_json_object(body.at, body.len, &offset);
	if (*object != NULL)
		return true;
	problem->offset = (int64_t) offset;
	problem->detail = "the body is no JSON object, or not a strict one";
	return false;
}

static bool
is_json(Slice content_type)
{
	static const char json[] = "application/json";
	size_t len = sizeof(json) - 1;

	return content_type.len >= len &&
		   strncasecmp(content_type.at, json, len) == 0 &&
		   (content_type.len == len || content_type.at[len] == ';' ||
			content_type.at[len] == ' ');
}

/* False when it is there and malformed. */
static bool
put_argument(const HttpRequest *request, const Verb *verb, const VerbArg *arg,
			 json_t *object)
{
	char text[VALUE_MAX];

	switch (arg->place)
	{
		case VERB_PATH:
			return http_request_segment(request, verb_segment(verb, arg->name),
										text, sizeof(text)) &&
				   put_text(arg, text, object);
		case VERB_QUERY:
			switch (http_request_query_value(request, arg->name, text,
											 sizeof(text)))
			{
				case QUERY_NONE:
					return true;
				case QUERY_FOUND:
					return put_text(arg, text, object);
				case QUERY_BAD:
					break;
			}
			return false;
		case VERB_KEY:
			return put_header(http_request_header(request,
												  HTTP_IDEMPOTENCY_KEY),
							  arg, object);
		case VERB_MATCH:
			return put_header(http_request_header(request, HTTP_IF_MATCH), arg,
							  object);
		case VERB_BODY:
		case VERB_FRAME:
			break;
	}
	return true;
}

/* With or without quotes: the drafts of Idempotency-Key went both ways. */
static bool
put_header(Slice header, const VerbArg *arg, json_t *object)
{
	char text[VALUE_MAX];

	if (header.at == NULL ||
		(arg->place == VERB_MATCH && slice_is(header, "*")))
		return true;
	if (header.len >= 2 && header.at[0] == '"' &&
		header.at[header.len - 1] == '"')
	{
		header.at++;
		header.len -= 2;
	}
	if (header.len >= sizeof(text))
		return false;
	memcpy(text, header.at, header.len);
	text[header.len] = '\0';
	return put_text(arg, text, object);
}

static bool
put_text(const VerbArg *arg, const char *text, json_t *object)
{
	json_t *value;

	switch (arg->kind)
	{
		case VERB_INT:
			value = number_of(text);
			break;
		case VERB_BOOL:
			value = strcmp(text, "true") == 0    ? json_true()
					: strcmp(text, "false") == 0 ? json_false()
												 : NULL;
			break;
		case VERB_UUIDS:
			value = list_of(text);
			break;
		case VERB_UUID:
		case VERB_TEXT:
		case VERB_TIME:
		case VERB_NONE:
		case VERB_JSON:
		default:
			value = json_string(text); /* NULL when it is no UTF-8 */
			break;
	}
	return value != NULL && json_object_set_new(object, arg->name, value) == 0;
}

/* Digits, as many as fit below 2^63; NULL for anything else. */
static json_t *
number_of(const char *text)
{
	size_t len = strlen(text);

	if (len == 0 || len > 18 || strspn(text, "0123456789") != len)
		return NULL;
	return json_integer((json_int_t) strtoll(text, NULL, 10));
}

static json_t *
list_of(const char *text)
{
	json_t *list = json_array();

	while (*text != '\0')
	{
		size_t len = strcspn(text, ",");
		json_t *item = json_stringn(text, len);

		if (item == NULL || json_array_append_new(list, item) != 0)
		{
			json_decref(list);
			return NULL;
		}
		text += len;
		text += *text == ',';
	}
	return list;
}
