#include "buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"
#include "xalloc.h"

#define FIRST_CAP 64

void
buf_init(Buf *buf)
{
	buf->cap = FIRST_CAP;
	buf->data = xmalloc(buf->cap);
	buf->len = 0;
	buf->data[0] = '\0';
}

void
buf_fini(Buf *buf)
{
	free(buf->data);
	*buf = (Buf){ 0 };
}

void
buf_reset(Buf *buf)
{
	buf->len = 0;
	if (buf->data != NULL)
		buf->data[0] = '\0';
}

char *
buf_reserve(Buf *buf, size_t more)
{
	size_t cap = buf->cap > 0 ? buf->cap : FIRST_CAP;

	if (more >= SIZE_MAX / 2 - buf->len)
		abort();
	while (cap - buf->len <= more)
		cap *= 2;
	if (cap != buf->cap)
	{
		buf->data = xrealloc(buf->data, cap);
		buf->cap = cap;
		buf->data[buf->len] = '\0';
	}
	return buf->data + buf->len;
}

void
buf_append(Buf *buf, const void *bytes, size_t len)
{
	char *at = buf_reserve(buf, len);

	if (len > 0)
		memcpy(at, bytes, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void
buf_append_str(Buf *buf, const char *text)
{
	buf_append(buf, text, strlen(text));
}

void
buf_append_char(Buf *buf, char c)
{
	char *at = buf_reserve(buf, 1);

	at[0] = c;
	at[1] = '\0';
	buf->len++;
}

void
buf_printf(Buf *buf, const char *fmt, ...)
{
	va_list args;
	int len;

	(void) buf_reserve(buf, 1);
	va_start(args, fmt);
	len = vsnprintf(buf->data + buf->len, buf->cap - buf->len, fmt, args);
	va_end(args);
	if (len < 0)
		abort(); /* only a broken format string comes here */

	if ((size_t) len >= buf->cap - buf->len)
	{
		(void) buf_reserve(buf, (size_t) len);
		va_start(args, fmt);
		(void) vsnprintf(buf->data + buf->len, buf->cap - buf->len, fmt, args);
		va_end(args);
	}
	buf->len += (size_t) len;
}

/* What is not UTF-8 becomes U+FFFD: the result is always valid JSON. */
void
buf_append_json(Buf *buf, const char *text, size_t len)
{
	size_t plain = 0; /* where the run not yet copied begins */
	size_t at = 0;

	(void) buf_reserve(buf, len + 2);
	buf_append_char(buf, '"');
	while (at < len)
	{
		unsigned char c = (unsigned char) text[at];
		size_t width = 1;

		if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\')
		{
			at++;
			continue;
		}
		if (c >= 0x80 && (width = utf8_width(text + at, len - at)) > 0)
		{
			at += width;
			continue;
		}

		buf_append(buf, text + plain, at - plain);
		switch (c)
		{
			case '"':
				buf_append(buf, "\\\"", 2);
				break;
			case '\\':
				buf_append(buf, "\\\\", 2);
				break;
			case '\b':
				buf_append(buf, "\\b", 2);
				break;
			case '\f':
				buf_append(buf, "\\f", 2);
				break;
			case '\n':
				buf_append(buf, "\\n", 2);
				break;
			case '\r':
				buf_append(buf, "\\r", 2);
				break;
			case '\t':
				buf_append(buf, "\\t", 2);
				break;
			default:
				if (c < 0x20)
					buf_printf(buf, "\\u%04x", c);
				else
					buf_append(buf, "\xef\xbf\xbd", 3);
		}
		plain = ++at;
	}
	buf_append(buf, text + plain, len - plain);
	buf_append_char(buf, '"');
}

void
buf_consume(Buf *buf, size_t n)
{
	if (n > buf->len)
		abort();
	buf->len -= n;
	memmove(buf->data, buf->data + n, buf->len + 1);
}
