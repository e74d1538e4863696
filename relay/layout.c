#include "layout.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lsn.h"
#include "xalloc.h"

/* More is nonsense, and memory is taken for it. */
#define MAX_PARTITIONS 100000

/* `}}` and a NUL stand behind the last entry. */
#define TAIL_BYTES 8

void
layout_init(Layout *layout, const int partitions[ROUTE_TOPICS])
{
	for (int t = 0; t < ROUTE_TOPICS; t++)
	{
		layout->partitions[t] = partitions[t];
		layout->last[t] =
			xcalloc((size_t) partitions[t] + 1, sizeof(LayoutLast));
		for (int p = 0; p < partitions[t]; p++)
			layout->last[t][p].offset = -1;
	}
}

void
layout_fini(Layout *layout)
{
	for (int t = 0; t < ROUTE_TOPICS; t++)
	{
		free(layout->last[t]);
		layout->last[t] = NULL;
		layout->partitions[t] = 0;
	}
}

/* The value of this topic's key, or NULL. */
static const char *
value_of(const char *text, const char *topic)
{
	char quoted[80];
	const char *at;

	snprintf(quoted, sizeof(quoted), "\"%s\"", topic);
	at = strstr(text, quoted);
	if (at == NULL)
		return NULL;
	at += strlen(quoted);
	return at + strspn(at, " \t\n:");
}

/* One "partition:offset:lsn" at *at, which is moved behind it. */
static bool
parse_last(Layout *layout, int topic, const char **at)
{
	char *end;
	const char *text = *at + strspn(*at, " ");
	long partition = strtol(text, &end, 10);
	int64_t offset;
	uint64_t lsn;
	size_t len;

	if (end == text || *end != ':')
		return false;
	text = end + 1;
	offset = strtoll(text, &end, 10);
	if (end == text || *end != ':')
		return false;
	text = end + 1;
	len = strcspn(text, " \"");
	if (!lsn_parse(text, len, &lsn))
		return false;
	*at = text + len;
	if (partition >= 0 && partition < layout->partitions[topic] && offset >= 0)
		layout->last[topic][partition] =
			(LayoutLast){ .offset = offset, .commit_lsn = lsn };
	return true;
}

void
layout_init_parse(Layout *layout, const char *text)
{
	int partitions[ROUTE_TOPICS];
	const char *last = strstr(text, "\"last\"");

	for (int t = 0; t < ROUTE_TOPICS; t++)
	{
		const char *at = value_of(text, route_topic_names[t]);
		long count = 0;

		if (at != NULL && (last == NULL || at < last))
			count = strtol(at, NULL, 10);
		partitions[t] = count > 0 && count <= MAX_PARTITIONS ? (int) count : 0;
	}
	layout_init(layout, partitions);
	for (int t = 0; last != NULL && t < ROUTE_TOPICS; t++)
	{
		const char *at = value_of(last, route_topic_names[t]);

		if (at == NULL || *at++ != '"')
			continue;
		while (parse_last(layout, t, &at))
			;
	}
}

void
layout_take_last(Layout *layout, const Layout *from)
{
	for (int t = 0; t < ROUTE_TOPICS; t++)
	{
		for (int p = 0; p < layout->partitions[t] && p < from->partitions[t];
			 p++)
			layout->last[t][p] = from->last[t][p];
	}
}

bool
layout_note(Layout *layout, int topic, int32_t partition, int64_t offset,
			uint64_t commit_lsn)
{
	LayoutLast *last;

	if (partition < 0 || partition >= layout->partitions[topic])
		return true; /* not one that we write to */
	last = &layout->last[topic][partition];
	if (offset <= last->offset)
		return false;
	*last = (LayoutLast){ .offset = offset, .commit_lsn = commit_lsn };
	return true;
}

const char *
layout_compare(const Layout *recorded, const int counts[ROUTE_TOPICS],
			   Error *err)
{
	for (int t = 0; t < ROUTE_TOPICS; t++)
	{
		const char *topic = route_topic_names[t];
		int before = recorded->partitions[t];

		if (before == 0 || before == counts[t])
			continue;
		if (counts[t] == 0)
		{
			error_set(err, "topic %s was written to and does not exist", topic);
			return "TOPIC_DELETED";
		}
		error_set(err, "topic %s has %d partitions, was written with %d", topic,
				  counts[t], before);
		return "PARTITIONS_CHANGED";
	}
	return NULL;
}

/* "chat.messages.v1":"0:5310:16/B374D848 ..."; returns the new length. */
static size_t
format_last(const Layout *layout, int topic, char *out, size_t len,
			char separator)
{
	size_t begin = len;
	bool has_any = false;

	for (int p = 0; p < layout->partitions[topic]; p++)
	{
		const LayoutLast *last = &layout->last[topic][p];
		char lsn[LSN_TEXT_SIZE];
		char entry[128];
		int entry_len;

		if (last->offset < 0)
			continue;
		lsn_format(last->commit_lsn, lsn);
		if (!has_any)
			entry_len =
				snprintf(entry, sizeof(entry), "%c\"%s\":\"%d:%" PRId64 ":%s",
						 separator, route_topic_names[topic], p, last->offset,
						 lsn);
		else
			entry_len = snprintf(entry, sizeof(entry), " %d:%" PRId64 ":%s", p,
								 last->offset, lsn);
		if (len + (size_t) entry_len + TAIL_BYTES > SINK_LAYOUT_SIZE)
			break;
		memcpy(out + len, entry, (size_t) entry_len);
		len += (size_t) entry_len;
		has_any = true;
	}
	if (has_any)
		out[len++] = '"';
	return has_any ? len : begin;
}

void
layout_format(const Layout *layout, char out[SINK_LAYOUT_SIZE])
{
	/* keys sorted, so that equal layouts are equal texts */
	static const RouteTopic sorted[ROUTE_TOPICS] = { ROUTE_CONVERSATIONS,
													 ROUTE_MESSAGES,
													 ROUTE_USERS, ROUTE_DEAD };
	static const char opening[] = ",\"last\":";
	size_t len = 0;
	size_t last;

	for (int i = 0; i < ROUTE_TOPICS; i++)
		len +=
			(size_t) snprintf(out + len, SINK_LAYOUT_SIZE - len, "%c\"%s\":%d",
							  i == 0 ? '{' : ',', route_topic_names[sorted[i]],
							  layout->partitions[sorted[i]]);
	memcpy(out + len, opening, sizeof(opening));
	last = len + sizeof(opening) - 1;
	for (int i = 0; i < ROUTE_TOPICS; i++)
		last = format_last(layout, (int) sorted[i], out, last,
						   out[last - 1] == ':' ? '{' : ',');
	if (out[last - 1] == ':')
		last = len; /* nothing was written anywhere */
	else
		out[last++] = '}';
	memcpy(out + last, "}", 2);
}
