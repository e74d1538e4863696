/*
 * process - what the kernel says of another process
 *
 * CPU ticks, user and system, of all its threads; 0 when it is gone.
 */
#ifndef CHEMCHAT_PROCESS_H
#define CHEMCHAT_PROCESS_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static inline int64_t
process_ticks(int pid)
{
	char path[64];
	char line[1024];
	FILE *file;
	unsigned long user = 0;
	unsigned long sys = 0;
	char *at;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "r");
	if (!file)
		return 0;
	if (fgets(line, sizeof(line), file) && (at = strrchr(line, ')')) != NULL)
		(void) sscanf(at + 2,
					  "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
					  &user, &sys);
	fclose(file);
	return (int64_t) (user + sys);
}

#endif
