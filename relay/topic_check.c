#include "topic_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kafka_admin.h"
#include "log.h"
#include "lsn.h"
#include "topics.h"

#define ASK_TIMEOUT_MS  3000
#define LAST_TIMEOUT_MS 15000

int
topic_check_recorded(const char *layout, const char *topic)
{
	char quoted[80];
	const char *at;

	snprintf(quoted, sizeof(quoted), "\"%s\"", topic);
	at = strstr(layout, quoted);
	if (at == NULL)
		return 0;
	at += strlen(quoted);
	at += strspn(at, " \t\n:");
	return (int) strtol(at, NULL, 10);
}

const char *
topic_check_compare(const char *layout, const int counts[ROUTE_TOPICS],
					Error *err)
{
	for (int i = 0; i < ROUTE_TOPICS; i++)
	{
		const char *topic = route_topic_names[i];
		int recorded = topic_check_recorded(layout, topic);

		if (recorded == 0 || recorded == counts[i])
			continue;
		if (counts[i] == 0)
		{
			error_set(err, "topic %s was written to and does not exist", topic);
			return "TOPIC_DELETED";
		}
		error_set(err, "topic %s has %d partitions, was written with %d", topic,
				  counts[i], recorded);
		return "PARTITIONS_CHANGED";
	}
	return NULL;
}

void
topic_check_layout(const int counts[ROUTE_TOPICS], char out[SINK_LAYOUT_SIZE])
{
	/* keys sorted, so that equal layouts are equal texts */
	static const RouteTopic sorted[ROUTE_TOPICS] = { ROUTE_CONVERSATIONS,
													 ROUTE_MESSAGES,
													 ROUTE_USERS, ROUTE_DEAD };
	size_t len = 0;

	for (int i = 0; i < ROUTE_TOPICS; i++)
		len +=
			(size_t) snprintf(out + len, SINK_LAYOUT_SIZE - len, "%c\"%s\":%d",
							  i == 0 ? '{' : ',', route_topic_names[sorted[i]],
							  counts[sorted[i]]);
	snprintf(out + len, SINK_LAYOUT_SIZE - len, "}");
}

