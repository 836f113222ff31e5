/* vecfile/vectors.c - telling the formats apart, and turning items into what an index takes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "vecfile/vectors.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "vecfile/faiss.h"
#include "vecfile/hdf5.h"
#include "vecfile/npy.h"

static const struct {
	const char *name;
	size_t bytes;
	bool whole;
	enum element element;
} items[] = {
	[ITEM_F32] = { "f32", 4, false, ELEMENT_F32 }, [ITEM_F64] = { "f64", 8, false, ELEMENT_F32 },
	[ITEM_F16] = { "f16", 2, false, ELEMENT_F16 }, [ITEM_I8] = { "i8", 1, true, ELEMENT_I8 },
	[ITEM_U8] = { "u8", 1, true, ELEMENT_U8 },     [ITEM_I32] = { "i32", 4, true, ELEMENT_F32 },
	[ITEM_I64] = { "i64", 8, true, ELEMENT_F32 },  [ITEM_BITS] = { "bits", 1, true, ELEMENT_BITS },
	[ITEM_BOOL] = { "bool", 1, true, ELEMENT_BITS },
};

/* ---- opening ---- */

static akin_status parse_npy(struct vectors *v, const uint8_t *bytes, size_t n, akin_error *err)
{
	static const enum vectors_item of[] = {
		[NPY_F32] = ITEM_F32, [NPY_F64] = ITEM_F64, [NPY_F16] = ITEM_F16, [NPY_I8] = ITEM_I8,
		[NPY_U8] = ITEM_U8,   [NPY_I32] = ITEM_I32, [NPY_I64] = ITEM_I64,
	};
	struct npy npy;
	akin_status st = npy_parse(&npy, bytes, n, err);

	if (st != AKIN_OK) return st;
	v->format = VECTORS_NPY;
	v->format_name = "npy";
	v->item = of[npy.type];
	v->big_endian = npy.big_endian;
	v->rows = npy.rows;
	v->cols = npy.cols;
	v->data = npy.data;
	v->item_stride = items[v->item].bytes * (npy.fortran ? npy.rows : 1);
	v->row_stride = items[v->item].bytes * (npy.fortran ? 1 : npy.cols);
	return AKIN_OK;
}

static bool starts(const uint8_t *bytes, size_t n, const char *mark, size_t mark_bytes)
{
	return n >= mark_bytes && memcmp(bytes, mark, mark_bytes) == 0;
}

akin_status vectors_parse(struct vectors *v, const void *bytes, size_t n, enum vectors_part part, akin_error *err)
{
	akin_status st;

	*v = (struct vectors){ 0 };
	if (starts(bytes, n, "\x93NUMPY", 6)) st = parse_npy(v, bytes, n, err);
	else if (hdf5_is(bytes, n)) st = hdf5_parse(v, bytes, n, part, err);
	else if (faiss_is(bytes, n)) st = faiss_parse(v, bytes, n, err);
	else st = vecs_parse(v, bytes, n, err);
	if (st == AKIN_OK && v->cols > VECTORS_MAX_COLS)
		st = error_set(err, AKIN_ERR_LIMIT, "rows of %zu items are longer than %d", v->cols, VECTORS_MAX_COLS);
	if (st != AKIN_OK) vectors_close(v);
	return st;
}

akin_status vectors_open(struct vectors *v, const char *path, enum vectors_part part, akin_error *err)
{
	struct fs_map map;
	akin_status st;

	*v = (struct vectors){ 0 };
	if ((st = fs_map_open(&map, path, err)) != AKIN_OK) return st;
	if ((st = vectors_parse(v, map.bytes, map.n, part, err)) == AKIN_OK) v->map = map;
	else fs_map_close(&map);
	return error_note(err, st, "reading %s", path);
}

void vectors_close(struct vectors *v)
{
	mem_free(v->row_at);
	mem_free(v->owned);
	mem_free(v->ids);
	fs_map_close(&v->map);
	*v = (struct vectors){ 0 };
}

enum element vectors_element(const struct vectors *v)
{
	return items[v->item].element;
}

size_t vectors_dim(const struct vectors *v, enum element element)
{
	if (v->item == ITEM_BOOL) return v->cols;
	return element == ELEMENT_BITS || v->item == ITEM_BITS ? 8 * v->cols : v->cols;
}

/* ---- items ---- */

static uint64_t load(const uint8_t *p, size_t bytes, bool big_endian)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < bytes; i++) bits |= (uint64_t)p[i] << 8 * (big_endian ? bytes - 1 - i : i);
	return bits;
}

/* IEEE binary16 to float by arithmetic: right also where subnormal floats are flushed to zero. */
static double half_value(uint64_t half)
{
	const int exponent = (int)(half >> 10 & 31);
	const double fraction = (double)(half & 1023), sign = half & 0x8000 ? -1 : 1;

	if (exponent == 31) return fraction != 0 ? (double)NAN : sign * (double)INFINITY;
	if (exponent == 0) return sign * fraction * 0x1p-24;
	return sign * ldexp(1024 + fraction, exponent - 25);
}

/* Every item but the largest int64 is a double exactly. */
static double item_value(const struct vectors *v, const uint8_t *p)
{
	const uint64_t bits = load(p, items[v->item].bytes, v->big_endian);
	const uint32_t low = (uint32_t)bits;
	double wide;
	float narrow;

	switch (v->item) {
	case ITEM_F32: memcpy(&narrow, &low, sizeof narrow); return (double)narrow;
	case ITEM_F64: memcpy(&wide, &bits, sizeof wide); return wide;
	case ITEM_F16: return half_value(bits);
	case ITEM_I8: return (double)(int8_t)bits;
	case ITEM_I32: return (double)(int32_t)low;
	case ITEM_I64: return (double)(int64_t)bits;
	default: return (double)bits;
	}
}

