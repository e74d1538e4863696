/*
 * problem - an error as REST tells it (RFC 9457)
 *
 * The codes are the WebSocket's (docs/protocol.md); each has its status.
 *
 * Pure.
 */
#ifndef CHEMCHAT_PROBLEM_H
#define CHEMCHAT_PROBLEM_H

#include <stdint.h>

#include "buf.h"

#define PROBLEM_TYPE "application/problem+json"

typedef struct Problem
{
	const char *code;
	int status;         /* 0: the code's own */
	const char *field;  /* "" or NULL: none */
	const char *detail; /* NULL: none */
	int64_t offset;     /* in the body; -1: none */
	int64_t retry_ms;   /* 0: the code's own */
} Problem;

/* field: an unknown user who is the asker herself (no field) is 401. */
int problem_status(const char *code, const char *field);

void problem_write(const Problem *problem, Buf *out);

#endif
