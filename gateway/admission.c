#include "admission.h"

#include <stdlib.h>

static int64_t later(void);

bool
admission_read(Admission *admission, int waiting, int64_t *retry_ms)
{
	*retry_ms = 0;
	if (waiting < admission->reads_max)
		return true;
	admission->reads_refused++;
	*retry_ms = later();
	return false;
}

bool
admission_entry(Admission *admission, int waiting, int64_t *retry_ms)
{
	*retry_ms = 0;
	if (waiting < admission->entries_max)
		return true;
	admission->entries_refused++;
	*retry_ms = later();
	return false;
}

static int64_t
later(void)
{
	return ADMISSION_RETRY_MS + random() % ADMISSION_SPREAD_MS;
}
