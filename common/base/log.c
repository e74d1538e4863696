#include "log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"

#define BURST_WINDOW_US 10000000
#define SITE_COUNT      256 /* a power of two; call sites a process may have */
#define MAX_MSG         96
#define MAX_FIELDS      2048

/* One call site, told by its msg and format, which are literals. */
typedef struct Site
{
	const void *msg;
	const void *fields;
	LogLevel level;
	char msg_text[MAX_MSG];
	int64_t window_began_us;
	int lines;    /* written in this window */
	int repeated; /* held back and not yet told */
} Site;

static const char *const level_names[] = { "debug", "info", "warn", "error" };

static char service_name[32] = "chemchat";
static atomic_int min_level = LOG_INFO;
static atomic_int line_format = LOG_LOGFMT;

static pthread_mutex_t sites_lock = PTHREAD_MUTEX_INITIALIZER;
static Site sites[SITE_COUNT];

static bool admit(LogLevel level, const char *msg, const char *fields,
				  int *repeated);
static Site *find_site(const char *msg, const char *fields);
static void write_line(LogLevel level, const char *msg, const char *fields,
					   int repeated);
static void append_logfmt(Buf *out, const char *fields);
static void append_json_fields(Buf *out, const char *fields);
static size_t quote_into(char *out, size_t size, const char *text);

void
log_init(const char *service, LogLevel level, LogFormat format)
{
	(void) snprintf(service_name, sizeof service_name, "%s", service);
	atomic_store(&min_level, (int) level);
	atomic_store(&line_format, (int) format);
}

void
log_line(LogLevel level, const char *msg, const char *fields, ...)
{
	char text[MAX_FIELDS] = "";
	int repeated = 0;

	if ((int) level < atomic_load_explicit(&min_level, memory_order_relaxed) ||
		!admit(level, msg, fields, &repeated))
		return;

	if (fields != NULL)
	{
		va_list args;

		va_start(args, fields);
		(void) vsnprintf(text, sizeof text, fields, args);
		va_end(args);
	}
	write_line(level, msg, text, repeated);
}

const char *
log_quote(const char *text)
{
	static _Thread_local char buffers[8][512];
	static _Thread_local unsigned turn;
	char *out = buffers[turn++ % 8];

	(void) quote_into(out, sizeof buffers[0], text != NULL ? text : "");
	return out;
}

void
log_tell_repeats(bool is_closing)
{
	int64_t now_us = clock_now_us();

	for (size_t i = 0; i < SITE_COUNT; i++)
	{
		Site told = { 0 };

		(void) pthread_mutex_lock(&sites_lock);
		if (sites[i].repeated > 0 &&
			(is_closing ||
			 now_us - sites[i].window_began_us >= BURST_WINDOW_US))
		{
			told = sites[i];
			sites[i].repeated = 0;
			sites[i].lines = 0;
			sites[i].window_began_us = now_us;
		}
		(void) pthread_mutex_unlock(&sites_lock);

		if (told.repeated > 0)
			write_line(told.level, told.msg_text, "", told.repeated);
	}
}

/* False when this line is one too many; *repeated is what to tell with it. */
static bool
admit(LogLevel level, const char *msg, const char *fields, int *repeated)
{
	bool is_admitted = true;
	int64_t now_us = clock_now_us();
	Site *site;

	(void) pthread_mutex_lock(&sites_lock);
	site = find_site(msg, fields);
	if (site != NULL)
	{
		if (site->msg == NULL ||
			now_us - site->window_began_us >= BURST_WINDOW_US)
		{
			if (site->msg == NULL)
				(void) snprintf(site->msg_text, MAX_MSG, "%s", msg);
			site->msg = msg;
			site->fields = fields;
			site->level = level;
			site->window_began_us = now_us;
			site->lines = 0;
			*repeated = site->repeated;
			site->repeated = 0;
		}
		is_admitted = site->lines < LOG_BURST;
		if (is_admitted)
			site->lines++;
		else
			site->repeated++;
	}
	(void) pthread_mutex_unlock(&sites_lock);
	return is_admitted;
}

