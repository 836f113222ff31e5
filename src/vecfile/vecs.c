/* vecfile/vecs.c - .fvecs, .bvecs and .ivecs of the TEXMEX sets: each row is its dimension as int32, then as many
 * float32, uint8 or int32 items. The formats have no mark; what is in the file must tell them apart.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "vecfile/vectors.h"

enum { LOOK_ROWS = 64, TINY_INTEGERS = 1 << 27 };

static uint32_t load_u32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Whether rows of that many bytes fill the file, and the first ones begin with the same dimension. */
static bool rows_fit(const uint8_t *bytes, size_t n, size_t row_bytes)
{
	if (n % row_bytes) return false;
	for (size_t i = 0; i < n / row_bytes && i < LOOK_ROWS; i++)
		if (memcmp(bytes, bytes + i * row_bytes, 4) != 0) return false;
	return true;
}

/* Ids of neighbours are below 2^27, or -1 where there are none; as floats they would be below 1e-30 or not numbers,
 * which no vectors are. */
static bool look_like_ids(const uint8_t *bytes, size_t cols, size_t rows)
{
	bool any = false;

	for (size_t i = 0; i < rows && i < LOOK_ROWS; i++) {
		for (size_t j = 0; j < cols; j++) {
			const uint32_t value = load_u32(bytes + i * (4 + 4 * cols) + 4 + 4 * j);

			if (value >= TINY_INTEGERS && value != UINT32_MAX) return false;
			any |= value != 0;
		}
	}
	return any;
}

akin_status vecs_parse(struct vectors *v, const uint8_t *bytes, size_t n, akin_error *err)
{
	const uint32_t dim = n >= 4 ? load_u32(bytes) : 0;

	if (dim < 1 || dim > VECTORS_MAX_COLS)
		return error_set(err, AKIN_ERR_FORMAT,
		                 "this is no file of vectors (.npy, .fvecs, .bvecs, .ivecs, HDF5, Faiss)");
	v->cols = dim;
	if (rows_fit(bytes, n, 4 + 4 * (size_t)dim)) {
		const bool ids = look_like_ids(bytes, dim, n / (4 + 4 * (size_t)dim));

		v->format = ids ? VECTORS_IVECS : VECTORS_FVECS;
		v->format_name = ids ? "ivecs" : "fvecs";
		v->item = ids ? ITEM_I32 : ITEM_F32;
		v->item_stride = 4;
	} else if (rows_fit(bytes, n, 4 + (size_t)dim)) {
		v->format = VECTORS_BVECS;
		v->format_name = "bvecs";
		v->item = ITEM_U8;
		v->item_stride = 1;
	} else {
		return error_set(err, AKIN_ERR_FORMAT,
				 "as .fvecs or .bvecs the first row has %u dimensions, but %zu bytes are no whole "
				 "number of such rows",
				 dim, n);
	}
	v->row_stride = 4 + dim * v->item_stride;
	v->rows = n / v->row_stride;
	v->data = bytes + 4;
	return AKIN_OK;
}
