/*
 * property - random numbers for property tests
 *
 * The seed is new at each run and printed when the test begins, so that a
 * failure can be had again: TEST_SEED=123 build/release/tests/unit/...
 */
#ifndef CHEMCHAT_TEST_PROPERTY_H
#define CHEMCHAT_TEST_PROPERTY_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

typedef struct Random
{
	uint64_t state;
} Random;

static inline Random
random_begin(void)
{
	const char *given = getenv("TEST_SEED");
	Random random = { 1 };

	if (given != NULL)
		random.state = strtoull(given, NULL, 10);
	else if (getrandom(&random.state, sizeof random.state, 0) < 0)
		random.state = 1;
	(void) printf("# TEST_SEED=%llu\n", (unsigned long long) random.state);
	return random;
}

/* splitmix64 */
static inline uint64_t
random_next(Random *random)
{
	uint64_t z = random->state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* 0 .. bound - 1 */
static inline uint64_t
random_below(Random *random, uint64_t bound)
{
	return random_next(random) % bound;
}

#endif
