#include "postgres.h"
#include "pgcompat.h"

#include "fmgr.h"

COMPAT_MODULE_MAGIC("chemchat", CHEMCHAT_VERSION);

PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
}
