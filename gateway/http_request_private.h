/*
 * http_request_private - a request as the connection it came on sees it
 *
 * http_conn.c makes it and is told the answer; nobody else includes this.
 */
#ifndef CHEMCHAT_HTTP_REQUEST_PRIVATE_H
#define CHEMCHAT_HTTP_REQUEST_PRIVATE_H

#include "address.h"
#include "http.h"

struct HttpConn;

/* Called once per request whose client is still there. */
typedef void (*HttpAnswerFn)(struct HttpConn *conn, const HttpAnswer *answer,
							 const Buf *body);

/* Takes the bytes that the head's slices and the body stand in. */
HttpRequest *http_request_new(struct HttpConn *conn, HttpAnswerFn answer,
							  Buf *take_bytes, const HttpHead *head,
							  const Address *peer);

/* The client has hung up. */
void http_request_set_gone(HttpRequest *request);

#endif
