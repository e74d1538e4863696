/* uses: common/pg common/base */
/* pkgs: libpq */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <libpq-fe.h>

#include "pg_value.h"

static void
numbers_go_in_network_order(void **state)
{
	PgParams params;

	(void) state;
	pg_params_init(&params);
	pg_params_i32(&params, -2);
	pg_params_i64(&params, INT64_C(0x0102030405060708));
	pg_params_null(&params);
	pg_params_text(&params, "", 0);
	assert_int_equal(params.count, 4);
	assert_memory_equal(params.bytes.data + params.offset[0],
						"\xff\xff\xff\xfe", 4);
	assert_memory_equal(params.bytes.data + params.offset[1],
						"\1\2\3\4\5\6\7\10", 8);
	assert_int_equal(params.len[2], -1);
	assert_int_equal(params.len[3], 0);
	pg_params_fini(&params);
}

static void
an_array_is_as_array_recv_reads_it(void **state)
{
	static const char expected[] = "\0\0\0\1\0\0\0\1\0\0\0\x19\0\0\0\3\0\0\0\1"
								   "\0\0\0\2hi\xff\xff\xff\xff\0\0\0\0";
	PgParams params;

	(void) state;
	pg_params_init(&params);
	pg_params_array(&params, PG_ELEMENT_TEXT, 3);
	pg_params_array_text(&params, "hi", 2);
	pg_params_array_null(&params);
	pg_params_array_text(&params, "", 0);
	assert_int_equal(params.count, 1);
	assert_int_equal(params.len[0], sizeof(expected) - 1);
	assert_memory_equal(params.bytes.data, expected, sizeof(expected) - 1);
	pg_params_fini(&params);
}

static void
times_count_from_2000_and_truths_are_a_byte(void **state)
{
	PgParams params;

	(void) state;
	pg_params_init(&params);
	pg_params_time_us(&params, INT64_C(946684800000001));
	pg_params_bool(&params, true);
	pg_params_array(&params, PG_ELEMENT_INT8, 1);
	pg_params_array_i64(&params, 258);
	assert_memory_equal(params.bytes.data, "\0\0\0\0\0\0\0\1\1", 9);
	assert_int_equal(params.len[2], 32);
	assert_memory_equal(params.bytes.data + params.offset[2] + 20,
						"\0\0\0\10\0\0\0\0\0\0\1\2", 12);
	pg_params_fini(&params);
}

static void
an_empty_array_has_no_dimension(void **state)
{
	PgParams params;

	(void) state;
	pg_params_init(&params);
	pg_params_array(&params, PG_ELEMENT_UUID, 0);
	assert_int_equal(params.len[0], 12);
	assert_memory_equal(params.bytes.data, "\0\0\0\0\0\0\0\1\0\0\x0b\x86", 12);
	pg_params_fini(&params);
}

static void
values_come_back_from_their_bytes(void **state)
{
	PGresAttDesc columns[6];
	PGresult *rows = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	const PgResult *result = (const PgResult *) rows;
	char id[16] = { 1, 2, 3 };
	char epoch[8] = { 0 };
	char four[4] = { '\xff', '\xff', '\xff', '\xf6' };
	char yes[1] = { 1 };
	char text[] = "words";
	size_t len;
	Uuid uuid;

	(void) state;
	memset(columns, 0, sizeof(columns));
	for (int i = 0; i < 6; i++)
	{
		columns[i].name = text;
		columns[i].format = 1;
	}
	assert_true(PQsetResultAttrs(rows, 6, columns));
	assert_true(PQsetvalue(rows, 0, 0, id, 16));
	assert_true(PQsetvalue(rows, 0, 1, epoch, 8));
	assert_true(PQsetvalue(rows, 0, 2, four, 4));
	assert_true(PQsetvalue(rows, 0, 3, yes, 1));
	assert_true(PQsetvalue(rows, 0, 4, text, 5));
	assert_true(PQsetvalue(rows, 0, 5, NULL, -1));

	assert_int_equal(pg_result_rows(result), 1);
	uuid = pg_result_uuid(result, 0, 0);
	assert_memory_equal(uuid.byte, id, 16);
	assert_int_equal(pg_result_i64(result, 0, 1), 0);
	assert_true(pg_result_time_us(result, 0, 1) ==
				INT64_C(946684800) * 1000000);
	assert_int_equal(pg_result_i32(result, 0, 2), -10);
	assert_true(pg_result_bool(result, 0, 3));
	assert_string_equal(pg_result_text(result, 0, 4, &len), "words");
	assert_int_equal(len, 5);
	assert_true(pg_result_is_null(result, 0, 5));
	assert_string_equal(pg_result_text(result, 0, 5, &len), "");
	PQclear(rows);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_go_in_network_order),
		cmocka_unit_test(an_array_is_as_array_recv_reads_it),
		cmocka_unit_test(an_empty_array_has_no_dimension),
		cmocka_unit_test(times_count_from_2000_and_truths_are_a_byte),
		cmocka_unit_test(values_come_back_from_their_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
