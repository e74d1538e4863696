#include "metrics.h"

#include <ctype.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "process_metrics.h"
#include "xalloc.h"

typedef enum MetricKind
{
	KIND_COUNTER,
	KIND_GAUGE,
	KIND_GAUGE_US, /* held in microseconds, shown in seconds */
	KIND_HISTOGRAM
} MetricKind;

typedef struct Bucket
{
	int64_t upper_us;
	const char *label;
} Bucket;

static const Bucket buckets[] = {
	{ 100, "0.0001" },     { 250, "0.00025" }, { 500, "0.0005" },
	{ 1000, "0.001" },     { 2500, "0.0025" }, { 5000, "0.005" },
	{ 10000, "0.01" },     { 25000, "0.025" }, { 50000, "0.05" },
	{ 100000, "0.1" },     { 250000, "0.25" }, { 500000, "0.5" },
	{ 1000000, "1" },      { 2500000, "2.5" }, { 5000000, "5" },
	{ 10000000, "10" },    { 25000000, "25" }, { 60000000, "60" },
	{ INT64_MAX, "+Inf" },
};
#define BUCKET_COUNT (sizeof buckets / sizeof buckets[0])

struct Metric
{
	char *labels; /* "" or the text between the braces */
	MetricKind kind;
	_Atomic int64_t value; /* of a histogram: the sum, microseconds */
	Metric *next;
	_Atomic int64_t counts[]; /* of a histogram: per bucket, not cumulated */
};

/* All metrics of one name: HELP and TYPE stand once, samples together. */
typedef struct Family
{
	char *name;
	char *help;
	MetricKind kind;
	Metric *first;
	Metric **tail;
	struct Family *next;
} Family;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Family *first_family;
static Family **last_family = &first_family;

static Metric *create(MetricKind kind, const char *name, const char *help,
					  const char *labels);
static Family *family_of(MetricKind kind, const char *name, const char *help);
static bool has_scaled_unit(const char *name);
static const char *name_fault(MetricKind kind, const char *name);
static void write_family(const Family *family, Buf *out);
static void write_sample(const Family *family, const Metric *metric, Buf *out);
static void write_histogram(const Family *family, const Metric *metric,
							Buf *out);
static void write_seconds(int64_t us, Buf *out);

Metric *
metric_counter(const char *name, const char *help, const char *labels)
{
	return create(KIND_COUNTER, name, help, labels);
}

Metric *
metric_gauge(const char *name, const char *help, const char *labels)
{
	return create(KIND_GAUGE, name, help, labels);
}

Metric *
metric_gauge_us(const char *name, const char *help, const char *labels)
{
	return create(KIND_GAUGE_US, name, help, labels);
}

Metric *
metric_histogram(const char *name, const char *help, const char *labels)
{
	return create(KIND_HISTOGRAM, name, help, labels);
}

void
metric_add(Metric *metric, int64_t n)
{
	atomic_fetch_add_explicit(&metric->value, n, memory_order_relaxed);
}

void
metric_set(Metric *metric, int64_t value)
{
	atomic_store_explicit(&metric->value, value, memory_order_relaxed);
}

void
metric_observe_us(Metric *metric, int64_t us)
{
	size_t i = 0;

	if (us < 0)
		us = 0; /* two clocks that disagree; not worth losing the count */
	while (us > buckets[i].upper_us)
		i++;
	atomic_fetch_add_explicit(&metric->counts[i], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&metric->value, us, memory_order_relaxed);
}

int64_t
metric_value(const Metric *metric)
{
	int64_t count = 0;

	if (metric->kind != KIND_HISTOGRAM)
		return atomic_load_explicit(&metric->value, memory_order_relaxed);
	for (size_t i = 0; i < BUCKET_COUNT; i++)
		count += atomic_load_explicit(&metric->counts[i], memory_order_relaxed);
	return count;
}

void
metrics_write(Buf *out)
{
	(void) pthread_mutex_lock(&lock);
	for (const Family *family = first_family; family != NULL;
		 family = family->next)
		write_family(family, out);
	(void) pthread_mutex_unlock(&lock);
	process_metrics_write(out);
}

static Metric *
create(MetricKind kind, const char *name, const char *help, const char *labels)
{
	size_t counts = kind == KIND_HISTOGRAM ? BUCKET_COUNT : 0;
	const char *fault = name_fault(kind, name);
	Family *family;
	Metric *metric;

	if (labels == NULL)
		labels = "";
	if (fault != NULL || help == NULL || help[0] == '\0')
	{
		/* a bug of ours, seen at the first start: tell and end */
		(void) fprintf(stderr, "metric %s: %s\n", name,
					   fault != NULL ? fault : "needs a help text");
		abort();
	}

	(void) pthread_mutex_lock(&lock);
	family = family_of(kind, name, help);
	for (metric = family->first; metric != NULL; metric = metric->next)
	{
		if (strcmp(metric->labels, labels) == 0)
			break;
	}
	if (metric == NULL)
	{
		metric = xcalloc(1, sizeof *metric + counts * sizeof(int64_t));
		metric->labels = xstrdup(labels);
		metric->kind = kind;
		*family->tail = metric;
		family->tail = &metric->next;
	}
	(void) pthread_mutex_unlock(&lock);
	return metric;
}

