/*
 * pg_value - parameters and results in PostgreSQL's binary format
 *
 * Parameters are copied when they are added, so a request can wait in a queue
 * after its caller's memory is gone.  A result is borrowed from the library
 * for the length of a callback; texts point into it and end with a NUL.
 *
 * Asking a result for a column it does not have, or of another size than the
 * type's, is a bug and aborts: the shapes are those of docs/sql.md.
 */
#ifndef CHEMCHAT_PG_VALUE_H
#define CHEMCHAT_PG_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "uuid.h"

#define PG_PARAMS_MAX 8

typedef struct PgParams
{
	Buf bytes;
	int count;
	size_t offset[PG_PARAMS_MAX];
	int len[PG_PARAMS_MAX]; /* -1: NULL */
} PgParams;

void pg_params_init(PgParams *params);
void pg_params_fini(PgParams *params);
void pg_params_copy(const PgParams *params, PgParams *copy);

void pg_params_null(PgParams *params);
void pg_params_uuid(PgParams *params, const Uuid *value);
void pg_params_text(PgParams *params, const char *value, size_t len);
void pg_params_i32(PgParams *params, int32_t value);
void pg_params_i64(PgParams *params, int64_t value);
void pg_params_bool(PgParams *params, bool value);

/* Microseconds since 1970 (UTC). */
void pg_params_time_us(PgParams *params, int64_t value);

/* A one-dimensional array: begin, then exactly count items. */
typedef enum PgElement
{
	PG_ELEMENT_UUID = 2950,
	PG_ELEMENT_TEXT = 25,
	PG_ELEMENT_INT8 = 20
} PgElement;

void pg_params_array(PgParams *params, PgElement element, int count);
void pg_params_array_uuid(PgParams *params, const Uuid *value);
void pg_params_array_text(PgParams *params, const char *value, size_t len);
void pg_params_array_i64(PgParams *params, int64_t value);
void pg_params_array_null(PgParams *params);

typedef struct PgResult PgResult;

int pg_result_rows(const PgResult *result);
bool pg_result_is_null(const PgResult *result, int row, int column);
Uuid pg_result_uuid(const PgResult *result, int row, int column);
int32_t pg_result_i32(const PgResult *result, int row, int column);
int64_t pg_result_i64(const PgResult *result, int row, int column);
/* An integer of any size. */
int64_t pg_result_int(const PgResult *result, int row, int column);
bool pg_result_bool(const PgResult *result, int row, int column);

/* text, json; NULL reads as "". */
const char *pg_result_text(const PgResult *result, int row, int column,
						   size_t *len);

/* Microseconds since 1970 (UTC). */
int64_t pg_result_time_us(const PgResult *result, int row, int column);

#endif
