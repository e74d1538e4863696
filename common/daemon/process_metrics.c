#include "process_metrics.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static void write_cpu(Buf *out);
static void write_memory(Buf *out);
static void write_descriptors(Buf *out);
static void write_start(Buf *out);
static bool read_file(const char *path, char *text, size_t size);
static void write_one(Buf *out, const char *name, const char *type,
					  const char *help, uint64_t value);

void
process_metrics_write(Buf *out)
{
	write_cpu(out);
	write_memory(out);
	write_descriptors(out);
	write_start(out);
}

static void
write_cpu(Buf *out)
{
	struct rusage use;

	if (getrusage(RUSAGE_SELF, &use) != 0)
		return;
	buf_printf(out,
			   "# HELP process_cpu_seconds_total User and system CPU time.\n"
			   "# TYPE process_cpu_seconds_total counter\n"
			   "process_cpu_seconds_total %.6f\n",
			   (double) (use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
				   (double) (use.ru_utime.tv_usec + use.ru_stime.tv_usec) /
					   1e6);
}

static void
write_memory(Buf *out)
{
	uint64_t page_bytes = (uint64_t) sysconf(_SC_PAGESIZE);
	char text[256];
	char *rest;
	uint64_t total_pages;
	uint64_t resident_pages;

	if (!read_file("/proc/self/statm", text, sizeof text))
		return;
	total_pages = strtoull(text, &rest, 10);
	resident_pages = strtoull(rest, NULL, 10);
	write_one(out, "process_virtual_memory_bytes", "gauge",
			  "Size of the address space.", total_pages * page_bytes);
	write_one(out, "process_resident_memory_bytes", "gauge", "Memory in RAM.",
			  resident_pages * page_bytes);
}

static void
write_descriptors(Buf *out)
{
	struct rlimit limit;
	uint64_t count = 0;
	DIR *dir = opendir("/proc/self/fd");

	if (dir != NULL)
	{
		while (readdir(dir) != NULL)
			count++;
		(void) closedir(dir);
		/* not ".", "..", nor the one that just read them */
		write_one(out, "process_open_fds", "gauge", "Open file descriptors.",
				  count > 3 ? count - 3 : 0);
	}
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		write_one(out, "process_max_fds", "gauge",
				  "Limit of open file descriptors.", limit.rlim_cur);
}

static void
write_start(Buf *out)
{
	char stat[1024];
	uint64_t ticks;
	struct timespec boot;
	struct timespec wall;
	const char *at;

	if (!read_file("/proc/self/stat", stat, sizeof stat))
		return;

	/* field 22, counted behind the name, which may hold anything but ')' */
	at = strrchr(stat, ')');
	for (int field = 2; at != NULL && field < 22; field++)
	{
		at = strchr(at, ' ');
		at = at != NULL ? at + 1 : NULL;
	}
	if (at == NULL || clock_gettime(CLOCK_BOOTTIME, &boot) != 0 ||
		clock_gettime(CLOCK_REALTIME, &wall) != 0)
		return;
	ticks = strtoull(at, NULL, 10);
	write_one(out, "process_start_time_seconds", "gauge",
			  "When the process began, seconds since 1970.",
			  (uint64_t) (wall.tv_sec - boot.tv_sec) +
				  ticks / (uint64_t) sysconf(_SC_CLK_TCK));
}

static bool
read_file(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "re");
	size_t len;

	if (file == NULL)
		return false;
	len = fread(text, 1, size - 1, file);
	text[len] = '\0';
	(void) fclose(file);
	return len > 0;
}

static void
write_one(Buf *out, const char *name, const char *type, const char *help,
		  uint64_t value)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %" PRIu64 "\n", name, help,
			   name, type, name, value);
}
