/*
 * chemchat - the library: its settings and what it hooks into
 *
 * In:      calls of the functions in schema/, transaction ends
 * Out:     rows, events in the WAL
 * Promise: a row changes if and only if its event is written (outbox.h)
 */
#include "postgres.h"
#include "pgcompat.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/uuid.h"

#include "guard.h"
#include "outbox.h"
#include "partition.h"
#include "redis_keys.h"

COMPAT_MODULE_MAGIC("chemchat", CHEMCHAT_VERSION);

PGDLLEXPORT void _PG_init(void);

static bool check_traceparent(char **value, void **extra, GucSource source);

PG_FUNCTION_INFO_V1(chemchat_library_version);
PG_FUNCTION_INFO_V1(chemchat_live_channel);

void
_PG_init(void)
{
	DefineCustomStringVariable(
		"chemchat.traceparent",
		"W3C trace context for the events this transaction writes.",
		"55 characters, version 00; empty for none.  Use SET LOCAL.",
		&outbox_session_trace, "", PGC_USERSET, 0, check_traceparent, NULL,
		NULL);
	MarkGUCPrefixReserved("chemchat");
	guard_init();
}

/* _library_version() -> text */
Datum
chemchat_library_version(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(CHEMCHAT_VERSION));
}

/* _live_channel(key uuid) -> int: where the key's events go live. */
Datum
chemchat_live_channel(PG_FUNCTION_ARGS)
{
	char key[36];

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	partition_key_text(PG_GETARG_UUID_P(0)->data, key);
	PG_RETURN_INT32((int32) partition_of(key, sizeof(key), LIVE_CHANNELS));
}

static bool
check_traceparent(char **value, void **extra, GucSource source)
{
	size_t len = strlen(*value);

	if (len == 0 || outbox_is_traceparent(*value, len))
		return true;
	GUC_check_errdetail("A traceparent is \"00-\", 32 hexadecimal digits, "
						"\"-\", 16, \"-\", 2, in lower case.");
	return false;
}
