/*
 * topic_watch - Kafka's slow questions, asked from a thread
 *
 * At start it runs topic_check; afterwards it compares the topics' partition
 * counts every few seconds through the producer's own client.  The loop's
 * thread reads the outcome and waits on a descriptor, so a broker that does
 * not answer costs it nothing.
 *
 * One thread owns a TopicWatch and calls these; the other is inside.
 */
#ifndef CHEMCHAT_TOPIC_WATCH_H
#define CHEMCHAT_TOPIC_WATCH_H

#include "kafka_producer.h"
#include "topic_check.h"

typedef struct TopicWatch TopicWatch;

typedef enum TopicWatchState
{
	WATCH_RUNNING, /* a check is under way, or nothing changed so far */
	WATCH_DONE,    /* the check is over: topic_watch_result */
	WATCH_CHANGED  /* a topic is not what it was: err */
} TopicWatchState;

/* Runs one check; request is copied, the texts in it are borrowed. */
TopicWatch *topic_watch_check(const TopicCheckRequest *request);

/* Watches until freed; borrows the producer, which must live longer. */
TopicWatch *topic_watch_partitions(KafkaProducer *producer,
								   const int partitions[ROUTE_TOPICS]);

/* Ends the thread: waits for the question under way (1 s, a check 3 s). */
void topic_watch_free(TopicWatch **watch);

/* Readable once there is an outcome; has_news says the same without a lock. */
int topic_watch_fd(const TopicWatch *watch);
bool topic_watch_has_news(const TopicWatch *watch);

/* No longer readable: who cannot use the outcome yet would wake for ever. */
void topic_watch_hush(TopicWatch *watch);

TopicWatchState topic_watch_state(TopicWatch *watch, Error *err);

/* After WATCH_DONE: moves the outcome out. */
TopicCheckResult topic_watch_result(TopicWatch *watch, TopicCheck *check,
									Error *err);

#endif
