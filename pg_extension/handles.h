/*
 * handles - whom a text names
 *
 * "@handle" at a word's start: not behind an ASCII letter, digit, "_" or "@",
 * so that an address is no mention.  A handle is as long as its characters go
 * (a-z 0-9 . _ -, at most 64, upper case read as lower); whether there is such
 * a user is not known here, nor whether the sentence's full stop was meant.
 */
#ifndef CHEMCHAT_HANDLES_H
#define CHEMCHAT_HANDLES_H

#include "postgres.h"

#include "utils/array.h"

#define HANDLES_MAX 50 /* different ones; what follows is text */

/* A text[], each once, in order; NULL when there are none. */
extern ArrayType *handles_named_in(const char *text, Size len);

#endif
