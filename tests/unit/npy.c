/* vecfile/npy: what NumPy writes is read, what lies is refused.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "vecfile/npy.h"

/* A file of version 1 or 2 with any header and data; returns its length. */
static size_t make(uint8_t *out, unsigned version, const char *header, const void *data, size_t n)
{
	const size_t length = strlen(header), start = version == 1 ? 10 : 12;

	memcpy(out, "\x93NUMPY", 6);
	out[6] = (uint8_t)version;
	out[7] = 0;
	memset(out + 8, 0, 4);
	out[8] = (uint8_t)length;
	out[9] = (uint8_t)(length >> 8);
	memcpy(out + start, header, length);
	if (n) memcpy(out + start + length, data, n);
	return start + length + n;
}

static akin_status parse(struct npy *npy, const char *header, const void *data, size_t n)
{
	static uint8_t file[4096];
	akin_error err;

	return npy_parse(npy, file, make(file, 1, header, data, n), &err);
}

static void check_rows(const char *header, const void *data, size_t n, const float *wanted, size_t rows, size_t cols)
{
	struct npy npy;
	float row[8];

	CHECK_STATUS(parse(&npy, header, data, n), AKIN_OK);
	CHECK(npy.rows == rows && npy.cols == cols, "%s: %zu x %zu\n", header, npy.rows, npy.cols);
	for (size_t i = 0; i < rows; i++) {
		npy_row_f32(&npy, i, row);
		for (size_t j = 0; j < cols; j++)
			CHECK(row[j] == wanted[i * cols + j], "%s: [%zu][%zu] is %g\n", header, i, j, (double)row[j]);
	}
}

TEST(every_item_type_reads_as_float)
{
	static const float wanted[] = { 1, -2, 3, 100 };
	static const float positive[] = { 1, 2, 3, 200 };
	static const double f8[] = { 1, -2, 3, 100 };
	static const uint16_t f2[] = { 0x3c00, 0xc000, 0x4200, 0x5640 };
	static const int8_t i1[] = { 1, -2, 3, 100 };
	static const uint8_t u1[] = { 1, 2, 3, 200 };
	static const int32_t i4[] = { 1, -2, 3, 100 };
	static const int64_t i8[] = { 1, -2, 3, 100 };

#define HEADER(descr) "{'descr': '" descr "', 'fortran_order': False, 'shape': (2, 2), }\n"
	check_rows(HEADER("<f4"), wanted, sizeof wanted, wanted, 2, 2);
	check_rows(HEADER("<f8"), f8, sizeof f8, wanted, 2, 2);
	check_rows(HEADER("<f2"), f2, sizeof f2, wanted, 2, 2);
	check_rows(HEADER("|i1"), i1, sizeof i1, wanted, 2, 2);
	check_rows(HEADER("|u1"), u1, sizeof u1, positive, 2, 2);
	check_rows(HEADER("<i4"), i4, sizeof i4, wanted, 2, 2);
	check_rows(HEADER("=i8"), i8, sizeof i8, wanted, 2, 2);
}

TEST(big_endian_and_fortran_order_are_turned)
{
	/* 1, 2, 3, 4, 5, 6 as big-endian 16-bit halves and as columns */
	static const uint8_t f2[] = { 0x3c, 0, 0x40, 0, 0x42, 0, 0x44, 0, 0x45, 0, 0x46, 0 };
	static const uint8_t f4[] = { 0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0 };
	static const int8_t columns[] = { 1, 4, 2, 5, 3, 6 };
	static const float wanted[] = { 1, 2, 3, 4, 5, 6 }, two[] = { 1, -2 };

	check_rows("{'descr': '>f2', 'fortran_order': False, 'shape': (2, 3)}", f2, sizeof f2, wanted, 2, 3);
	check_rows("{'descr': '>f4', 'fortran_order': False, 'shape': (1, 2)}", f4, sizeof f4, two, 1, 2);
	check_rows("{'descr': '|i1', 'fortran_order': True, 'shape': (2, 3)}", columns, sizeof columns, wanted, 2, 3);
}

