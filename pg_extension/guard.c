#include "postgres.h"
#include "pgcompat.h"

#include "guard.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/pg_extension.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "epoch.h"
#include "errors.h"

static bool has_event;
static bool is_version_checked;

static void check_durability(void);
static void check_version(void);
static char *installed_version(void);
static void at_transaction_end(XactEvent event, void *arg);
static void at_subtransaction_end(SubXactEvent event, SubTransactionId id,
								  SubTransactionId parent, void *arg);
static void on_function_change(Datum arg, int cache, uint32 hash);

PG_FUNCTION_INFO_V1(chemchat_begin_write);

void
guard_init(void)
{
	RegisterXactCallback(at_transaction_end, NULL);
	RegisterSubXactCallback(at_subtransaction_end, NULL);
	CacheRegisterSyscacheCallback(PROCOID, on_function_change, (Datum) 0);
}

void
guard_begin_write(void)
{
	/* As for any INSERT: a standby has no timeline to write on. */
	PreventCommandIfReadOnly("a chat write");
	PreventCommandDuringRecovery("a chat write");
	check_version();
	if (IsolationUsesXactSnapshot())
		chat_raise(CHAT_UNSAFE_ISOLATION, NULL, NULL);
	check_durability();
}

void
guard_note_event(void)
{
	has_event = true;
}

/*
 * _begin_write(): opens every writing function in SQL.  Returns the lowest
 * rev of this history: a new rev is greatest(old + 1, that).
 */
Datum
chemchat_begin_write(PG_FUNCTION_ARGS)
{
	guard_begin_write();
	PG_RETURN_INT64(epoch_first_rev());
}

static void
check_durability(void)
{
	if (synchronous_commit < SYNCHRONOUS_COMMIT_REMOTE_FLUSH)
		chat_raise(CHAT_UNSAFE_DURABILITY, NULL, NULL);
}

/*
 * ALTER EXTENSION UPDATE always makes functions anew, which calls
 * on_function_change() in every session; so looking once is enough until then.
 */
static void
check_version(void)
{
	char *installed;

	if (is_version_checked)
		return;
	is_version_checked = true;
	installed = installed_version();
	if (installed == NULL || strcmp(installed, CHEMCHAT_VERSION) != 0)
	{
		is_version_checked = false;
		chat_raise(CHAT_LIBRARY_MISMATCH, NULL,
				   psprintf("chemchat.so is %s, its SQL is %s",
							CHEMCHAT_VERSION,
							installed ? installed : "missing"));
	}
}

/* pg_extension.extversion of chemchat, NULL when it is not installed. */
static char *
installed_version(void)
{
	Relation extensions = table_open(ExtensionRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple tuple;
	char *version = NULL;

	ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber,
				F_NAMEEQ, CStringGetDatum("chemchat"));
	scan = systable_beginscan(extensions, ExtensionNameIndexId, true, NULL, 1,
							  &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		bool is_null;
		Datum value = heap_getattr(tuple, Anum_pg_extension_extversion,
								   RelationGetDescr(extensions), &is_null);

		if (!is_null)
			version = TextDatumGetCString(value);
	}
	systable_endscan(scan);
	table_close(extensions, AccessShareLock);
	return version;
}

static void
at_transaction_end(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
			if (has_event)
				check_durability();
			break;
		case XACT_EVENT_PRE_PREPARE:
			if (has_event)
				chat_raise(CHAT_UNSAFE_DURABILITY, NULL,
						   "a transaction with chat events cannot be prepared");
			break;
		case XACT_EVENT_ABORT:
			has_event = false;
			epoch_forget();
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_PREPARE:
			has_event = false;
			break;
		case XACT_EVENT_PARALLEL_COMMIT:
		case XACT_EVENT_PARALLEL_ABORT:
		case XACT_EVENT_PARALLEL_PRE_COMMIT:
			break;
	}
}

/* A rolled-back savepoint may have taken the epoch's row with it. */
static void
at_subtransaction_end(SubXactEvent event, SubTransactionId id,
					  SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		epoch_forget();
}

static void
on_function_change(Datum arg, int cache, uint32 hash)
{
	is_version_checked = false;
	epoch_forget(); /* maybe the extension was made anew */
}
