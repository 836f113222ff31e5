/* vecfile/: a failed write leaves no file or the old one, a failed read leaves nothing behind.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/alloc.h"
#include "base/fs.h"
#include "vecfile/csv.h"
#include "vecfile/npy.h"

static akin_status write_array(void *ctx)
{
	static const int64_t rows[] = { 7, 8 };
	struct npy_writer w;
	akin_error err;
	akin_status st = npy_writer_begin(&w, ctx, NPY_I64, COUNT(rows), 1, &err);

	for (size_t i = 0; st == AKIN_OK && i < COUNT(rows); i++) st = npy_writer_row(&w, &rows[i], &err);
	if (st == AKIN_OK) st = npy_writer_commit(&w, &err);
	else npy_writer_abort(&w);
	CHECK(st == AKIN_OK || (err.status == st && err.text[0]), "a failure without a sentence\n");
	return st;
}

static void check_array(const char *path, size_t rows)
{
	struct npy npy;
	akin_error err;

	CHECK_OK(npy_open(&npy, path, &err), &err);
	CHECK(npy.rows == rows, "%zu rows\n", npy.rows);
	npy_close(&npy);
}

struct rewrite {
	const char *path;
	size_t old_rows;
};

static akin_status rewrite_array(void *ctx)
{
	struct rewrite *re = ctx;
	akin_status st = write_array((void *)(uintptr_t)re->path);

	if (st == AKIN_OK) re->old_rows = 2;
	check_array(re->path, re->old_rows);
	return st;
}

TEST(a_failed_array_leaves_the_old_one)
{
	struct rewrite re = { test_path("old.npy"), 1 };
	struct npy_writer w;
	akin_error err;

	CHECK_OK(npy_writer_begin(&w, re.path, NPY_U8, 1, 1, &err), &err);
	CHECK_OK(npy_writer_row(&w, "x", &err), &err);
	CHECK_OK(npy_writer_commit(&w, &err), &err);
	fault_loop(FAULT_WRITE | FAULT_SYNC | FAULT_RENAME, 50, rewrite_array, &re);
	CHECK(re.old_rows == 2);
}

TEST(writing_an_array_survives_lack_of_memory)
{
	fault_loop(FAULT_ALLOC, 50, write_array, (void *)(uintptr_t)test_path("new.npy"));
}

static akin_status read_table(void *ctx)
{
	struct csv csv;
	akin_error err;
	akin_status st = csv_read(&csv, ctx, &err);

	if (st == AKIN_OK) CHECK(csv.rows == 40 && csv.cols == 2);
	else CHECK(st == AKIN_ERR_NOMEM && !csv.cell && !csv.bytes && !csv.rows);
	csv_deinit(&csv);
	return st;
}

TEST(reading_a_table_survives_lack_of_memory)
{
	const char *path = test_path("table.csv");
	struct buf text = BUF_EMPTY;
	akin_error err;

	for (int i = 0; i < 40; i++) {
		csv_quote(&text, i ? "a \"quoted\", field" : "path");
		buf_puts(&text, ",x\n");
	}
	CHECK_OK(fs_write(path, text.data, text.len, &err), &err);
	buf_deinit(&text);
	fault_loop(FAULT_ALLOC, 50, read_table, (void *)(uintptr_t)path);
}

TEST_MAIN(cmocka_unit_test(a_failed_array_leaves_the_old_one), cmocka_unit_test(writing_an_array_survives_lack_of_memory),
          cmocka_unit_test(reading_a_table_survives_lack_of_memory))
