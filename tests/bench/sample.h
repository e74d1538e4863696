/*
 * sample - durations and their quantiles
 *
 * Keeps every value (microseconds), so quantiles are exact.  One thread.
 */
#ifndef CHEMCHAT_SAMPLE_H
#define CHEMCHAT_SAMPLE_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "xalloc.h"

typedef struct Sample
{
	int64_t *us;
	size_t count;
	size_t cap;
} Sample;

static inline void
sample_add(Sample *sample, int64_t us)
{
	if (sample->count == sample->cap)
	{
		sample->cap = sample->cap ? sample->cap * 2 : 4096;
		sample->us = xrealloc(sample->us, sample->cap * sizeof(*sample->us));
	}
	sample->us[sample->count++] = us;
}

static inline int
sample_compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *) a;
	int64_t y = *(const int64_t *) b;

	return (x > y) - (x < y);
}

/* Sorts; call sample_quantile_ms behind it. */
static inline void
sample_sort(Sample *sample)
{
	if (sample->count > 0)
		qsort(sample->us, sample->count, sizeof(*sample->us), sample_compare);
}

static inline double
sample_quantile_ms(const Sample *sample, double q)
{
	size_t at;

	if (sample->count == 0)
		return 0;
	at = (size_t) (q * (double) (sample->count - 1));
	return (double) sample->us[at] / 1000.0;
}

#endif
