#include "http_request.h"

#include <stdlib.h>
#include <string.h>

#include "hex.h"
#include "http_request_private.h"
#include "xalloc.h"

struct HttpRequest
{
	struct HttpConn *conn; /* NULL: the client is gone */
	HttpAnswerFn answer;
	void (*gone)(void *arg);
	void *arg;
	Buf bytes;
	HttpHead head;
	char peer[ADDRESS_TEXT_SIZE];
};

static bool decode(Slice text, bool plus_is_blank, char *out, size_t size);

HttpRequest *
http_request_new(struct HttpConn *conn, HttpAnswerFn answer, Buf *take_bytes,
				 const HttpHead *head, const Address *peer)
{
	HttpRequest *request = xcalloc(1, sizeof(*request));

	request->conn = conn;
	request->answer = answer;
	request->bytes = *take_bytes;
	*take_bytes = (Buf){ 0 };
	request->head = *head;
	(void) address_format(peer, request->peer);
	return request;
}

void
http_request_set_gone(HttpRequest *request)
{
	void (*gone)(void *arg) = request->gone;

	request->conn = NULL;
	request->gone = NULL;
	if (gone != NULL)
		gone(request->arg);
}

HttpMethod
http_request_method(const HttpRequest *request)
{
	return request->head.method;
}

const char *
http_request_method_name(const HttpRequest *request)
{
	return http_method_name(request->head.method);
}

Slice
http_request_path(const HttpRequest *request)
{
	return request->head.path;
}

Slice
http_request_header(const HttpRequest *request, HttpField field)
{
	return request->head.field[field];
}

Slice
http_request_body(const HttpRequest *request)
{
	Slice body = { request->bytes.data + request->head.size,
				   request->head.body_len };

	return body;
}

const char *
http_request_peer(const HttpRequest *request)
{
	return request->peer;
}

Slice
http_request_token(const HttpRequest *request)
{
	return request->head.token;
}

bool
http_request_segment(const HttpRequest *request, int index, char *out,
					 size_t size)
{
	Slice rest = request->head.path; /* begins with '/' */

	while (rest.len > 0)
	{
		const char *slash;
		Slice segment = { rest.at + 1, rest.len - 1 };

		slash = memchr(segment.at, '/', segment.len);
		if (slash != NULL)
			segment.len = (size_t) (slash - segment.at);
		if (index-- == 0)
			return decode(segment, false, out, size);
		rest.at += segment.len + 1;
		rest.len -= segment.len + 1;
	}
	return false;
}

QueryValue
http_request_query_value(const HttpRequest *request, const char *name,
						 char *out, size_t size)
{
	Slice rest = request->head.query;
	size_t name_len = strlen(name);
	QueryValue verdict = QUERY_NONE;

	while (rest.len > 0)
	{
		const char *end = memchr(rest.at, '&', rest.len);
		Slice pair = { rest.at, end ? (size_t) (end - rest.at) : rest.len };
		size_t used = end ? pair.len + 1 : pair.len;

		if (pair.len >= name_len && memcmp(pair.at, name, name_len) == 0 &&
			(pair.len == name_len || pair.at[name_len] == '='))
		{
			Slice value = { pair.at + name_len, pair.len - name_len };

			if (value.len > 0)
			{
				value.at++;
				value.len--;
			}
			/* Twice: which one counts is anybody's guess, so none does. */
			if (verdict != QUERY_NONE || !decode(value, true, out, size))
				return QUERY_BAD;
			verdict = QUERY_FOUND;
		}
		rest.at += used;
		rest.len -= used;
	}
	return verdict;
}

void
http_request_answer(HttpRequest **request_ref, int status,
					const char *content_type, const HttpHeader *headers,
					int header_count, Buf *take_body)
{
	HttpRequest *request = *request_ref;

	*request_ref = NULL;
	if (request->conn != NULL)
	{
		HttpAnswer answer = { .status = status,
							  .content_type = content_type,
							  .headers = headers,
							  .header_count = header_count };

		answer.body_len = take_body != NULL ? take_body->len : 0;
		answer.is_body_cut = request->head.method == HTTP_HEAD;
		answer.origin = request->head.field[HTTP_ORIGIN];
		request->answer(request->conn, &answer, take_body);
	}
	if (take_body != NULL)
		buf_fini(take_body);
	buf_fini(&request->bytes);
	free(request);
}

void
http_request_on_gone(HttpRequest *request, void (*gone)(void *arg), void *arg)
{
	request->gone = gone;
	request->arg = arg;
}

/* RFC 3986 2.1; in a query a blank may be '+', as forms write it. */
static bool
decode(Slice text, bool plus_is_blank, char *out, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < text.len; i++)
	{
		int c = (unsigned char) text.at[i];

		if (c == '%')
		{
			int high = i + 2 < text.len ? hex_digit(text.at[i + 1]) : -1;
			int low = i + 2 < text.len ? hex_digit(text.at[i + 2]) : -1;

			if (high < 0 || low < 0)
				return false;
			c = high << 4 | low;
			i += 2;
		}
		else if (c == '+' && plus_is_blank)
			c = ' ';
		if (c == '\0' || used + 1 >= size)
			return false;
		out[used++] = (char) c;
	}
	if (size == 0)
		return false;
	out[used] = '\0';
	return true;
}
