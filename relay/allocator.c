#include "allocator.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#define SETTING "GLIBC_TUNABLES"
/* more than twice the records in flight, for sizes that several headers have */
#define VALUE   "glibc.malloc.tcache_count=40000"

void
allocator_tune(char **argv)
{
#ifdef __GLIBC__
	char path[PATH_MAX];
	ssize_t len;

	if (getenv(SETTING) != NULL)
		return;
	/* by its own path: the process goes by the name it is started by */
	len = readlink("/proc/self/exe", path, sizeof(path) - 1);
	if (len <= 0 || setenv(SETTING, VALUE, 1) != 0)
		return;
	path[len] = '\0';
	(void) execv(path, argv);
#endif
}