TEST(the_header_may_have_any_order_and_spacing)
{
	static const float wanted[] = { 1, 2, 3 };

	check_rows("{\"shape\":(3L,),'descr':\"<f4\" , 'fortran_order'  :False}   \n", wanted, sizeof wanted, wanted, 1, 3);
	check_rows(" { 'fortran_order' : False , 'shape' : ( 3 , 1 , ) , 'descr' : '<f4' , } ", wanted, sizeof wanted, wanted,
	           3, 1);
}

TEST(versions_2_and_3_have_longer_lengths)
{
	static const float wanted[] = { 1, 2 };
	uint8_t file[256];
	struct npy npy;
	akin_error err;
	float row[2];

	for (unsigned version = 2; version <= 3; version++) {
		size_t n = make(file, version, HEADER("<f4"), wanted, sizeof wanted);

		CHECK_STATUS(npy_parse(&npy, file, n, &err), AKIN_ERR_FORMAT); /* 2 x 2 was promised */
		n = make(file, version, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", wanted, sizeof wanted);
		CHECK_OK(npy_parse(&npy, file, n, &err), &err);
		npy_row_f32(&npy, 0, row);
		CHECK(row[0] == 1 && row[1] == 2);
	}
	file[6] = 4;
	CHECK_STATUS(npy_parse(&npy, file, sizeof file, &err), AKIN_ERR_UNSUPPORTED);
}

TEST(halves_are_exact_over_their_whole_range)
{
	static const struct {
		uint16_t bits;
		float value;
	} cases[] = { { 0x0000, 0 },          { 0x0001, 0x1p-24f },      { 0x8001, -0x1p-24f }, { 0x03ff, 1023 * 0x1p-24f },
		      { 0x0400, 0x1p-14f },   { 0x3555, 0.333251953125f }, { 0x7bff, 65504 },     { 0xfbff, -65504 },
		      { 0x7c00, INFINITY },   { 0xfc00, -INFINITY } };
	static const char header[] = "{'descr': '<f2', 'fortran_order': False, 'shape': (1, 1)}";
	struct npy npy;
	float got;

	for (size_t i = 0; i < COUNT(cases); i++) check_rows(header, &cases[i].bits, 2, &cases[i].value, 1, 1);
	CHECK_STATUS(parse(&npy, header, "\x01\x7e", 2), AKIN_OK);
	npy_row_f32(&npy, 0, &got);
	CHECK(isnan(got));
	CHECK_STATUS(parse(&npy, header, "\x00\x80", 2), AKIN_OK);
	npy_row_f32(&npy, 0, &got);
	CHECK(got == 0 && signbit(got));
}

TEST(integers_keep_all_their_bits)
{
	static const int64_t values[] = { INT64_MAX, INT64_MIN };
	struct npy npy;
	int64_t row[2];

	CHECK_STATUS(parse(&npy, "{'descr': '<i8', 'fortran_order': False, 'shape': (1, 2)}", values, sizeof values), AKIN_OK);
	CHECK(npy_row_i64(&npy, 0, row) && row[0] == INT64_MAX && row[1] == INT64_MIN);
	CHECK_STATUS(parse(&npy, "{'descr': '>i4', 'fortran_order': False, 'shape': (1, 1)}", "\xff\xff\xff\xfe", 4), AKIN_OK);
	CHECK(npy_row_i64(&npy, 0, row) && row[0] == -2);
	CHECK_STATUS(parse(&npy, "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1)}", "\0\0\0\0", 4), AKIN_OK);
	CHECK(!npy_row_i64(&npy, 0, row), "floats are no integers\n");
}

TEST(headers_that_lie_are_refused)
{
	static const struct {
		const char *header;
		akin_status wanted;
	} cases[] = {
		{ "", AKIN_ERR_FORMAT },
		{ "{", AKIN_ERR_FORMAT },
		{ "{}", AKIN_ERR_FORMAT },
		{ "{'descr': '<f4', 'fortran_order': False, }", AKIN_ERR_FORMAT },
		{ "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1), 'shape': (1, 1)}", AKIN_ERR_FORMAT },
		{ "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1), 'more': 1}", AKIN_ERR_FORMAT },
		{ "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1)} x", AKIN_ERR_FORMAT },
		{ "{'descr': '<f4', 'fortran_order': Falsy, 'shape': (1, 1)}", AKIN_ERR_FORMAT },
		{ "{'descr': '<f4', 'fortran_order': False, 'shape': (1 1)}", AKIN_ERR_FORMAT },
		{ "{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 1)}", AKIN_ERR_FORMAT },
		{ "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1", AKIN_ERR_FORMAT },
		{ "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2)}", AKIN_ERR_FORMAT },
		{ "{'descr': '<f4' 'fortran_order': False, 'shape': (1, 1)}", AKIN_ERR_FORMAT },
		{ "{'descr': 4, 'fortran_order': False, 'shape': (1, 1)}", AKIN_ERR_FORMAT },
		/* 2^62 rows of 4 x 4 bytes wrap around to 0, and 2^64 does not fit at all */
		{ "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4)}", AKIN_ERR_FORMAT },
		{ "{'descr': '<f4', 'fortran_order': False, 'shape': (18446744073709551617, 1)}", AKIN_ERR_FORMAT },
		{ "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 1000000000000)}", AKIN_ERR_FORMAT },
		{ "{'descr': '<f4', 'fortran_order': False, 'shape': ()}", AKIN_ERR_UNSUPPORTED },
		{ "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1)}", AKIN_ERR_UNSUPPORTED },
		{ "{'descr': '<c8', 'fortran_order': False, 'shape': (1, 1)}", AKIN_ERR_UNSUPPORTED },
		{ "{'descr': '|f4', 'fortran_order': False, 'shape': (1, 1)}", AKIN_ERR_UNSUPPORTED },
		{ "{'descr': '', 'fortran_order': False, 'shape': (1, 1)}", AKIN_ERR_UNSUPPORTED },
		{ "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1, 1)}", AKIN_ERR_UNSUPPORTED },
	};
	struct npy npy;

	for (size_t i = 0; i < COUNT(cases); i++) {
		akin_status got = parse(&npy, cases[i].header, "\0\0\0\0", 4);

		CHECK(got == cases[i].wanted, "%s: %s\n", cases[i].header, akin_status_name(got));
		CHECK(!npy.data && !npy.rows, "outputs are defined on failure\n");
	}
}

TEST(an_empty_array_has_no_rows)
{
	struct npy npy;

	CHECK_STATUS(parse(&npy, "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 512)}", NULL, 0), AKIN_OK);
	CHECK(npy.rows == 0 && npy.cols == 512);
	/* rows of nothing would let a header of 60 bytes ask for 10^18 rounds of a caller's loop */
	CHECK_STATUS(parse(&npy, "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000000000, 0)}", NULL, 0), AKIN_OK);
	CHECK(npy.rows == 0);
}

TEST(every_truncation_is_refused)
{
	static const float values[] = { 1, 2, 3, 4 };
	uint8_t file[256];
	const size_t n = make(file, 1, HEADER("<f4"), values, sizeof values);
	struct npy npy;
	akin_error err;

	CHECK_OK(npy_parse(&npy, file, n, &err), &err);
	for (size_t cut = 0; cut < n; cut++) {
		uint8_t *exact = mem_dup(file, cut); /* so that a sanitizer sees one byte too far */

		CHECK_STATUS(npy_parse(&npy, exact, cut, &err), AKIN_ERR_FORMAT);
		mem_free(exact);
	}
}

TEST(written_rows_come_back)
{
	static const float rows[2][3] = { { 1, 2, 3 }, { -4, 5.5f, 6 } };
	const char *path = test_path("rows.npy");
	struct npy_writer w;
	struct npy npy;
	akin_error err;
	float row[3];

	CHECK_OK(npy_writer_begin(&w, path, NPY_F32, 2, 3, &err), &err);
	for (size_t i = 0; i < 2; i++) CHECK_OK(npy_writer_row(&w, rows[i], &err), &err);
	CHECK_STATUS(npy_writer_row(&w, rows[0], &err), AKIN_ERR_INVALID);
	CHECK_OK(npy_writer_commit(&w, &err), &err);
	CHECK_OK(npy_open(&npy, path, &err), &err);
	CHECK((uintptr_t)npy.data % 64 == 0, "mapped rows are aligned\n");
	CHECK(npy.type == NPY_F32 && npy.rows == 2 && npy.cols == 3);
	for (size_t i = 0; i < 2; i++) {
		npy_row_f32(&npy, i, row);
		CHECK(!memcmp(row, rows[i], sizeof row));
	}
	npy_close(&npy);
}

TEST(the_longest_header_fits)
{
	const char *path = test_path("empty.npy");
	struct npy_writer w;
	struct npy npy;
	akin_error err;

	CHECK_OK(npy_writer_begin(&w, path, NPY_I8, 0, 1 << 20, &err), &err);
	CHECK_OK(npy_writer_commit(&w, &err), &err);
	CHECK_OK(npy_open(&npy, path, &err), &err);
	CHECK(npy.rows == 0 && npy.cols == 1 << 20);
	npy_close(&npy);
	CHECK_OK(npy_writer_begin(&w, path, NPY_I64, SIZE_MAX / 8, 1, &err), &err);
	npy_writer_abort(&w);
	CHECK_OK(npy_writer_begin(&w, path, NPY_I64, 1, SIZE_MAX / 8, &err), &err);
	npy_writer_abort(&w);
	CHECK_STATUS(npy_writer_begin(&w, path, NPY_I64, SIZE_MAX / 8, 2, &err), AKIN_ERR_INVALID);
}

TEST(a_file_with_rows_missing_never_appears)
{
	const char *path = test_path("short.npy");
	struct npy_writer w;
	struct npy npy;
	akin_error err;

	CHECK_OK(npy_writer_begin(&w, path, NPY_U8, 2, 1, &err), &err);
	CHECK_OK(npy_writer_row(&w, "a", &err), &err);
	CHECK_STATUS(npy_writer_commit(&w, &err), AKIN_ERR_INVALID);
	CHECK(!fs_exists(path));
	CHECK_STATUS(npy_open(&npy, path, &err), AKIN_ERR_NOT_FOUND);
	CHECK_OK(fs_write(path, "", 0, &err), &err);
	CHECK_STATUS(npy_open(&npy, path, &err), AKIN_ERR_FORMAT);
	CHECK(strstr(err.text, "short.npy"), "%s\n", err.text);
}

TEST_MAIN(cmocka_unit_test(every_item_type_reads_as_float), cmocka_unit_test(big_endian_and_fortran_order_are_turned),
          cmocka_unit_test(the_header_may_have_any_order_and_spacing), cmocka_unit_test(versions_2_and_3_have_longer_lengths),
          cmocka_unit_test(halves_are_exact_over_their_whole_range), cmocka_unit_test(integers_keep_all_their_bits),
          cmocka_unit_test(headers_that_lie_are_refused), cmocka_unit_test(an_empty_array_has_no_rows),
          cmocka_unit_test(every_truncation_is_refused), cmocka_unit_test(written_rows_come_back),
          cmocka_unit_test(the_longest_header_fits), cmocka_unit_test(a_file_with_rows_missing_never_appears))
