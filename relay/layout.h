/*
 * layout - what is on record of the topics
 *
 * How many partitions each topic has, and where in each partition the last
 * record stands that Kafka acknowledged: its offset, and the commit LSN in
 * it.  A topic that was deleted and made again has another record there, or
 * none, whatever else it holds by now.
 *
 * As text it is chemchat.stream's `partitions`:
 *
 *	{"chat.messages.v1":12, ...,
 *	 "last":{"chat.messages.v1":"0:5310:16/B374D848 7:12:16/B3740000", ...}}
 *
 * partition, offset, LSN; only partitions that were written to.  What does not
 * fit (about 500 partitions do) is left out.
 *
 * Pure.
 */
#ifndef CHEMCHAT_LAYOUT_H
#define CHEMCHAT_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "route.h"
#include "sink.h"

typedef struct LayoutLast
{
	int64_t offset; /* -1: nothing was written */
	uint64_t commit_lsn;
} LayoutLast;

typedef struct Layout
{
	int partitions[ROUTE_TOPICS]; /* 0: not on record */
	LayoutLast *last[ROUTE_TOPICS];
} Layout;

/* Topics with so many partitions, nothing written. */
void layout_init(Layout *layout, const int partitions[ROUTE_TOPICS]);

/* What is on record; a text that is none says nothing of any topic. */
void layout_init_parse(Layout *layout, const char *text);

void layout_fini(Layout *layout);

/* Of partitions that both have. */
void layout_take_last(Layout *layout, const Layout *from);

/*
 * An acknowledgement; false when the partition had come further, which no
 * partition does that is still the one it was.
 */
bool layout_note(Layout *layout, int topic, int32_t partition, int64_t offset,
				 uint64_t commit_lsn);

/* Compares counts with what is on record; NULL: equal, else the stop's name. */
const char *layout_compare(const Layout *recorded,
						   const int counts[ROUTE_TOPICS], Error *err);

/* Equal layouts are equal texts. */
void layout_format(const Layout *layout, char out[SINK_LAYOUT_SIZE]);

#endif
