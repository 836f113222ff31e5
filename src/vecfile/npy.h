/* vecfile/npy.h - NumPy's .npy files, versions 1.0 to 3.0: two-dimensional arrays (one-dimensional ones are one row) of
 * f4, f8, f2, i1, u1, little or big endian, C or Fortran order; read as float32 or as they are.
 * Bytes are hostile: sizes are checked against the file before anything is allocated.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_VECFILE_NPY_H
#define AKIN_VECFILE_NPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fs.h"
#include "base/status.h"

enum npy_type { NPY_F32, NPY_F64, NPY_F16, NPY_I8, NPY_U8, NPY_I32, NPY_I64 };

/* An opened file: the data stay mapped. */
struct npy {
	struct fs_map map;
	enum npy_type type;
	bool big_endian, fortran;
	size_t rows, cols;
	const uint8_t *data;
};

akin_status npy_open(struct npy *npy, const char *path, akin_error *err);
/* The same over bytes that the caller keeps (for tests and fuzzing). */
akin_status npy_parse(struct npy *npy, const void *bytes, size_t n, akin_error *err);
void npy_close(struct npy *npy);
/* Row i as float32, cols values. Any type. */
void npy_row_f32(const struct npy *npy, size_t i, float *out);
/* Row i as int64; integer types only (false otherwise). */
bool npy_row_i64(const struct npy *npy, size_t i, int64_t *out);

/* Write rows x cols of a type in C order, little endian, atomically; rows come one at a time. */
struct npy_writer {
	struct fs_writer file;
	enum npy_type type;
	size_t rows, cols, written;
};
akin_status npy_writer_begin(struct npy_writer *w, const char *path, enum npy_type type, size_t rows, size_t cols,
                             akin_error *err);
/* `row` has cols items of the type, native byte order. */
akin_status npy_writer_row(struct npy_writer *w, const void *row, akin_error *err);
akin_status npy_writer_commit(struct npy_writer *w, akin_error *err); /* AKIN_ERR_INVALID when rows are missing */
void npy_writer_abort(struct npy_writer *w);

#endif
