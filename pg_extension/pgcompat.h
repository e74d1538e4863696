/*
 * pgcompat - what differs between PostgreSQL 15 and 19
 *
 * The only place where PG_VERSION_NUM is looked at.  Include it right behind
 * postgres.h; it pulls in nothing that the including file does not need,
 * so the macros name functions whose headers the user includes.
 */
#ifndef CHEMCHAT_PGCOMPAT_H
#define CHEMCHAT_PGCOMPAT_H

#if PG_VERSION_NUM < 150000
#error "ChemChat needs PostgreSQL 15 or later"
#endif

/* 16 moved VARDATA_ANY and its friends out of postgres.h. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* 18: the module tells its name and version. */
#if PG_VERSION_NUM >= 180000
#define COMPAT_MODULE_MAGIC(n, v) PG_MODULE_MAGIC_EXT(.name = n, .version = v)
#else
#define COMPAT_MODULE_MAGIC(n, v) PG_MODULE_MAGIC
#endif

/* 17: a flag to flush at once, for messages that are not transactional. */
#if PG_VERSION_NUM >= 170000
#define compat_log_logical_message(prefix, data, size, transactional)          \
	LogLogicalMessage(prefix, data, size, transactional, false)
#else
#define compat_log_logical_message(prefix, data, size, transactional)          \
	LogLogicalMessage(prefix, data, size, transactional)
#endif

/* 15 names the union in ReorderBufferTXN, 19 took the name away. */
#if PG_VERSION_NUM >= 190000
#define COMPAT_TXN_COMMIT_TIME(txn) ((txn)->commit_time)
#else
#define COMPAT_TXN_COMMIT_TIME(txn) ((txn)->xact_time.commit_time)
#endif

/* From 16 the server itself reports progress while changes are skipped. */
#define COMPAT_SERVER_REPORTS_PROGRESS (PG_VERSION_NUM >= 160000)

/* 18 took C23's place for it: in front of a declaration. */
#if PG_VERSION_NUM >= 180000
#define COMPAT_NORETURN pg_noreturn
#else
#define COMPAT_NORETURN pg_attribute_noreturn()
#endif

#endif
