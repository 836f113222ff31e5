/* vecfile/vectors.h - vectors in other people's files, whatever the format: told by content, mapped, read row by row.
 *
 *   .npy                NumPy arrays of two dimensions (npy.h)
 *   .fvecs .bvecs .ivecs  each row led by its dimension (vecs.c)
 *   HDF5                as ann-benchmarks writes it: train, test, neighbors (hdf5.h)
 *   Faiss               IndexFlatL2, IndexFlatIP, IndexIVFFlat, IndexHNSWFlat, IndexBinaryFlat (faiss.h)
 *
 * Bytes are hostile: sizes are checked against the file before anything is allocated, and no number of the file is used
 * as an address unchecked. Threads: an opened file may be read by several. SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_VECFILE_VECTORS_H
#define AKIN_VECFILE_VECTORS_H

#include <stdbool.h>

#include "base/fs.h"
#include "types/vector.h"

enum vectors_format {
	VECTORS_NPY = 1,
	VECTORS_FVECS,
	VECTORS_BVECS,
	VECTORS_IVECS,
	VECTORS_HDF5,
	VECTORS_FAISS
};

/* Which array of a file that has several (HDF5); others have one, which is every part. */
enum vectors_part { VECTORS_BASE, VECTORS_QUERIES, VECTORS_TRUTH };

enum vectors_item { ITEM_F32, ITEM_F64, ITEM_F16, ITEM_I8, ITEM_U8, ITEM_I32, ITEM_I64, ITEM_BITS, ITEM_BOOL };

/* Rows as they lie in the file. Item j of row i starts at row i + j * item_stride. */
struct vectors {
	struct fs_map map;
	enum vectors_format format;
	const char *format_name;     /* for people */
	enum vectors_item item;
	bool big_endian;
	size_t rows, cols;           /* ITEM_BITS: cols is a number of bytes; ITEM_BOOL: a byte for each bit */
	const uint8_t *data;
	size_t row_stride, item_stride;
	const uint8_t **row_at;      /* rows that do not lie at equal steps; mem_free */
	uint8_t *owned;              /* what was unpacked; mem_free */
	int64_t *ids;                /* NULL: row numbers; mem_free */
	enum metric metric;          /* 0: the file does not say */
};

enum { VECTORS_MAX_COLS = 1 << 20 };

/* AKIN_ERR_FORMAT when it is none of the formats, or damaged; AKIN_ERR_UNSUPPORTED for a part or layout that cannot be
 * read. */
akin_status vectors_open(struct vectors *v, const char *path, enum vectors_part part, akin_error *err);
/* The same over bytes that the caller keeps. */
akin_status vectors_parse(struct vectors *v, const void *bytes, size_t n, enum vectors_part part, akin_error *err);
void vectors_close(struct vectors *v);

/* What the items are most naturally kept as. */
enum element vectors_element(const struct vectors *v);
/* Dimensions of a vector as that element: bytes have eight bits. */
size_t vectors_dim(const struct vectors *v, enum element element);
/* Rows first .. first + n - 1 as an index of that element takes them (f16 as float). Nothing is rounded but f64 to
 * float: AKIN_ERR_INVALID when a value does not fit, AKIN_ERR_FORMAT when a row is damaged. */
akin_status vectors_read(const struct vectors *v, size_t first, size_t n, enum element element, void *to,
			 akin_error *err);
akin_status vectors_read_i64(const struct vectors *v, size_t first, size_t n, int64_t *to, akin_error *err);
/* The row's id, or its number. */
static inline int64_t vectors_id(const struct vectors *v, size_t row)
{
	return v->ids ? v->ids[row] : (int64_t)row;
}

/* ---- one parser a format; `v` is zero but for the format ---- */
akin_status vecs_parse(struct vectors *v, const uint8_t *bytes, size_t n, akin_error *err);

/* ---- writing: begin with the number of rows, put them all, commit; or abort at any time ---- */

struct vectors_writer {
	struct fs_writer file;
	enum vectors_format format;
	enum element element;
	size_t dim, rows, written;
	uint8_t *line;               /* one row as the file has it */
};
/* NPY (any element), FVECS (f32, f16), BVECS (u8, bits), IVECS (i8, u8), FAISS (f32 or f16 with l2 or ip; bits): else
 * AKIN_ERR_UNSUPPORTED. */
akin_status vectors_writer_begin(struct vectors_writer *w, const char *path, enum vectors_format format,
				 enum metric metric, enum element element, size_t dim, size_t rows, akin_error *err);
/* n rows as vectors_read gives them. */
akin_status vectors_writer_put(struct vectors_writer *w, const void *rows, size_t n, akin_error *err);
akin_status vectors_writer_commit(struct vectors_writer *w, akin_error *err);
void vectors_writer_abort(struct vectors_writer *w);

#endif
