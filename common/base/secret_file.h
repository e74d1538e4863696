/*
 * secret_file - what only we may read
 *
 * A secret lives in a regular file that neither group nor others may read.
 * One exception: a file of root's may be readable by a group of ours, since
 * that is how Kubernetes mounts secrets (the rule PostgreSQL has for keys).
 * Checked on the open descriptor, so what was checked is what is read.
 */
#ifndef CHEMCHAT_SECRET_FILE_H
#define CHEMCHAT_SECRET_FILE_H

#include "buf.h"
#include "error.h"

#define SECRET_FILE_MAX_SIZE 65536

/* Could it be read now?  The reason in err names the path. */
bool secret_file_check(const char *path, Error *err) MUST_CHECK;

/* Appends the whole content; wipe it with secret_file_wipe after use. */
bool secret_file_read(const char *path, Buf *out, Error *err) MUST_CHECK;

/* Overwrites and resets. */
void secret_file_wipe(Buf *secret);

#endif
