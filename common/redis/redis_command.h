/*
 * redis_command - a command as bytes (RESP2 array of bulk strings)
 *
 * Pure.  What redisFormatCommandArgv makes, without its allocation: the live
 * slot writes one of these for every transaction.
 */
#ifndef CHEMCHAT_REDIS_COMMAND_H
#define CHEMCHAT_REDIS_COMMAND_H

#include <stdbool.h>

#include "buf.h"

/*
 * Appends it, unless `out` would then hold more than max_bytes: false, and
 * nothing of it was appended.  argv_len NULL: all are C strings.
 */
bool redis_command_append(Buf *out, int argc, const char *const *argv,
						  const size_t *argv_len, size_t max_bytes);

#endif
