#include "topic_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kafka_admin.h"
#include "log.h"
#include "lsn.h"
#include "topics.h"
#include "xalloc.h"

/* of a question that cannot be cancelled */
#define ASK_TIMEOUT_MS  2000
#define READ_TIMEOUT_MS 15000

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

/* Compares with what is on record; a stop unless the change is adopted. */
static bool
is_as_recorded(const SinkIdentity *identity, const Layout *recorded,
			   TopicCheck *check, Error *err)
{
	check->stop_name = layout_compare(recorded, check->partitions, err);
	if (check->stop_name == NULL)
		return true;
	check->found.is_changed = true;
	return identity->adopts_change;
}

/* Is it still the record that was acknowledged there? */
static bool
is_same_record(const KafkaProbe *probe, uint64_t commit_lsn)
{
	SinkPosition position;

	switch (probe->found)
	{
		case KAFKA_REMOVED:
			return true; /* by retention or compaction: the rest is later */
		case KAFKA_ENDED:
			return false;
		case KAFKA_RECORD:
			break;
	}
	return topic_check_position(probe->value, strlen(probe->value),
								&position) &&
		   position.commit_lsn == commit_lsn;
}

/*
 * A topic is known by its last records: one of this name that was made again
 * ends before them, or has others in their places.
 */
static bool
find_changed(const TopicCheckRequest *request, KafkaAdmin *admin,
			 const Layout *recorded, TopicCheck *check, Error *err)
{
	int partitions = 0;
	int count = 0;
	KafkaProbe *probes;
	bool ok;

	for (int t = 0; t < ROUTE_TOPICS; t++)
		partitions += recorded->partitions[t];
	probes = xcalloc((size_t) partitions + 1, sizeof(*probes));
	for (int t = 0; t < ROUTE_TOPICS; t++)
	{
		for (int p = 0; p < recorded->partitions[t]; p++)
		{
			if (recorded->last[t][p].offset >= 0)
				probes[count++] =
					(KafkaProbe){ .topic = route_topic_names[t],
								  .partition = p,
								  .offset = recorded->last[t][p].offset };
		}
	}
	ok = !is_cancelled(request, err) &&
		 kafka_admin_probe(admin, probes, count, HEADER_POSITION,
						   READ_TIMEOUT_MS, err);
	for (int t = 0, i = 0; ok && t < ROUTE_TOPICS; t++)
	{
		for (int p = 0; p < recorded->partitions[t]; p++)
		{
			const LayoutLast *last = &recorded->last[t][p];

			if (last->offset < 0)
				continue;
			if (!is_same_record(&probes[i++], last->commit_lsn) &&
				check->stop_name == NULL)
			{
				check->stop_name = "TOPIC_RECREATED";
				error_set(err,
						  "topic %s has lost records: it was made again "
						  "(partition %d, offset %" PRId64 ")",
						  route_topic_names[t], p, last->offset);
			}
		}
	}
	free(probes);
	return ok;
}

TopicCheckResult
topic_check_run(const TopicCheckRequest *request, TopicCheck *check, Error *err)
{
	TopicCheckResult result = TOPICS_UNAVAILABLE;
	const SinkIdentity *identity = &request->identity;
	KafkaAdmin *admin =
		kafka_admin_open(&request->kafka, request->is_cancelled, err);
	Layout recorded;
	Layout now;

	memset(check, 0, sizeof(*check));
	layout_init_parse(&recorded, identity->recorded_layout != NULL
									 ? identity->recorded_layout
									 : "{}");
	/* the history asked about has its place, however many others there are */
	topic_check_note(&check->found,
					 &(SinkPosition){ .system_id = identity->system_id,
									  .timeline = identity->timeline });
	if (admin == NULL || !ask_partitions(request, admin, check, err))
		goto cleanup;
	if (!is_as_recorded(identity, &recorded, check, err))
	{
		result = TOPICS_STOP;
		goto cleanup;
	}
	if (!create_missing(request, admin, check, err) || !has_all(check, err) ||
		is_cancelled(request, err) ||
		!kafka_admin_limits(admin, route_topic_names, ROUTE_TOPICS,
							ASK_TIMEOUT_MS, check->limits, err))
		goto cleanup;
	if (!check->found.is_changed)
	{
		if (!find_changed(request, admin, &recorded, check, err))
			goto cleanup;
		check->found.is_changed = check->stop_name != NULL;
		if (check->found.is_changed && !identity->adopts_change)
		{
			result = TOPICS_STOP;
			goto cleanup;
		}
	}
	if (is_cancelled(request, err) ||
		!kafka_admin_last(admin, TOPIC_MESSAGES,
						  check->partitions[ROUTE_MESSAGES], HEADER_POSITION,
						  READ_TIMEOUT_MS, on_position, &check->found, err))
		goto cleanup;
	layout_init(&now, check->partitions);
	if (!check->found.is_changed)
		layout_take_last(&now, &recorded);
	layout_format(&now, check->found.layout);
	layout_fini(&now);
	check->stop_name = NULL;
	result = TOPICS_OK;

cleanup:
	layout_fini(&recorded);
	kafka_admin_close(&admin);
	return result;
}
