/*
 * http_fetch - the text behind a URL, or a reason
 *
 * One GET, on the caller's thread: for a thread that may wait.  https with the
 * certificate and the name checked; http only to this machine itself (127.*,
 * ::1, localhost), which is what tests do.  No redirect is followed, nothing
 * of the user's environment but its proxy is used, and neither a slow nor an
 * endless answer holds anybody up beyond the limits given.
 *
 * Any thread; nothing is shared between calls.
 */
#ifndef CHEMCHAT_HTTP_FETCH_H
#define CHEMCHAT_HTTP_FETCH_H

#include <stdatomic.h>
#include <stdint.h>

#include "buf.h"
#include "error.h"

typedef struct HttpFetch
{
	const char *url;
	const char *ca_file; /* PEM of who signs its certificate; NULL: the
						  * system's */
	int64_t timeout_ms;  /* for all of it */
	size_t max_size;     /* of the body */
	/* Inside our own network: http to any host, and any status is an answer. */
	bool is_inside;
	/* Set by another thread: give up within about a second; NULL: never. */
	const atomic_bool *give_up;
} HttpFetch;

typedef struct HttpFetched
{
	int status;
	int64_t max_age_s; /* Cache-Control; 0: not to be kept; -1: not said */
	Buf body;
} HttpFetched;

/* A URL this module would ask?  err names what is wrong with it. */
bool http_fetch_check_url(const char *url, Error *err) MUST_CHECK;

/*
 * True for status 200 (is_inside: any); fetched->body is appended to.  err never repeats what
 * stands before an '@' or behind a '?' in the URL.
 */
bool http_fetch(const HttpFetch *fetch, HttpFetched *fetched,
				Error *err) MUST_CHECK;

/* The max-age of a Cache-Control value (RFC 9111 5.2); as in HttpFetched. */
int64_t http_max_age_s(const char *cache_control, size_t len);

#endif
