/*
 * buf - bytes that grow
 *
 * `data` is always followed by a NUL that `len` does not count, so text can
 * be handed to C functions.  Out of memory ends the process.
 *
 * Pure.  Owns its memory; buf_fini gives it back, buf_reset keeps it.
 */
#ifndef CHEMCHAT_BUF_H
#define CHEMCHAT_BUF_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

typedef struct Buf
{
	char *data;
	size_t len;
	size_t cap;
} Buf;

void buf_init(Buf *buf);
void buf_fini(Buf *buf);
void buf_reset(Buf *buf);

/* Makes room for `more` bytes behind len and returns where they begin. */
char *buf_reserve(Buf *buf, size_t more);
void buf_append(Buf *buf, const void *bytes, size_t len);
void buf_append_str(Buf *buf, const char *text);
void buf_append_char(Buf *buf, char c);
void buf_printf(Buf *buf, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Appends text as a JSON string, quotes included (RFC 8259). */
void buf_append_json(Buf *buf, const char *text, size_t len);

/* Drops the first n bytes. */
void buf_consume(Buf *buf, size_t n);

#endif
