/* vecfile/csv: RFC 4180, and what spreadsheets make of it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/alloc.h"
#include "base/fs.h"
#include "vecfile/csv.h"

/* Cells joined by '|' and rows by '/', so that a whole file fits in a line. */
static void check_parse(const char *text, const char *wanted)
{
	struct buf got = BUF_EMPTY;
	struct csv csv;
	akin_error err;

	CHECK_OK(csv_parse(&csv, text, strlen(text), &err), &err);
	for (size_t row = 0; row < csv.rows; row++) {
		if (row) buf_puts(&got, "/");
		for (size_t col = 0; col < csv.cols; col++) buf_printf(&got, "%s%s", col ? "|" : "", csv_cell(&csv, row, col));
	}
	assert_string_equal(got.len ? got.data : "", wanted);
	buf_deinit(&got);
	csv_deinit(&csv);
}

static void check_refused(const char *text, size_t n, const char *words)
{
	struct csv csv;
	akin_error err;

	CHECK_STATUS(csv_parse(&csv, text, n, &err), AKIN_ERR_FORMAT);
	CHECK(strstr(err.text, words), "%s\n", err.text);
	CHECK(!csv.rows && !csv.cell && !csv.bytes);
}

TEST(fields_are_read_as_the_rfc_says)
{
	check_parse("a,b\n1,2\n", "a|b/1|2");
	check_parse("a,b\r\n1,2\r\n", "a|b/1|2");
	check_parse("a,b\n1,2", "a|b/1|2");
	check_parse("a,b\n,\n", "a|b/|");
	check_parse("a,b\nx,", "a|b/x|");
	check_parse("\"a\",\"b\"\n\"1,2\",\"3\"", "a|b/1,2|3");
	check_parse("a\n\"say \"\"hi\"\"\"\n", "a/say \"hi\"");
	check_parse("a,b\n\"two\nlines\",\"cr\r\nlf\"\n", "a|b/two\nlines|cr\r\nlf");
	check_parse("a\n\"\"\n", "a/");
}

TEST(what_spreadsheets_add_is_understood)
{
	check_parse("\xef\xbb\xbfpath,label\nx,y\n", "path|label/x|y");
	check_parse("\xef\xbb\xbf\"path\"\nx\n", "path/x");
	check_parse("a,b\n\n1,2\r\n\r\n\n", "a|b/1|2");
	check_parse("a\nlone\rreturn\n\xff\xfe raw\n", "a/lone\rreturn/\xff\xfe raw");
	check_parse("a\n5\" disk\n", "a/5\" disk"); /* a quote inside a plain field is itself */
	check_parse("a\nends in cr\r", "a/ends in cr\r");
}

TEST(wrong_files_are_refused_with_the_line)
{
#define REFUSED(text, words) check_refused(text, sizeof text - 1, words)
	REFUSED("", "header");
	REFUSED("\n\n", "header");
	REFUSED("\xef\xbb\xbf", "header");
	REFUSED("a,b\n1,2\n1\n", "line 3 has 1 fields");
	REFUSED("a,b\n\"x\ny\",2\n1,2,3\n", "line 4 has 3 fields");
	REFUSED("a\n\n\"open\n\n", "line 3: the quote");
	REFUSED("a\n\"x\"y\n", "line 2: text follows");
	REFUSED("a\n\0\n", "NUL");
}

TEST(a_column_is_found_by_its_name)
{
	static const char text[] = "path,label,\n/x,cat,1\n";
	struct csv csv;
	akin_error err;

	CHECK_OK(csv_parse(&csv, text, sizeof text - 1, &err), &err);
	CHECK(csv_column(&csv, "label") == 1 && csv_column(&csv, "") == 2 && csv_column(&csv, "Label") == 3);
	assert_string_equal(csv_cell(&csv, 1, 1), "cat");
	csv_deinit(&csv);
}

TEST(a_file_is_read_and_named_when_wrong)
{
	const char *path = test_path("labels.csv");
	struct csv csv;
	akin_error err;

	CHECK_STATUS(csv_read(&csv, path, &err), AKIN_ERR_NOT_FOUND);
	CHECK_OK(fs_write(path, "a,b\n1\n", 6, &err), &err);
	CHECK_STATUS(csv_read(&csv, path, &err), AKIN_ERR_FORMAT);
	CHECK(strstr(err.text, "labels.csv: line 2"), "%s\n", err.text);
	CHECK_OK(fs_write(path, "a,b\n1,2\n", 8, &err), &err);
	CHECK_OK(csv_read(&csv, path, &err), &err);
	CHECK(csv.rows == 2 && csv.cols == 2);
	csv_deinit(&csv);
}

/* Whatever bytes the fields hold, writing and reading gives them back. */
TEST(quoting_and_reading_are_inverse)
{
	static const char alphabet[] = "ab,\"\r\n \xef\xbb\xbf\x01";
	struct rng rng = { 20 };

	for (int round = 0; round < 3000; round++) {
		char fields[12][9] = { { 0 } };
		const size_t cols = 1 + rng_below(&rng, 3), rows = 1 + rng_below(&rng, 4);
		struct buf text = BUF_EMPTY;
		struct csv csv;
		akin_error err;

		for (size_t i = 0; i < rows * cols; i++) {
			for (size_t n = rng_below(&rng, 9), j = 0; j < n; j++)
				fields[i][j] = alphabet[rng_below(&rng, sizeof alphabet - 1)];
			csv_quote(&text, fields[i]);
			buf_puts(&text, i % cols < cols - 1 ? "," : round % 2 ? "\n" : "\r\n");
		}
		CHECK_OK(csv_parse(&csv, text.data, text.len, &err), &err);
		CHECK(csv.rows == rows && csv.cols == cols, "round %d\n", round);
		for (size_t i = 0; i < rows * cols; i++) assert_string_equal(csv.cell[i], fields[i]);
		csv_deinit(&csv);
		buf_deinit(&text);
	}
}

TEST_MAIN(cmocka_unit_test(fields_are_read_as_the_rfc_says), cmocka_unit_test(what_spreadsheets_add_is_understood),
          cmocka_unit_test(wrong_files_are_refused_with_the_line), cmocka_unit_test(a_column_is_found_by_its_name),
          cmocka_unit_test(a_file_is_read_and_named_when_wrong), cmocka_unit_test(quoting_and_reading_are_inverse))
