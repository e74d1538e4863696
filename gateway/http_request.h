/*
 * http_request - one request of the REST API, from its arrival to its answer
 *
 * The door hands over each request for a path under /v1/ (but /v1/ws) and for
 * the specifications, complete with its body, checked as far as HTTP goes:
 * known method, one Host, at most HTTP_BODY_MAX bytes of body, no transfer
 * coding.  Whoever took it answers it exactly once, then or later (a database,
 * a long poll); also when the client is gone meanwhile, and the answer then
 * goes nowhere.  Until then everything that is read from it stays.
 *
 * Requests of one connection come one after the other; the next is read when
 * this one is answered, and never handed over from within the answering.  The connection's keep-alive is the door's business.
 */
#ifndef CHEMCHAT_HTTP_REQUEST_H
#define CHEMCHAT_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "slice.h"

#define HTTP_BODY_MAX (64 * 1024)

typedef struct HttpRequest HttpRequest;

#define HTTP_METHODS_SIZE 64 /* of a list of them */

typedef enum HttpMethod
{
	HTTP_GET,
	HTTP_HEAD, /* answered as GET; the door leaves the body out */
	HTTP_POST,
	HTTP_PUT,
	HTTP_PATCH,
	HTTP_DELETE,
	HTTP_OPTIONS, /* the door's own: never handed over */
	HTTP_QUERY    /* known, and nowhere served: 405 with what is */
} HttpMethod;

/* Headers that are given on; one that came twice was refused by the door. */
typedef enum HttpField
{
	HTTP_AUTHORIZATION, /* the whole value: "Bearer x.y.z" */
	HTTP_IDEMPOTENCY_KEY,
	HTTP_IF_NONE_MATCH,
	HTTP_IF_MATCH,
	HTTP_CONTENT_TYPE,
	HTTP_ACCEPT,
	HTTP_ORIGIN,
	HTTP_TRACEPARENT,
	HTTP_USER_AGENT,
	HTTP_FIELDS
} HttpField;

/* A header of an answer; neither may hold a control character. */
typedef struct HttpHeader
{
	const char *name;
	const char *value;
} HttpHeader;

/* What came.  Slices borrow from the request; len 0: was not there. */
HttpMethod http_request_method(const HttpRequest *request);
const char *http_request_method_name(const HttpRequest *request);
Slice http_request_path(const HttpRequest *request); /* raw, no query */
Slice http_request_header(const HttpRequest *request, HttpField field);
Slice http_request_body(const HttpRequest *request);

/* The client's address as text (trusted proxies looked through), no port. */
const char *http_request_peer(const HttpRequest *request);

/* The token of "Authorization: Bearer"; len 0: none. */
Slice http_request_token(const HttpRequest *request);

/*
 * A segment of the path, counted from 0 ("/v1/users/7": "v1", "users", "7"),
 * percent-decoded, into out with a NUL.  False when there is none, when it
 * does not fit, or when it is ill encoded or holds a NUL.
 */
bool http_request_segment(const HttpRequest *request, int index, char *out,
						  size_t size);

/*
 * The value of a query parameter, decoded ('+' is a blank).  QUERY_BAD: ill
 * encoded, a NUL, does not fit, or there twice.
 */
typedef enum QueryValue
{
	QUERY_NONE,
	QUERY_FOUND,
	QUERY_BAD
} QueryValue;

QueryValue http_request_query_value(const HttpRequest *request,
									const char *name, char *out, size_t size);

/*
 * Answers and ends the request.  content_type: NULL when there is no body.
 * take_body: is left as after buf_fini; NULL: none.
 * The door adds Content-Length, Connection, CORS and the security headers, and
 * Cache-Control: no-store unless headers hold one.
 */
void http_request_answer(HttpRequest **request, int status,
						 const char *content_type, const HttpHeader *headers,
						 int header_count, Buf *take_body);

/*
 * gone() is called once, from the loop, when the client hangs up; the request
 * still has to be answered.  NULL takes the callback off.
 */
void http_request_on_gone(HttpRequest *request, void (*gone)(void *arg),
						  void *arg);

#endif
