/*
 * clock - what time it is; tests set it
 *
 * clock_now_us is monotonic, for deadlines and durations; clock_wall_us is
 * microseconds since 1970 (UTC), for what people and other machines read.
 */
#ifndef CHEMCHAT_CLOCK_H
#define CHEMCHAT_CLOCK_H

#include <stdint.h>

int64_t clock_now_us(void);
int64_t clock_wall_us(void);

/* Freezes both clocks at the given values; clock_unset goes back. */
void clock_set(int64_t now_us, int64_t wall_us);
void clock_unset(void);

/* "2026-11-22T17:52:40.123456Z" (RFC 3339); buf holds CLOCK_TEXT_SIZE. */
#define CLOCK_TEXT_SIZE 32
char *clock_format(int64_t wall_us, char *buf);

#endif
