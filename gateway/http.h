/*
 * http - what an answer looks like on the wire
 *
 * From a status, headers and a body to the bytes of a whole response: of the
 * REST API, a file of the web client, or a problem document (RFC 9457).  Every
 * response carries the same security headers; a page of an allowed origin may
 * read it (CORS).
 *
 * Pure.
 */
#ifndef CHEMCHAT_HTTP_H
#define CHEMCHAT_HTTP_H

#include "buf.h"
#include "http_head.h"
#include "payload.h"
#include "static_files.h"

/* Of whatever is not of the API. */
#define HTTP_FILE_METHODS "GET, HEAD, OPTIONS"

typedef struct HttpAnswer
{
	int status;
	const char *content_type; /* NULL: no body */
	const HttpHeader *headers;
	int header_count;
	size_t body_len;
	bool is_last;     /* the connection closes behind it */
	bool is_body_cut; /* to HEAD: all but the body */
	Slice origin;     /* that may read it; len 0: none */
} HttpAnswer;

/* Is it one that we know a name for? */
bool http_is_status(int status);

/* The head, its empty line included; its status is one of those. */
void http_put_head(const HttpAnswer *answer, Buf *out);

/* A whole response with a problem document; retry_after_ms 0: none. */
void http_put_problem(const HttpAnswer *like, const char *detail,
					  int64_t retry_after_ms, Buf *out);

/*
 * The answer for a path of the web client; files: NULL when none is served.
 * The body is the file's own payload (borrowed), NULL when there is none.
 */
int http_put_file(const StaticFiles *files, const HttpHead *head,
				  const HttpAnswer *like, Buf *out, Payload **body);

/*
 * The answer to OPTIONS: the path's methods (RFC 9110, 10.2.1), and what a page
 * of `origin` may ask anywhere (Fetch, 3.2.2).
 */
void http_put_options(const HttpAnswer *like, const char *methods, Buf *out);

/*
 * May a page of this origin come?  None at all may, since no cookie is used;
 * the origin of the page we serve may (same host); others by list:
 * comma-separated, exact.
 */
bool http_origin_is_allowed(const HttpHead *head, const char *allowed);

#endif