bool
topic_check_position(const char *text, size_t len, SinkPosition *out)
{
	char copy[96];
	char *end;
	char *lsn;
	char *lsn_end;

	if (len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	out->system_id = strtoull(copy, &end, 10);
	if (end == copy || *end != ':')
		return false;
	lsn = end + 1;
	out->timeline = (uint32_t) strtoul(lsn, &end, 10);
	if (end == lsn || *end != ':')
		return false;
	lsn = end + 1;
	lsn_end = strchr(lsn, ':');
	return lsn_end != NULL &&
		   lsn_parse(lsn, (size_t) (lsn_end - lsn), &out->commit_lsn);
}

void
topic_check_note(SinkFindings *found, const SinkPosition *position)
{
	for (int i = 0; i < found->last_count; i++)
	{
		SinkPosition *last = &found->last[i];

		if (last->system_id != position->system_id ||
			last->timeline != position->timeline)
			continue;
		if (last->commit_lsn < position->commit_lsn)
			last->commit_lsn = position->commit_lsn;
		return;
	}
	if (found->last_count < SINK_MAX_HISTORIES)
		found->last[found->last_count++] = *position;
}

static void
on_position(void *arg, int partition, const char *value, size_t len)
{
	SinkPosition position;

	(void) partition;
	/* a record of somebody else's says nothing about our history */
	if (topic_check_position(value, len, &position))
		topic_check_note((SinkFindings *) arg, &position);
}

static bool
is_cancelled(const TopicCheckRequest *request, Error *err)
{
	if (request->is_cancelled == NULL || !atomic_load(request->is_cancelled))
		return false;
	error_set(err, "cancelled");
	return true;
}

static bool
ask_partitions(const TopicCheckRequest *request, KafkaAdmin *admin,
			   TopicCheck *check, Error *err)
{
	for (int i = 0; i < ROUTE_TOPICS; i++)
	{
		if (is_cancelled(request, err) ||
			!kafka_admin_partitions(admin, route_topic_names[i], ASK_TIMEOUT_MS,
									&check->partitions[i], err))
			return false;
	}
	return true;
}

static bool
create_missing(const TopicCheckRequest *request, KafkaAdmin *admin,
			   TopicCheck *check, Error *err)
{
	KafkaNewTopic missing[ROUTE_TOPICS];
	int count = 0;

	for (int i = 0; i < ROUTE_TOPICS; i++)
	{
		if (check->partitions[i] > 0)
			continue;
		missing[count++] = (KafkaNewTopic){
			.name = route_topic_names[i],
			.partitions = i == ROUTE_DEAD ? 1 : request->partitions,
			.replication = request->replication,
			.is_compacted = i == ROUTE_CONVERSATIONS,
			.is_kept_forever = i == ROUTE_MESSAGES,
		};
	}
	if (count == 0)
		return true;
	if (!request->may_create)
		return error_set(err, "topic %s does not exist", missing[0].name);
	if (!kafka_admin_create(admin, missing, count, ASK_TIMEOUT_MS, err))
		return false;
	for (int i = 0; i < count; i++)
		log_info("topic created", "topic=%s partitions=%d", missing[i].name,
				 missing[i].partitions);

	/* the broker that is asked next may not know them yet */
	return ask_partitions(request, admin, check, err);
}

static bool
has_all(const TopicCheck *check, Error *err)
{
	for (int i = 0; i < ROUTE_TOPICS; i++)
	{
		if (check->partitions[i] <= 0)
			return error_set(err, "topic %s does not exist yet",
							 route_topic_names[i]);
	}
	return true;
}

/* Compares with what was recorded; a stop unless the change is adopted. */
static bool
is_as_recorded(const SinkIdentity *identity, TopicCheck *check, Error *err)
{
	if (identity->recorded_layout == NULL)
		return true;
	check->stop_name =
		topic_check_compare(identity->recorded_layout, check->partitions, err);
	if (check->stop_name == NULL)
		return true;
	check->found.is_changed = true;
	return identity->adopts_change;
}

/*
 * A conversation goes to two topics, and nothing happens before there is a
 * user.  While the history is being republished only the first of it may be
 * there.
 */
const char *
topic_check_emptied(const int64_t ends[ROUTE_TOPICS], uint64_t events,
					bool is_repaired)
{
	int64_t messages = ends[ROUTE_MESSAGES];
	int64_t conversations = ends[ROUTE_CONVERSATIONS];
	int64_t users = ends[ROUTE_USERS];
	int64_t all = messages + conversations + users + ends[ROUTE_DEAD];

	if (events == 0)
		return NULL;
	/* an acknowledged event is one record at least, and offsets only grow */
	if (messages == 0 && (conversations > 0 || (uint64_t) all < events))
		return TOPIC_MESSAGES;
	if (is_repaired && messages > 0 && conversations == 0)
		return TOPIC_CONVERSATIONS;
	if (is_repaired && users == 0)
		return TOPIC_USERS;
	return (uint64_t) all < events ? "chat.*" : NULL;
}

/* Less in it than was acknowledged: another topic of this name. */
static bool
is_same_topics(const SinkIdentity *identity, TopicCheck *check,
			   const int64_t ends[ROUTE_TOPICS], Error *err)
{
	const char *emptied;

	if (identity->recorded_layout == NULL || check->found.is_changed)
		return true;
	emptied = topic_check_emptied(ends, identity->recorded_events,
								  identity->is_repaired);
	if (emptied == NULL)
		return true;
	check->found.is_changed = true;
	if (identity->adopts_change)
		return true;
	check->stop_name = "TOPIC_RECREATED";
	return error_set(err, "topic %s has lost records: it was made again",
					 emptied);
}

TopicCheckResult
topic_check_run(const TopicCheckRequest *request, TopicCheck *check, Error *err)
{
	TopicCheckResult result = TOPICS_UNAVAILABLE;
	KafkaAdmin *admin = kafka_admin_open(&request->kafka, err);
	int64_t ends[ROUTE_TOPICS] = { 0 };

	memset(check, 0, sizeof(*check));
	/* the history asked about has its place, however many others there are */
	topic_check_note(&check->found,
					 &(SinkPosition){ .system_id = request->identity.system_id,
									  .timeline = request->identity.timeline });
	if (admin == NULL || !ask_partitions(request, admin, check, err))
		goto cleanup;
	if (!is_as_recorded(&request->identity, check, err))
	{
		result = TOPICS_STOP;
		goto cleanup;
	}
	if (!create_missing(request, admin, check, err) || !has_all(check, err) ||
		is_cancelled(request, err) ||
		!kafka_admin_limits(admin, route_topic_names, ROUTE_TOPICS,
							ASK_TIMEOUT_MS, check->limits, err) ||
		is_cancelled(request, err) ||
		!kafka_admin_ends(admin, route_topic_names, check->partitions,
						  ROUTE_TOPICS, ASK_TIMEOUT_MS, ends, err) ||
		is_cancelled(request, err) ||
		!kafka_admin_last(admin, TOPIC_MESSAGES,
						  check->partitions[ROUTE_MESSAGES], HEADER_POSITION,
						  LAST_TIMEOUT_MS, on_position, &check->found,
						  &ends[ROUTE_MESSAGES], err))
		goto cleanup;
	if (!is_same_topics(&request->identity, check, ends, err))
	{
		result = TOPICS_STOP;
		goto cleanup;
	}
	topic_check_layout(check->partitions, check->found.layout);
	check->stop_name = NULL;
	result = TOPICS_OK;

cleanup:
	kafka_admin_close(&admin);
	return result;
}
