#include "slots.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "relay.h"
#include "sink_kafka.h"
#include "sink_redis.h"

#define MAX_SLOTS       2
#define LOOK_EVERY_MS   200
#define TURN_OVERDUE_US 5000000

typedef struct Slot
{
	Relay *relay;
	RelayMetrics metrics;
	pthread_t thread;
	atomic_bool is_over;
	int exit_code;
} Slot;

typedef struct Slots
{
	const RelayConfig *config;
	SinkKafkaConfig kafka;
	SinkRedisMetrics redis_metrics;
	Slot slot[MAX_SLOTS];
	int count;
	int running; /* their threads */
} Slots;

static void *
run_slot(void *arg)
{
	Slot *slot = arg;

	slot->exit_code = relay_run(slot->relay);
	atomic_store(&slot->is_over, true);
	return NULL;
}

static PgTarget
target(const RelayConfig *config, bool is_replication)
{
	return (PgTarget){ .conninfo = config->pg,
					   .password_file = config->pg_password_file,
					   .application_name = "chemchat-relay",
					   .is_replication = is_replication,
					   .connect_timeout_ms = config->pg_connect_timeout_ms };
}

static RelaySpec
common_spec(const RelayConfig *config)
{
	return (RelaySpec){
		.replication = target(config, true),
		.ordinary = target(config, false),
		.shard = 0,
		.shards = 1,
		.slot_lock_timeout_ms = config->slot_lock_timeout_ms,
		.drain_timeout_ms = config->drain_timeout_ms,
	};
}

static void
add_kafka(Slots *slots)
{
	const RelayConfig *config = slots->config;
	Slot *slot = &slots->slot[slots->count++];
	RelaySpec spec = common_spec(config);

	slots->kafka = (SinkKafkaConfig){
		.kafka = { .brokers = config->kafka,
				   .properties_file = config->kafka_properties_file,
				   .client_id = "chemchat-relay" },
		.linger_us = config->kafka_linger_us,
		.max_in_flight_bytes = config->max_in_flight_bytes,
		.may_create_topics = config->topics_create,
		.partitions = (int) config->topics_partitions,
		.replication = (int) config->topics_replication,
	};
	relay_metrics_init(&slot->metrics, config->sink);
	spec.name = config->sink;
	spec.adopts_change = config->adopt_topics;
	spec.metrics = &slot->metrics;
	spec.sink = strcmp(config->sink, "null") == 0
					? sink_null_new()
					: sink_kafka_new(&slots->kafka, &slot->metrics);
	slot->relay = relay_new(&spec);
}

static bool
add_live(Slots *slots, Error *err)
{
	const RelayConfig *config = slots->config;
	Slot *slot = &slots->slot[slots->count];
	RelaySpec spec = common_spec(config);
	SinkRedisConfig redis = { .url = config->redis_url,
							  .password_file = config->redis_password_file,
							  .metrics = &slots->redis_metrics };

	sink_redis_metrics_init(&slots->redis_metrics);
	spec.sink = sink_redis_new(&redis, err);
	if (spec.sink == NULL)
		return false;
	relay_metrics_init(&slot->metrics, "live");
	spec.name = "live";
	spec.is_live = true;
	spec.metrics = &slot->metrics;
	slot->relay = relay_new(&spec);
	slots->count++;
	return true;
}

static bool
start(Slots *slots)
{
	for (; slots->running < slots->count; slots->running++)
	{
		Slot *slot = &slots->slot[slots->running];

		if (pthread_create(&slot->thread, NULL, run_slot, slot) != 0)
		{
			log_error("could not start a thread", NULL);
			return false;
		}
	}
	return true;
}

static void
stop_all(Slots *slots)
{
	for (int i = 0; i < slots->running; i++)
		relay_stop(slots->slot[i].relay);
}

/* Says how all of them fare; false when one of them has ended. */
static bool
look(const Slots *slots, Daemon *daemon)
{
	int64_t now_us = clock_now_us();
	bool do_turn = true;
	const char *not_ready = NULL;

	for (int i = 0; i < slots->count; i++)
	{
		const Slot *slot = &slots->slot[i];

		if (atomic_load(&slot->is_over))
			return false;
		if (now_us - relay_turned_us(slot->relay) > TURN_OVERDUE_US)
			do_turn = false;
		if (not_ready == NULL)
			not_ready = relay_not_ready(slot->relay);
	}
	if (do_turn)
		daemon_turned(daemon);
	daemon_set_ready(daemon, not_ready == NULL, not_ready);
	return true;
}

static void
watch(const Slots *slots, Daemon *daemon)
{
	struct pollfd wake = { .fd = daemon_wake_fd(daemon), .events = POLLIN };

	while (!daemon_is_draining(daemon) && look(slots, daemon))
		(void) poll(&wake, 1, LOOK_EVERY_MS);
}

/* Waits for all; the first exit code that is not 0 is the process's. */
static int
join_all(Slots *slots, Daemon *daemon)
{
	int exit_code = EXIT_OK;

	for (int i = 0; i < slots->running; i++)
	{
		Slot *slot = &slots->slot[i];

		while (!atomic_load(&slot->is_over))
		{
			daemon_turned(daemon); /* draining is bounded by itself */
			(void) poll(NULL, 0, 10);
		}
		(void) pthread_join(slot->thread, NULL);
		if (exit_code == EXIT_OK)
			exit_code = slot->exit_code;
	}
	return exit_code;
}

int
slots_run(Daemon *daemon, const void *config)
{
	Slots slots = { .config = config };
	int exit_code = EXIT_UNAVAILABLE;
	Error err;

	add_kafka(&slots);
	if (slots.config->redis_url != NULL && !add_live(&slots, &err))
	{
		log_error("could not prepare live delivery", "reason=%s",
				  log_quote(err.text));
		exit_code = EXIT_CONFIG;
		goto cleanup;
	}
	if (start(&slots))
	{
		watch(&slots, daemon);
		exit_code = EXIT_OK;
	}

cleanup:
	stop_all(&slots);
	if (slots.running > 0)
	{
		int ended = join_all(&slots, daemon);

		if (exit_code == EXIT_OK)
			exit_code = ended;
	}
	for (int i = 0; i < slots.count; i++)
		relay_free(&slots.slot[i].relay);
	return exit_code;
}
