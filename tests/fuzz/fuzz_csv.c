/* fuzz: CSV bytes. Whatever is accepted is the same after writing and reading it again.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vecfile/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_same_again(const struct csv *csv)
{
	struct buf text = BUF_EMPTY;
	struct csv again;

	for (size_t i = 0; i < csv->rows * csv->cols; i++) {
		csv_quote(&text, csv->cell[i]);
		buf_puts(&text, (i + 1) % csv->cols ? "," : "\n");
	}
	if (csv_parse(&again, text.data, text.len, NULL) != AKIN_OK) abort();
	if (again.rows != csv->rows || again.cols != csv->cols) abort();
	for (size_t i = 0; i < csv->rows * csv->cols; i++)
		if (strcmp(again.cell[i], csv->cell[i]) != 0) abort();
	csv_deinit(&again);
	buf_deinit(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct csv csv;
	akin_error err;

	if (csv_parse(&csv, (const char *)data, n, &err) != AKIN_OK) {
		if (!err.text[0] || csv.bytes) abort();
		return 0;
	}
	if (!csv.rows || !csv.cols || csv_column(&csv, "no such column") > csv.cols) abort();
	check_same_again(&csv);
	csv_deinit(&csv);
	return 0;
}
