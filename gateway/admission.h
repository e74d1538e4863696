/*
 * admission - how many may wait for the database, and when the others come
 *
 * After a gateway is gone all of its clients come to the others at once: a
 * hello each, then heads and changes.  The database is asked by few
 * connections; what waits for them is bounded here, so that nobody waits for
 * longer than the deadline, and who is sent away is told a time at random, so
 * that they do not come back together.
 *
 * One thread.  Times from random().
 */
#ifndef CHEMCHAT_ADMISSION_H
#define CHEMCHAT_ADMISSION_H

#include <stdbool.h>
#include <stdint.h>

#define ADMISSION_RETRY_MS  1000 /* at least */
#define ADMISSION_SPREAD_MS 4000

typedef struct Admission
{
	int reads_max;   /* waiting for the database, or under way there */
	int entries_max; /* hellos and first polls */
	uint64_t reads_refused;
	uint64_t entries_refused;
} Admission;

/* waiting: how many there are now.  False: *retry_ms. */
bool admission_read(Admission *admission, int waiting, int64_t *retry_ms);
bool admission_entry(Admission *admission, int waiting, int64_t *retry_ms);

#endif
