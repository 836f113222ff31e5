/* vecfile/csv.c - one pass: fields are copied without their quotes into one block, which is never longer than the file
 * plus one terminator, so that cells can point into it from the start.
 * SPDX-License-Identifier: Apache-2.0 */
#include "vecfile/csv.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"

/* A million pictures with long paths take a fifth of this. Each byte may cost one more pointer. */
#define CSV_BYTES_MAX ((uint64_t)512 << 20)

static const char byte_order_mark[] = "\xef\xbb\xbf";

struct parser {
	const char *at, *end;
	char *to;
	size_t line; /* for messages; 1 is the first */
};

static bool at_line_end(const struct parser *p)
{
	return p->at == p->end || *p->at == '\n' || (*p->at == '\r' && p->end - p->at > 1 && p->at[1] == '\n');
}

static void skip_line_end(struct parser *p)
{
	if (p->at < p->end && *p->at == '\r') p->at++;
	if (p->at < p->end) p->at++;
	p->line++;
}

static akin_status read_quoted(struct parser *p, akin_error *err)
{
	const size_t opened = p->line;

	for (p->at++; p->at < p->end; p->at++) {
		if (*p->at == '"') {
			if (p->end - p->at < 2 || p->at[1] != '"') break;
			p->at++;
		}
		if (*p->at == '\n') p->line++;
		*p->to++ = *p->at;
	}
	if (p->at == p->end) return error_set(err, AKIN_ERR_FORMAT, "line %zu: the quote is never closed", opened);
	p->at++;
	if (!at_line_end(p) && *p->at != ',')
		return error_set(err, AKIN_ERR_FORMAT, "line %zu: text follows the closing quote", p->line);
	return AKIN_OK;
}

/* Copy one field and its terminator; stops at the comma or the end of the line. */
static akin_status read_field(struct parser *p, akin_error *err)
{
	akin_status st = AKIN_OK;

	if (p->at < p->end && *p->at == '"') st = read_quoted(p, err);
	else while (!at_line_end(p) && *p->at != ',') *p->to++ = *p->at++;
	*p->to++ = '\0';
	return st;
}

static akin_status read_row(struct csv *csv, struct parser *p, size_t *capacity, akin_error *err)
{
	const size_t start = csv->rows * csv->cols, line = p->line;
	size_t n = 0;
	akin_status st;

	for (;;) {
		const char **moved = mem_grow(csv->cell, capacity, start + n, sizeof *csv->cell);

		if (!moved) return error_nomem(err);
		csv->cell = moved;
		csv->cell[start + n++] = p->to;
		if ((st = read_field(p, err)) != AKIN_OK) return st;
		if (at_line_end(p)) break;
		p->at++;
	}
	skip_line_end(p);
	if (csv->rows == 0) csv->cols = n;
	if (n != csv->cols)
		return error_set(err, AKIN_ERR_FORMAT, "line %zu has %zu fields, the header has %zu", line, n, csv->cols);
	csv->rows++;
	return AKIN_OK;
}

akin_status csv_parse(struct csv *csv, const char *bytes, size_t n, akin_error *err)
{
	struct parser p = { .line = 1 };
	size_t capacity = 0;
	akin_status st = AKIN_OK;

	*csv = (struct csv){ 0 };
	if (n && memchr(bytes, '\0', n)) return error_set(err, AKIN_ERR_FORMAT, "a NUL byte cannot be in a CSV file");
	if (n >= 3 && !memcmp(bytes, byte_order_mark, 3)) bytes += 3, n -= 3;
	if (!(csv->bytes = mem_alloc(n + 1))) return error_nomem(err);
	p.at = bytes;
	p.end = n ? bytes + n : bytes;
	p.to = csv->bytes;
	while (st == AKIN_OK && p.at != p.end) {
		/* Spreadsheets and editors leave empty lines; an empty field that is meant is written "". */
		if (at_line_end(&p)) skip_line_end(&p);
		else st = read_row(csv, &p, &capacity, err);
	}
	if (st == AKIN_OK && !csv->rows) st = error_set(err, AKIN_ERR_FORMAT, "there is no header line");
	if (st != AKIN_OK) csv_deinit(csv);
	return st;
}

akin_status csv_read(struct csv *csv, const char *path, akin_error *err)
{
	struct buf file = BUF_EMPTY;
	akin_status st;

	*csv = (struct csv){ 0 };
	if ((st = fs_read(path, CSV_BYTES_MAX, &file, err)) == AKIN_OK)
		st = error_note(err, csv_parse(csv, file.data, file.len, err), "reading %s", path);
	buf_deinit(&file);
	return st;
}

void csv_deinit(struct csv *csv)
{
	mem_free(csv->bytes);
	mem_free(csv->cell);
	*csv = (struct csv){ 0 };
}

size_t csv_column(const struct csv *csv, const char *name)
{
	size_t col = 0;

	while (col < csv->cols && strcmp(csv->cell[col], name) != 0) col++;
	return col;
}

void csv_quote(struct buf *out, const char *field)
{
	/* Empty, because an empty line is skipped; a byte order mark, because the first field's would be. */
	if (*field && !strpbrk(field, ",\"\r\n") && strncmp(field, byte_order_mark, 3) != 0) {
		buf_puts(out, field);
		return;
	}
	buf_puts(out, "\"");
	for (const char *quote; (quote = strchr(field, '"')); field = quote + 1) {
		buf_add(out, field, (size_t)(quote - field));
		buf_puts(out, "\"\"");
	}
	buf_puts(out, field);
	buf_puts(out, "\"");
}
