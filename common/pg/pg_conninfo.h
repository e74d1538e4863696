/*
 * pg_conninfo - can a connection string be read?
 *
 * Asked once, with the configuration: when a connection is made from one that
 * cannot, libpq's error repeats the string, and with it a password perhaps.
 */
#ifndef CHEMCHAT_PG_CONNINFO_H
#define CHEMCHAT_PG_CONNINFO_H

#include <stdbool.h>

#include "error.h"

/* True for what libpq takes; else *err, which repeats nothing of it. */
bool pg_conninfo_check(const char *conninfo, Error *err) MUST_CHECK;

/* Does it hold a password, where others might read it? */
bool pg_conninfo_has_password(const char *conninfo);

#endif
