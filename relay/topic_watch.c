#include "topic_watch.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/eventfd.h>

#include "xalloc.h"

#define WATCH_INTERVAL_S 5
#define WATCH_TIMEOUT_MS 1000

struct TopicWatch
{
	pthread_t thread;
	int fd;
	atomic_bool is_cancelled;
	atomic_bool has_news;

	/* one of both */
	TopicCheckRequest request;
	char recorded_layout[SINK_LAYOUT_SIZE];
	KafkaProducer *producer;
	int partitions[ROUTE_TOPICS];

	pthread_mutex_t lock; /* guards all below */
	pthread_cond_t wake;
	TopicWatchState state;
	TopicCheckResult result;
	TopicCheck check;
	Error err;
};

static void
publish(TopicWatch *watch, TopicWatchState state, const Error *err)
{
	uint64_t one = 1;

	pthread_mutex_lock(&watch->lock);
	watch->state = state;
	watch->err = *err;
	pthread_mutex_unlock(&watch->lock);
	atomic_store(&watch->has_news, true);
	if (write(watch->fd, &one, sizeof(one)) < 0)
		abort(); /* an eventfd takes one more, always */
}

static void *
run_check(void *arg)
{
	TopicWatch *watch = arg;
	Error err = { "" };

	watch->result = topic_check_run(&watch->request, &watch->check, &err);
	publish(watch, WATCH_DONE, &err);
	return NULL;
}

/* False when the watch was cancelled meanwhile. */
static bool
sleep_interval(TopicWatch *watch)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += WATCH_INTERVAL_S;
	pthread_mutex_lock(&watch->lock);
	while (!atomic_load(&watch->is_cancelled) &&
		   pthread_cond_timedwait(&watch->wake, &watch->lock, &until) !=
			   ETIMEDOUT)
		;
	pthread_mutex_unlock(&watch->lock);
	return !atomic_load(&watch->is_cancelled);
}

static void *
run_watch(void *arg)
{
	TopicWatch *watch = arg;

	while (sleep_interval(watch))
	{
		int counts[ROUTE_TOPICS];
		Error err;

		/* Kafka away is not a change: the producer knows what to do then */
		if (!kafka_producer_partitions(watch->producer, counts,
									   WATCH_TIMEOUT_MS, &err))
			continue;
		if (memcmp(counts, watch->partitions, sizeof(counts)) == 0)
			continue;
		error_set(&err, "the topics are not what they were");
		publish(watch, WATCH_CHANGED, &err);
		break;
	}
	return NULL;
}

static TopicWatch *
start(TopicWatch *watch, void *(*run)(void *) )
{
	watch->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	pthread_mutex_init(&watch->lock, NULL);
	pthread_cond_init(&watch->wake, NULL);
	if (watch->fd < 0 || pthread_create(&watch->thread, NULL, run, watch) != 0)
		abort(); /* no descriptor or thread at start: as out of memory */
	return watch;
}

TopicWatch *
topic_watch_check(const TopicCheckRequest *request)
{
	TopicWatch *watch = xcalloc(1, sizeof(*watch));

	watch->request = *request;
	watch->request.is_cancelled = &watch->is_cancelled;
	if (request->identity.recorded_layout != NULL)
	{
		/* its owner may change it while the thread reads */
		strncpy(watch->recorded_layout, request->identity.recorded_layout,
				sizeof(watch->recorded_layout) - 1);
		watch->request.identity.recorded_layout = watch->recorded_layout;
	}
	return start(watch, run_check);
}

TopicWatch *
topic_watch_partitions(KafkaProducer *producer,
					   const int partitions[ROUTE_TOPICS])
{
	TopicWatch *watch = xcalloc(1, sizeof(*watch));

	watch->producer = producer;
	memcpy(watch->partitions, partitions, sizeof(watch->partitions));
	return start(watch, run_watch);
}

void
topic_watch_free(TopicWatch **watch_ref)
{
	TopicWatch *watch = *watch_ref;

	if (watch == NULL)
		return;
	*watch_ref = NULL;
	pthread_mutex_lock(&watch->lock);
	atomic_store(&watch->is_cancelled, true);
	pthread_cond_signal(&watch->wake);
	pthread_mutex_unlock(&watch->lock);
	pthread_join(watch->thread, NULL);
	pthread_cond_destroy(&watch->wake);
	pthread_mutex_destroy(&watch->lock);
	close(watch->fd);
	free(watch);
}

int
topic_watch_fd(const TopicWatch *watch)
{
	return watch->fd;
}

bool
topic_watch_has_news(const TopicWatch *watch)
{
	return atomic_load_explicit(&watch->has_news, memory_order_relaxed);
}

void
topic_watch_hush(TopicWatch *watch)
{
	uint64_t ignored;

	if (read(watch->fd, &ignored, sizeof(ignored)) < 0)
		ignored = 0; /* nothing to be read: silent already */
}

TopicWatchState
topic_watch_state(TopicWatch *watch, Error *err)
{
	TopicWatchState state;

	pthread_mutex_lock(&watch->lock);
	state = watch->state;
	*err = watch->err;
	pthread_mutex_unlock(&watch->lock);
	return state;
}

TopicCheckResult
topic_watch_result(TopicWatch *watch, TopicCheck *check, Error *err)
{
	pthread_mutex_lock(&watch->lock);
	*check = watch->check;
	*err = watch->err;
	pthread_mutex_unlock(&watch->lock);
	return watch->result;
}
