/*
 * base64url - bytes as text that a URL may hold (RFC 4648 5), without padding
 *
 * Pure.  Strict: one text for one sequence of bytes; padding, white space,
 * the other alphabet and left-over bits that are not zero are refused.
 */
#ifndef CHEMCHAT_BASE64URL_H
#define CHEMCHAT_BASE64URL_H

#include "buf.h"

void base64url_append(Buf *out, const void *bytes, size_t len);

/* Appends what the text says; on failure nothing is appended. */
bool base64url_decode(const char *text, size_t len, Buf *out) MUST_CHECK;

#endif
