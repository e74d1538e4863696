#include "pg_value.h"

#include <assert.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

/* PostgreSQL counts from 2000-01-01. */
#define PG_EPOCH_US INT64_C(946684800000000)

static int begin(PgParams *params);
static void put_u32(PgParams *params, uint32_t value);
static void put_u64(PgParams *params, uint64_t value);
static void array_item(PgParams *params, const void *value, int len);
static const char *field(const PgResult *result, int row, int column, int len);
static uint64_t get_uint(const char *bytes, int len);

void
pg_params_init(PgParams *params)
{
	memset(params, 0, sizeof(*params));
	buf_init(&params->bytes);
}

void
pg_params_fini(PgParams *params)
{
	buf_fini(&params->bytes);
	params->count = 0;
}

void
pg_params_copy(const PgParams *params, PgParams *copy)
{
	*copy = *params;
	buf_init(&copy->bytes);
	buf_append(&copy->bytes, params->bytes.data, params->bytes.len);
}

void
pg_params_null(PgParams *params)
{
	params->len[begin(params)] = -1;
}

void
pg_params_uuid(PgParams *params, const Uuid *value)
{
	int at = begin(params);

	buf_append(&params->bytes, value->byte, sizeof(value->byte));
	params->len[at] = (int) sizeof(value->byte);
}

void
pg_params_text(PgParams *params, const char *value, size_t len)
{
	int at = begin(params);

	buf_append(&params->bytes, value, len);
	params->len[at] = (int) len;
}

void
pg_params_i32(PgParams *params, int32_t value)
{
	int at = begin(params);

	put_u32(params, (uint32_t) value);
	params->len[at] = 4;
}

void
pg_params_i64(PgParams *params, int64_t value)
{
	int at = begin(params);

	put_u64(params, (uint64_t) value);
	params->len[at] = 8;
}

void
pg_params_bool(PgParams *params, bool value)
{
	int at = begin(params);

	buf_append_char(&params->bytes, value ? 1 : 0);
	params->len[at] = 1;
}

void
pg_params_time_us(PgParams *params, int64_t value)
{
	pg_params_i64(params, value - PG_EPOCH_US);
}

/*
 * array_send's format: dimensions, has-null flag, element type, then per
 * dimension length and lower bound, then the items as length and bytes.  The
 * server reads the nulls from the items; the flag is only looked at.
 */
void
pg_params_array(PgParams *params, PgElement element, int count)
{
	int at = begin(params);
	size_t start = params->bytes.len;

	put_u32(params, count > 0 ? 1 : 0);
	put_u32(params, 1);
	put_u32(params, (uint32_t) element);
	if (count > 0)
	{
		put_u32(params, (uint32_t) count);
		put_u32(params, 1);
	}
	params->len[at] = (int) (params->bytes.len - start);
}

void
pg_params_array_uuid(PgParams *params, const Uuid *value)
{
	array_item(params, value->byte, (int) sizeof(value->byte));
}

void
pg_params_array_text(PgParams *params, const char *value, size_t len)
{
	array_item(params, value, (int) len);
}

void
pg_params_array_i64(PgParams *params, int64_t value)
{
	uint64_t bytes = __builtin_bswap64((uint64_t) value);

	array_item(params, &bytes, 8);
}

void
pg_params_array_null(PgParams *params)
{
	array_item(params, NULL, -1);
}

int
pg_result_rows(const PgResult *result)
{
	return PQntuples((const PGresult *) result);
}

bool
pg_result_is_null(const PgResult *result, int row, int column)
{
	return PQgetisnull((const PGresult *) result, row, column) != 0;
}

Uuid
pg_result_uuid(const PgResult *result, int row, int column)
{
	Uuid id;

	memcpy(id.byte, field(result, row, column, 16), 16);
	return id;
}

int32_t
pg_result_i32(const PgResult *result, int row, int column)
{
	return (int32_t) get_uint(field(result, row, column, 4), 4);
}

int64_t
pg_result_i64(const PgResult *result, int row, int column)
{
	return (int64_t) get_uint(field(result, row, column, 8), 8);
}

int64_t
pg_result_int(const PgResult *result, int row, int column)
{
	switch (PQgetlength((const PGresult *) result, row, column))
	{
		case 2:
			return (int16_t) get_uint(field(result, row, column, 2), 2);
		case 4:
			return pg_result_i32(result, row, column);
		default:
			return pg_result_i64(result, row, column);
	}
}

bool
pg_result_bool(const PgResult *result, int row, int column)
{
	return field(result, row, column, 1)[0] != 0;
}

const char *
pg_result_text(const PgResult *result, int row, int column, size_t *len)
{
	const PGresult *rows = (const PGresult *) result;

	assert(column < PQnfields(rows));
	*len = (size_t) PQgetlength(rows, row, column);
	return PQgetvalue(rows, row, column);
}

int64_t
pg_result_time_us(const PgResult *result, int row, int column)
{
	return pg_result_i64(result, row, column) + PG_EPOCH_US;
}

static int
begin(PgParams *params)
{
	assert(params->count < PG_PARAMS_MAX);
	params->offset[params->count] = params->bytes.len;
	return params->count++;
}

static void
put_u32(PgParams *params, uint32_t value)
{
	value = __builtin_bswap32(value);
	buf_append(&params->bytes, &value, 4);
}

static void
put_u64(PgParams *params, uint64_t value)
{
	value = __builtin_bswap64(value);
	buf_append(&params->bytes, &value, 8);
}

static void
array_item(PgParams *params, const void *value, int len)
{
	size_t start = params->bytes.len;

	assert(params->count > 0);
	put_u32(params, (uint32_t) len);
	if (len > 0)
		buf_append(&params->bytes, value, (size_t) len);
	params->len[params->count - 1] += (int) (params->bytes.len - start);
}

/* The bytes of one value; another size than asked for is a bug of ours. */
static const char *
field(const PgResult *result, int row, int column, int len)
{
	const PGresult *rows = (const PGresult *) result;

	if (column >= PQnfields(rows) || row >= PQntuples(rows) ||
		PQgetlength(rows, row, column) != len)
	{
		log_error("a result has another shape than expected",
				  "column=%d len=%d expected=%d", column,
				  column < PQnfields(rows) && row < PQntuples(rows)
					  ? PQgetlength(rows, row, column)
					  : -1,
				  len);
		abort();
	}
	return PQgetvalue(rows, row, column);
}

static uint64_t
get_uint(const char *bytes, int len)
{
	uint64_t value = 0;

	for (int i = 0; i < len; i++)
		value = value << 8 | (uint8_t) bytes[i];
	return value;
}