/* The site's entry or a free one; NULL when the table is full: no limit. */
static Site *
find_site(const char *msg, const char *fields)
{
	uint64_t hash =
		((uint64_t) (uintptr_t) msg * 31 + (uint64_t) (uintptr_t) fields) *
		0x9e3779b97f4a7c15u;
	size_t at = (size_t) (hash >> 40) & (SITE_COUNT - 1);

	for (size_t i = 0; i < SITE_COUNT; i++, at = (at + 1) & (SITE_COUNT - 1))
	{
		Site *site = &sites[at];

		if (site->msg == NULL || (site->msg == msg && site->fields == fields))
			return site;
	}
	return NULL;
}

static void
write_line(LogLevel level, const char *msg, const char *fields, int repeated)
{
	char when[CLOCK_TEXT_SIZE];
	Buf line;
	const char *at;
	size_t left;

	buf_init(&line);
	clock_format(clock_wall_us(), when);
	if (atomic_load_explicit(&line_format, memory_order_relaxed) == LOG_JSON)
	{
		buf_printf(&line,
				   "{\"time\":\"%s\",\"level\":\"%s\",\"service\":", when,
				   level_names[level]);
		buf_append_json(&line, service_name, strlen(service_name));
		buf_append_str(&line, ",\"msg\":");
		buf_append_json(&line, msg, strlen(msg));
		append_json_fields(&line, fields);
		if (repeated > 0)
			buf_printf(&line, ",\"repeated\":\"%d\"", repeated);
		buf_append_str(&line, "}\n");
	}
	else
	{
		buf_printf(&line, "time=%s level=%s service=%s msg=%s", when,
				   level_names[level], service_name, log_quote(msg));
		append_logfmt(&line, fields);
		if (repeated > 0)
			buf_printf(&line, " repeated=%d", repeated);
		buf_append_char(&line, '\n');
	}

	/* one write as a rule; a full pipe may take less */
	for (at = line.data, left = line.len; left > 0;)
	{
		ssize_t n = write(STDERR_FILENO, at, left);

		if (n <= 0)
			break; /* nobody to tell */
		at += n;
		left -= (size_t) n;
	}
	buf_fini(&line);
}

/* As it is, but one event stays one line. */
static void
append_logfmt(Buf *out, const char *fields)
{
	if (fields[0] == '\0')
		return;
	buf_append_char(out, ' ');
	for (; *fields != '\0'; fields++)
		buf_append_char(out, (unsigned char) *fields < 0x20 ? ' ' : *fields);
}

/* key=value key="two words" -> ,"key":"value","key":"two words" */
static void
append_json_fields(Buf *out, const char *fields)
{
	Buf value;

	buf_init(&value);
	for (;;)
	{
		size_t key_len;

		fields += strspn(fields, " ");
		if (*fields == '\0')
			break;
		key_len = strcspn(fields, "= ");
		buf_append_char(out, ',');
		buf_append_json(out, fields, key_len);
		buf_append_char(out, ':');
		fields += key_len;
		buf_reset(&value);
		if (*fields == '=' && fields[1] == '"')
		{
			for (fields += 2; *fields != '\0' && *fields != '"'; fields++)
			{
				char c = *fields;

				if (c == '\\' && fields[1] != '\0')
				{
					c = *++fields;
					c = c == 'n' ? '\n' : c == 't' ? '\t' : c;
				}
				buf_append_char(&value, c);
			}
			fields += *fields == '"';
		}
		else if (*fields == '=')
		{
			size_t len = strcspn(++fields, " ");

			buf_append(&value, fields, len);
			fields += len;
		}
		buf_append_json(out, value.data, value.len);
	}
	buf_fini(&value);
}

/* Always in quotes; ends with "..." inside them when it had to be cut. */
static size_t
quote_into(char *out, size_t size, const char *text)
{
	size_t len = 0;

	out[len++] = '"';
	for (; *text != '\0'; text++)
	{
		char escape = *text == '"' || *text == '\\' ? *text
					  : *text == '\n'               ? 'n'
					  : *text == '\t'               ? 't'
													: '\0';

		if (len + 7 > size) /* 2 for this, 3 dots, the quote, the NUL */
		{
			memcpy(out + len, "...", 3);
			len += 3;
			break;
		}
		if (escape != '\0')
		{
			out[len++] = '\\';
			out[len++] = escape;
		}
		else
			out[len++] = (unsigned char) *text < 0x20 ? ' ' : *text;
	}
	out[len++] = '"';
	out[len] = '\0';
	return len;
}
