/*
 * process - what the kernel says of another process
 *
 * CPU time in us, user and system, of all its threads, ended ones too; 0 when
 * it is gone.  By its clock: the ticks of /proc/PID/stat are 10 ms each, more
 * than an idle process takes in a second.
 */
#ifndef CHEMCHAT_PROCESS_H
#define CHEMCHAT_PROCESS_H

#include <stdint.h>
#include <time.h>

static inline int64_t
process_cpu_us(int pid)
{
	clockid_t clock;
	struct timespec ran;

	if (clock_getcpuclockid(pid, &clock) != 0 ||
		clock_gettime(clock, &ran) != 0)
		return 0;
	return (int64_t) ran.tv_sec * 1000000 + ran.tv_nsec / 1000;
}

#endif
