/*
 * ctl_password - a password, from a file or from whoever sits there
 *
 * Never an argument.  A file is one that only we may read (secret_file.h),
 * and its first line is the password; without one it is asked for twice at
 * the terminal, unseen.
 */
#ifndef CHEMCHAT_CTL_PASSWORD_H
#define CHEMCHAT_CTL_PASSWORD_H

#include "error.h"
#include "password_hash.h"

/* Its hash; the password itself is wiped.  file NULL: ask. */
bool ctl_password_hash(const char *file, char hash[PASSWORD_HASH_SIZE],
					   Error *err) MUST_CHECK;

#endif
