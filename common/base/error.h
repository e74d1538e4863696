/*
 * error - what went wrong, as one line of text
 *
 * A fallible function returns bool (or a small enum) and writes into its
 * caller's Error.  Who decides what happens next logs it, so one failure is
 * one line.  Text is lower case, without a full stop: "could not connect to
 * Kafka: connection refused".
 *
 * Pure.  A plain value: nothing to free.
 */
#ifndef CHEMCHAT_ERROR_H
#define CHEMCHAT_ERROR_H

#include <stdbool.h>

#define MUST_CHECK             __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

typedef struct Error
{
	char text[512];
} Error;

/* Sets the text; always returns false, so that `return error_set(...)` reads. */
bool error_set(Error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Puts "context: " before the text that is there; returns false. */
bool error_wrap(Error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
