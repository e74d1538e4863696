/*
 * http - the answers to what is no WebSocket
 *
 * From a checked head to the bytes of a whole response: a file of the web
 * client, or a problem document (RFC 9457).  Every response closes its
 * connection and carries the same security headers.
 *
 * Pure but for the clock.
 */
#ifndef CHEMCHAT_HTTP_H
#define CHEMCHAT_HTTP_H

#include "buf.h"
#include "http_head.h"
#include "static_files.h"

/* files: NULL when no web client is served. */
void http_answer(const StaticFiles *files, const HttpHead *head, Buf *out);
void http_refuse(int status, const char *reason, Buf *out);

/*
 * May a page of this origin open a socket?  None at all may, since no cookie
 * is used; the origin of the page we serve may (same host); others by list:
 * comma-separated, exact.
 */
bool http_origin_is_allowed(const HttpHead *head, const char *allowed);

#endif
