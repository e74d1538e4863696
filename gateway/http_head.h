/*
 * http_head - is this a request we understand exactly? (RFC 9112, RFC 6455)
 *
 * Reads the head of one HTTP/1.1 request, strictly: CRLF line ends only, one
 * Host, no transfer coding, one Content-Length of digits, no repeated header
 * that matters, nothing that two parsers could read differently.  A target is
 * a path, or a whole http URI, whose authority then stands for the Host (RFC
 * 9112, 3.2.2).  The first thing wrong decides the status; the connection is
 * closed after that answer.
 *
 * Pure.  Slices borrow the bytes.
 */
#ifndef CHEMCHAT_HTTP_HEAD_H
#define CHEMCHAT_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>

#include "http_request.h"
#include "slice.h"

#define HTTP_HEAD_MAX      8192
#define HTTP_HEADERS_MAX   64
#define HTTP_PATH_MAX      1024
#define HTTP_FORWARDED_MAX 16

typedef struct HttpHead
{
	HttpMethod method;
	bool is_upgrade; /* to WebSocket, complete and proper */
	bool is_last;    /* Connection: close */
	bool expects_continue;
	size_t body_len;
	Slice path;          /* raw; begins with '/' */
	Slice query;         /* raw, without '?' */
	Slice authority;     /* of a target that is a whole URI; len 0: none */
	Slice host;          /* the authority, where there is one */
	Slice websocket_key; /* 24 characters of base64 */
	Slice token;         /* of Authorization: Bearer; len 0: none */
	Slice forwarded_for[HTTP_FORWARDED_MAX]; /* the last ones, in order */
	int forwarded_lines;
	Slice field[HTTP_FIELDS];
	size_t size; /* of the head, its empty line included */
} HttpHead;

typedef enum HttpVerdict
{
	HTTP_MORE = 0, /* not complete yet */
	HTTP_OK = 1,
	/* else: the status of the answer, 400..505 */
	HTTP_STATUS_MIN = 400
} HttpVerdict;

/* reason: static text for the log and the problem document. */
int http_head_parse(const char *bytes, size_t len, HttpHead *head,
					const char **reason);

const char *http_method_name(HttpMethod method);

#endif