static const uint8_t *row_of(const struct vectors *v, size_t row)
{
	return v->row_at ? v->row_at[row] : v->data + row * v->row_stride;
}

/* Rows of these formats repeat the dimension. */
static akin_status check_row(const struct vectors *v, size_t row, akin_error *err)
{
	const uint8_t *p = row_of(v, row);
	uint64_t dim;

	if (v->format != VECTORS_FVECS && v->format != VECTORS_BVECS && v->format != VECTORS_IVECS) return AKIN_OK;
	dim = load(p - 4, 4, false);
	if (dim == v->cols) return AKIN_OK;
	return error_set(err, AKIN_ERR_FORMAT, "row %zu has %llu dimensions where the first has %zu", row,
	                 (unsigned long long)dim, v->cols);
}

/* The items as they lie are what is wanted. */
static bool copies(const struct vectors *v, enum element element)
{
	const size_t bytes = items[v->item].bytes;

	if (v->item_stride != bytes || (bytes > 1 && v->big_endian)) return false;
	switch (v->item) {
	case ITEM_F32: return element == ELEMENT_F32 || element == ELEMENT_F16;
	case ITEM_I8: return element == ELEMENT_I8;
	case ITEM_U8: return element == ELEMENT_U8 || element == ELEMENT_BITS;
	case ITEM_BITS: return element == ELEMENT_BITS;
	default: return false;
	}
}

static akin_status read_floats(const struct vectors *v, size_t row, float *to)
{
	const uint8_t *p = row_of(v, row);

	for (size_t j = 0; j < v->cols; j++) to[j] = (float)item_value(v, p + j * v->item_stride);
	return AKIN_OK;
}

static akin_status read_bytes(const struct vectors *v, size_t row, enum element element, uint8_t *to, akin_error *err)
{
	const double least = element == ELEMENT_I8 ? -128 : 0, most = element == ELEMENT_I8 ? 127 : 255;
	const uint8_t *p = row_of(v, row);

	for (size_t j = 0; j < v->cols; j++) {
		const double value = item_value(v, p + j * v->item_stride);

		if (!(value >= least && value <= most) || value != floor(value))
			return error_set(err, AKIN_ERR_INVALID,
					 "%g, item %zu of row %zu, is no whole number of %g to %g", value, j, row,
					 least, most);
		to[j] = (uint8_t)(int)value;
	}
	return AKIN_OK;
}

static void pack_bits(const struct vectors *v, size_t row, uint8_t *to)
{
	const uint8_t *p = row_of(v, row);

	memset(to, 0, (v->cols + 7) / 8);
	for (size_t j = 0; j < v->cols; j++)
		if (p[j * v->item_stride]) to[j / 8] = (uint8_t)(to[j / 8] | 1u << j % 8);
}

static akin_status check_element(const struct vectors *v, enum element element, akin_error *err)
{
	const bool bytes = v->item == ITEM_U8 || v->item == ITEM_BITS || v->item == ITEM_BOOL;

	if (element == ELEMENT_BITS && !bytes)
		return error_set(err, AKIN_ERR_INVALID, "bits come packed in unsigned bytes, not as %s",
				 items[v->item].name);
	if (element != ELEMENT_BITS && v->item == ITEM_BITS)
		return error_set(err, AKIN_ERR_INVALID, "the file has bits: they cannot be read as numbers");
	return AKIN_OK;
}

akin_status vectors_read(const struct vectors *v, size_t first, size_t n, enum element element, void *to,
			 akin_error *err)
{
	const size_t bytes = element_row_bytes(element == ELEMENT_F16 ? ELEMENT_F32 : element, vectors_dim(v, element));
	akin_status st;

	if ((st = check_element(v, element, err)) != AKIN_OK) return st;
	if (first > v->rows || n > v->rows - first)
		return error_set(err, AKIN_ERR_INVALID, "rows %zu to %zu are asked for, there are %zu", first,
				 first + n, v->rows);
	for (size_t i = 0; i < n && st == AKIN_OK; i++) {
		uint8_t *row = (uint8_t *)to + i * bytes;

		if ((st = check_row(v, first + i, err)) != AKIN_OK) return st;
		if (v->item == ITEM_BOOL && element == ELEMENT_BITS) pack_bits(v, first + i, row);
		else if (copies(v, element)) memcpy(row, row_of(v, first + i), bytes);
		else if (element == ELEMENT_F32 || element == ELEMENT_F16)
			st = read_floats(v, first + i, (float *)(void *)row);
		else st = read_bytes(v, first + i, element == ELEMENT_BITS ? ELEMENT_U8 : element, row, err);
	}
	return st;
}

akin_status vectors_read_i64(const struct vectors *v, size_t first, size_t n, int64_t *to, akin_error *err)
{
	akin_status st;

	if (!items[v->item].whole || v->item == ITEM_BITS)
		return error_set(err, AKIN_ERR_INVALID, "whole numbers are wanted, the file has %s",
				 items[v->item].name);
	for (size_t i = 0; i < n; i++) {
		const uint8_t *p = row_of(v, first + i);

		if ((st = check_row(v, first + i, err)) != AKIN_OK) return st;
		for (size_t j = 0; j < v->cols; j++) {
			const uint64_t bits = load(p + j * v->item_stride, items[v->item].bytes, v->big_endian);

			to[i * v->cols + j] = v->item == ITEM_I64   ? (int64_t)bits
			                      : v->item == ITEM_I32 ? (int32_t)(uint32_t)bits
			                      : v->item == ITEM_I8  ? (int8_t)bits
			                                            : (int64_t)bits;
		}
	}
	return AKIN_OK;
}
