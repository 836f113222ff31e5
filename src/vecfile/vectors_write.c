/* vecfile/vectors_write.c - one row after another into any of the formats that can hold it.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "vecfile/faiss.h"
#include "vecfile/npy.h"
#include "vecfile/vectors.h"

/* Bytes of a row as vectors_read gives it. */
static size_t given_bytes(const struct vectors_writer *w)
{
	return element_row_bytes(w->element == ELEMENT_F16 ? ELEMENT_F32 : w->element, w->dim);
}

static akin_status refuse(const char *format, const char *what, akin_error *err)
{
	return error_set(err, AKIN_ERR_UNSUPPORTED, "%s holds %s only", format, what);
}

static akin_status check(enum vectors_format format, enum metric metric, enum element element, akin_error *err)
{
	const bool floats = element == ELEMENT_F32 || element == ELEMENT_F16;
	const bool bytes = element == ELEMENT_U8 || element == ELEMENT_I8;

	switch (format) {
	case VECTORS_NPY: return AKIN_OK;
	case VECTORS_FVECS: return floats ? AKIN_OK : refuse(".fvecs", "f32", err);
	case VECTORS_BVECS:
		return element == ELEMENT_U8 || element == ELEMENT_BITS ? AKIN_OK : refuse(".bvecs", "u8", err);
	case VECTORS_IVECS: return bytes ? AKIN_OK : refuse(".ivecs", "whole numbers", err);
	case VECTORS_FAISS:
		if (element == ELEMENT_BITS || (floats && (metric == METRIC_L2 || metric == METRIC_IP))) return AKIN_OK;
		return refuse("a flat Faiss index", "f32 with l2 or ip, and bits", err);
	default: return error_set(err, AKIN_ERR_UNSUPPORTED, "this format is only read");
	}
}

static akin_status begin_npy(struct vectors_writer *w, const char *path, akin_error *err)
{
	const bool floats = w->element == ELEMENT_F32 || w->element == ELEMENT_F16;
	const enum npy_type type = floats ? NPY_F32 : w->element == ELEMENT_I8 ? NPY_I8 : NPY_U8;
	struct npy_writer npy;
	akin_status st = npy_writer_begin(&npy, path, type, w->rows, floats ? w->dim : given_bytes(w), err);

	w->file = npy.file;
	return st;
}

akin_status vectors_writer_begin(struct vectors_writer *w, const char *path, enum vectors_format format,
				 enum metric metric, enum element element, size_t dim, size_t rows, akin_error *err)
{
	akin_status st;

	*w = (struct vectors_writer){ .file.fd = -1, .format = format, .element = element, .dim = dim, .rows = rows };
	if ((st = check(format, metric, element, err)) != AKIN_OK) return st;
	if (!(w->line = mem_alloc(4 + 4 * dim))) return error_nomem(err);
	if (format == VECTORS_NPY) st = begin_npy(w, path, err);
	else st = fs_writer_begin(&w->file, path, err);
	if (st == AKIN_OK && format == VECTORS_FAISS) st = faiss_put_head(&w->file, metric, element, dim, rows, err);
	if (st != AKIN_OK) vectors_writer_abort(w);
	return st;
}

/* Lead a row by its dimension; bytes become int32 in .ivecs. */
static size_t make_line(struct vectors_writer *w, const uint8_t *row)
{
	const size_t n = given_bytes(w);
	const int32_t items = (int32_t)(w->element == ELEMENT_BITS ? n : w->dim);

	memcpy(w->line, &items, sizeof items);
	if (w->format != VECTORS_IVECS) {
		memcpy(w->line + 4, row, n);
		return 4 + n;
	}
	for (size_t j = 0; j < w->dim; j++) {
		const int32_t value = w->element == ELEMENT_I8 ? (int8_t)row[j] : row[j];

		memcpy(w->line + 4 + 4 * j, &value, sizeof value);
	}
	return 4 + 4 * w->dim;
}

akin_status vectors_writer_put(struct vectors_writer *w, const void *rows, size_t n, akin_error *err)
{
	const bool led = w->format == VECTORS_FVECS || w->format == VECTORS_BVECS || w->format == VECTORS_IVECS;
	akin_status st = AKIN_OK;

	if (n > w->rows - w->written)
		return error_set(err, AKIN_ERR_INVALID, "more than %zu rows are written", w->rows);
	for (size_t i = 0; i < n && st == AKIN_OK; i++) {
		const uint8_t *row = (const uint8_t *)rows + i * given_bytes(w);

		st = led ? fs_writer_put(&w->file, w->line, make_line(w, row), err)
		         : fs_writer_put(&w->file, row, given_bytes(w), err);
		w->written += st == AKIN_OK;
	}
	return st;
}

akin_status vectors_writer_commit(struct vectors_writer *w, akin_error *err)
{
	akin_status st;

	if (w->written < w->rows) {
		st = error_set(err, AKIN_ERR_INVALID, "only %zu of %zu rows were written", w->written, w->rows);
		vectors_writer_abort(w);
		return st;
	}
	st = fs_writer_commit(&w->file, err);
	mem_free(w->line);
	w->line = NULL;
	return st;
}

void vectors_writer_abort(struct vectors_writer *w)
{
	if (w->file.fd >= 0) fs_writer_abort(&w->file);
	w->file.fd = -1;
	mem_free(w->line);
	w->line = NULL;
}
