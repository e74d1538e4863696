/*
 * log - lines for the operator on stderr
 *
 * One event is one line, logfmt or JSON:
 *   time=... level=info service=relay msg="stream started" slot=chemchat_5_0of1
 * Never a message body, a token, or a connection string with a secret.
 *
 * Thread-safe: a line is one write().  Repeats of one call site beyond
 * LOG_BURST within ten seconds are counted and told later (repeated=N).
 */
#ifndef CHEMCHAT_LOG_H
#define CHEMCHAT_LOG_H

#include <stdbool.h>

#include "error.h"

typedef enum LogLevel
{
	LOG_DEBUG,
	LOG_INFO,
	LOG_WARN,
	LOG_ERROR
} LogLevel;

typedef enum LogFormat
{
	LOG_LOGFMT,
	LOG_JSON
} LogFormat;

#define LOG_BURST 20

void log_init(const char *service, LogLevel level, LogFormat format);

/*
 * The fields: a printf format that yields "key=value key=\"two words\"", or
 * NULL.  Values with blanks or quotes go through log_quote.
 */
void log_line(LogLevel level, const char *msg, const char *fields, ...)
	PRINTF_LIKE(3, 4);

/* Quotes and escapes into a rotating thread-local buffer (8 of 512 bytes). */
const char *log_quote(const char *text);

/*
 * Tells what was held back and is over (all of it when closing) although no
 * further line came.  The operations thread calls it every second.
 */
void log_tell_repeats(bool is_closing);

#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
#define log_info(...)  log_line(LOG_INFO, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)

#endif
