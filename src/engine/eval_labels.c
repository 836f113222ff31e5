/* engine/eval_labels.c - which picture has which class, or which caption, from a CSV file.
 * SPDX-License-Identifier: Apache-2.0 */
#include "akin/eval.h"

#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "base/status.h"
#include "vecfile/csv.h"

struct akin_labels {
	char **path, **klass;
	size_t n;
	bool captions;
};

void akin_labels_free(akin_labels *labels)
{
	if (!labels) return;
	for (size_t i = 0; i < labels->n; i++) {
		mem_free(labels->path[i]);
		mem_free(labels->klass[i]);
	}
	mem_free(labels->path);
	mem_free(labels->klass);
	mem_free(labels);
}

size_t akin_labels_count(const akin_labels *labels)
{
	return labels->n;
}

int akin_labels_are_captions(const akin_labels *labels)
{
	return labels->captions;
}

const char *const *akin_labels_paths(const akin_labels *labels)
{
	return (const char *const *)labels->path;
}

const char *const *akin_labels_classes(const akin_labels *labels)
{
	return (const char *const *)labels->klass;
}

static akin_status need_column(const struct csv *csv, const char *name, size_t *column, akin_error *err)
{
	struct buf there = BUF_EMPTY;

	if ((*column = csv_column(csv, name)) < csv->cols) return AKIN_OK;
	for (size_t i = 0; i < csv->cols; i++) buf_printf(&there, "%s%s", i ? ", " : "", csv_cell(csv, 0, i));
	error_set(err, AKIN_ERR_FORMAT, "it has no column \"%s\"; it has: %s", name, there.data ? there.data : "none");
	buf_deinit(&there);
	return AKIN_ERR_FORMAT;
}

static akin_status add_row(akin_labels *labels, const struct csv *csv, size_t row, size_t path_column,
                           const size_t *columns, size_t n_columns, const char *dir, akin_error *err)
{
	const char *path = csv_cell(csv, row, path_column);
	struct buf klass = BUF_EMPTY;

	for (size_t i = 0; i < n_columns; i++) {
		const char *part = csv_cell(csv, row, columns[i]);
		if (*part) buf_printf(&klass, "%s%s", klass.len ? " / " : "", part);
	}
	if (!klass.len && !klass.failed) return AKIN_OK; /* no class: not part of the test */
	labels->path[labels->n] = path[0] == '/' ? mem_strdup(path) : fs_join(dir, path);
	labels->klass[labels->n] = buf_take(&klass);
	labels->n++;
	return labels->path[labels->n - 1] && labels->klass[labels->n - 1] ? AKIN_OK : error_nomem(err);
}

akin_status akin_labels_read(akin_labels **out, const char *csv_path, const char *const *columns, size_t n_columns,
                             akin_error *err)
{
	static const char *const usual[] = { "label" }, *const caption[] = { "caption" };
	akin_labels *labels = mem_zalloc(sizeof *labels);
	size_t path_column, column[16], n = n_columns ? n_columns : 1;
	struct csv csv = { 0 };
	char *dir = fs_dirname(csv_path);
	akin_status st = AKIN_OK;

	*out = NULL;
	error_clear(err);
	if (!n_columns) columns = usual;
	if (!labels || !dir) st = error_nomem(err);
	else if (n > COUNT(column)) st = error_set(err, AKIN_ERR_INVALID, "at most %zu label columns", COUNT(column));
	if (st == AKIN_OK) st = csv_read(&csv, csv_path, err);
	if (st == AKIN_OK) st = error_note(err, need_column(&csv, "path", &path_column, err), "%s", csv_path);
	if (st == AKIN_OK && !n_columns && csv_column(&csv, usual[0]) == csv.cols && csv_column(&csv, caption[0]) < csv.cols) {
		columns = caption;
		labels->captions = true;
	}
	for (size_t i = 0; i < n && st == AKIN_OK; i++)
		st = error_note(err, need_column(&csv, columns[i], &column[i], err), "%s", csv_path);
	if (st == AKIN_OK) {
		labels->path = mem_calloc(csv.rows, sizeof *labels->path);
		labels->klass = mem_calloc(csv.rows, sizeof *labels->klass);
		if (!labels->path || !labels->klass) st = error_nomem(err);
	}
	for (size_t row = 1; row < csv.rows && st == AKIN_OK; row++)
		st = add_row(labels, &csv, row, path_column, column, n, dir, err);
	if (st == AKIN_OK && !labels->n)
		st = error_set(err, AKIN_ERR_FORMAT, "%s holds no labelled picture", csv_path);
	if (st == AKIN_OK) *out = labels;
	else akin_labels_free(labels);
	csv_deinit(&csv);
	mem_free(dir);
	return st;
}

