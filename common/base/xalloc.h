/*
 * xalloc - memory or the end
 *
 * Queues are bounded, so running out of memory is a broken promise, not a
 * state to handle: these print one line and abort.
 */
#ifndef CHEMCHAT_XALLOC_H
#define CHEMCHAT_XALLOC_H

#include <stddef.h>

void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t count, size_t size)
	__attribute__((malloc, returns_nonnull));
void *xrealloc(void *old, size_t size) __attribute__((returns_nonnull));
char *xstrdup(const char *text) __attribute__((malloc, returns_nonnull));
char *xstrndup(const char *text, size_t len)
	__attribute__((malloc, returns_nonnull));

#endif
