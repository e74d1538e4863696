/*
 * lsn - WAL positions as text: "16/B374D848" (PostgreSQL's pg_lsn)
 *
 * Pure.
 */
#ifndef CHEMCHAT_LSN_H
#define CHEMCHAT_LSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LSN_TEXT_SIZE 18 /* 8 + '/' + 8 + NUL */

/* Writes the text and a NUL; returns its length. */
size_t lsn_format(uint64_t lsn, char out[LSN_TEXT_SIZE]);

/* Exactly len bytes: 1-8 hex digits, '/', 1-8 hex digits. */
bool lsn_parse(const char *text, size_t len, uint64_t *out);

#endif
