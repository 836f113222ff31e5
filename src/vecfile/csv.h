/* vecfile/csv.h - CSV as RFC 4180 and spreadsheets write it: quoted fields with doubled quotes and newlines inside, CRLF or LF,
 * an optional UTF-8 byte order mark; any bytes in fields, no NUL. Every row must have as many fields as the first.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_VECFILE_CSV_H
#define AKIN_VECFILE_CSV_H

#include <stddef.h>

#include "base/buf.h"
#include "base/status.h"

struct csv {
	char *bytes;       /* all fields, terminated */
	const char **cell; /* rows x cols, row 0 is the header */
	size_t rows, cols;
};

akin_status csv_read(struct csv *csv, const char *path, akin_error *err);
akin_status csv_parse(struct csv *csv, const char *bytes, size_t n, akin_error *err);
void csv_deinit(struct csv *csv);
/* Column by header name; csv->cols when there is none. */
size_t csv_column(const struct csv *csv, const char *name);
static inline const char *csv_cell(const struct csv *csv, size_t row, size_t col)
{
	return csv->cell[row * csv->cols + col];
}
/* Append one field, quoted when it must be. */
void csv_quote(struct buf *out, const char *field);

#endif