static Family *
family_of(MetricKind kind, const char *name, const char *help)
{
	Family *family = first_family;

	while (family != NULL && strcmp(family->name, name) != 0)
		family = family->next;
	if (family != NULL && family->kind != kind)
	{
		(void) fprintf(stderr, "metric %s: made as two kinds\n", name);
		abort();
	}
	if (family == NULL)
	{
		family = xcalloc(1, sizeof *family);
		family->name = xstrdup(name);
		family->help = xstrdup(help);
		family->kind = kind;
		family->tail = &family->first;
		*last_family = family;
		last_family = &family->next;
	}
	return family;
}

/* Whether a word of the name is a unit other than seconds and bytes. */
static bool
has_scaled_unit(const char *name)
{
	static const char *const units[] = {
		"ns",           "us",        "ms",        "nanoseconds", "microseconds",
		"milliseconds", "minutes",   "hours",     "days",        "kb",
		"mb",           "kilobytes", "megabytes", "gigabytes",
	};
	size_t len;

	for (const char *word = name; *word != '\0'; word += len)
	{
		word += *word == '_';
		len = strcspn(word, "_");
		for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		{
			if (strlen(units[i]) == len && strncmp(units[i], word, len) == 0)
				return true;
		}
	}
	return false;
}

/* Why promtool, or a reader of our dashboards, would not like the name. */
static const char *
name_fault(MetricKind kind, const char *name)
{
	size_t len = strlen(name);
	bool is_total = len > 6 && strcmp(name + len - 6, "_total") == 0;
	bool is_seconds = len > 8 && strcmp(name + len - 8, "_seconds") == 0;

	if (strncmp(name, "chemchat_", 9) != 0)
		return "its name must begin with chemchat_";
	for (const char *c = name; *c != '\0'; c++)
	{
		if (!islower((unsigned char) *c) && !isdigit((unsigned char) *c) &&
			*c != '_')
			return "its name must be of a-z, 0-9 and _";
	}
	if (has_scaled_unit(name))
		return "its unit must be a base one: seconds, bytes";
	if ((kind == KIND_COUNTER) != is_total)
		return "_total is the end of a counter's name, and of no other's";
	if ((kind == KIND_HISTOGRAM || kind == KIND_GAUGE_US) && !is_seconds)
		return "its name must end in _seconds";
	return NULL;
}

static void
write_family(const Family *family, Buf *out)
{
	static const char *const types[] = {
		[KIND_COUNTER] = "counter",
		[KIND_GAUGE] = "gauge",
		[KIND_GAUGE_US] = "gauge",
		[KIND_HISTOGRAM] = "histogram",
	};

	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", family->name, family->help,
			   family->name, types[family->kind]);
	for (const Metric *metric = family->first; metric != NULL;
		 metric = metric->next)
	{
		if (family->kind == KIND_HISTOGRAM)
			write_histogram(family, metric, out);
		else
			write_sample(family, metric, out);
	}
}

static void
write_sample(const Family *family, const Metric *metric, Buf *out)
{
	int64_t value = metric_value(metric);

	buf_append_str(out, family->name);
	if (metric->labels[0] != '\0')
		buf_printf(out, "{%s}", metric->labels);
	buf_append_char(out, ' ');
	if (family->kind == KIND_GAUGE_US)
		write_seconds(value, out);
	else
		buf_printf(out, "%" PRId64, value);
	buf_append_char(out, '\n');
}

static void
write_histogram(const Family *family, const Metric *metric, Buf *out)
{
	const char *comma = metric->labels[0] != '\0' ? "," : "";
	const char *open = metric->labels[0] != '\0' ? "{" : "";
	const char *close = metric->labels[0] != '\0' ? "}" : "";
	int64_t count = 0;

	/* the sum first: it may then only lag behind what is counted */
	int64_t sum_us = atomic_load_explicit(&metric->value, memory_order_relaxed);

	for (size_t i = 0; i < BUCKET_COUNT; i++)
	{
		count += atomic_load_explicit(&metric->counts[i], memory_order_relaxed);
		buf_printf(out, "%s_bucket{%s%sle=\"%s\"} %" PRId64 "\n", family->name,
				   metric->labels, comma, buckets[i].label, count);
	}
	buf_printf(out, "%s_sum%s%s%s ", family->name, open, metric->labels, close);
	write_seconds(sum_us, out);
	buf_printf(out, "\n%s_count%s%s%s %" PRId64 "\n", family->name, open,
			   metric->labels, close, count);
}

static void
write_seconds(int64_t us, Buf *out)
{
	const char *sign = us < 0 ? "-" : "";
	uint64_t magnitude = us < 0 ? 0 - (uint64_t) us : (uint64_t) us;

	buf_printf(out, "%s%" PRIu64 ".%06" PRIu64, sign, magnitude / 1000000,
			   magnitude % 1000000);
}
