/* vecfile/hdf5_chunks.c - arrays in chunks: a tree of places (III.A.1, node type 1), each chunk through the filters
 * backwards. SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <zlib.h>

#include "base/alloc.h"
#include "vecfile/hdf5.h"

enum { RATIO_MAX = 1032 /* deflate cannot do better */, KEY_BYTES = 8 + 3 * 8, ENTRY_BYTES = KEY_BYTES + 8 };

struct unpack {
	struct hdf5_file *file;
	const struct hdf5_array *array;
	size_t chunk_bytes;
	uint8_t *out;
	uint8_t *room[2]; /* a chunk before and after a filter */
};

static akin_status damaged(const char *what, akin_error *err)
{
	return error_set(err, AKIN_ERR_FORMAT, "the HDF5 file's %s is damaged", what);
}

/* ---- filters ---- */

static bool inflate_chunk(const uint8_t *from, size_t n, uint8_t *to, size_t *n_to)
{
	uLongf got = (uLongf)*n_to;
	const bool ok = uncompress(to, &got, from, (uLong)n) == Z_OK;

	*n_to = (size_t)got;
	return ok;
}

/* Byte j of item i lies at j * items + i; bytes that fill no item stay behind. */
static void unshuffle(const uint8_t *from, size_t n, size_t item_bytes, uint8_t *to)
{
	const size_t count = n / item_bytes, whole = count * item_bytes;

	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < item_bytes; j++) to[i * item_bytes + j] = from[j * count + i];
	memcpy(to + whole, from + whole, n - whole);
}

/* Undo the filters from the last to the first; a set bit of `mask` says that one was left out. */
static const uint8_t *undo(struct unpack *u, const uint8_t *bytes, size_t n, uint64_t mask, size_t *n_out)
{
	size_t turn = 0;

	for (unsigned i = u->array->n_filters; i-- > 0;) {
		uint8_t *to = u->room[turn];
		size_t n_to = u->chunk_bytes + 4; /* with a checksum behind */

		if (mask >> i & 1) continue;
		switch (u->array->filters[i]) {
		case HDF5_FLETCHER32:
			if (n < 4) return NULL;
			n -= 4;
			continue;
		case HDF5_SHUFFLE:
			if (n > n_to) return NULL;
			unshuffle(bytes, n, u->array->item_bytes, to);
			n_to = n;
			break;
		default:
			if (!inflate_chunk(bytes, n, to, &n_to)) return NULL;
		}
		bytes = to;
		n = n_to;
		turn = 1 - turn;
	}
	*n_out = n;
	return bytes;
}

/* ---- chunks ---- */

/* Copy what of a chunk lies inside the array. */
static void place(const struct unpack *u, const uint8_t *chunk, uint64_t row, uint64_t col)
{
	const struct hdf5_array *a = u->array;
	const uint64_t rows = a->rows - row < a->chunk_rows ? a->rows - row : a->chunk_rows;
	const uint64_t cols = a->cols - col < a->chunk_cols ? a->cols - col : a->chunk_cols;

	for (uint64_t r = 0; r < rows; r++)
		memcpy(u->out + ((row + r) * a->cols + col) * a->item_bytes, chunk + r * a->chunk_cols * a->item_bytes,
		       cols * a->item_bytes);
}

static akin_status take_chunk(struct unpack *u, const uint8_t *key, akin_error *err)
{
	const struct hdf5_array *a = u->array;
	const uint64_t stored = hdf5_number(key, 4), mask = hdf5_number(key + 4, 4);
	const uint64_t row = hdf5_number(key + 8, 8), col = hdf5_number(key + 16, 8);
	const uint8_t *bytes = hdf5_at(u->file, hdf5_number(key + KEY_BYTES, 8), stored);
	size_t n;

	if (row >= a->rows || col >= a->cols || row % a->chunk_rows || col % a->chunk_cols)
		return damaged("tree of chunks", err);
	if (!bytes) return damaged("tree of chunks", err);
	bytes = undo(u, bytes, (size_t)stored, mask, &n);
	if (!bytes || n < u->chunk_bytes)
		return error_set(err, AKIN_ERR_FORMAT, "the chunk at row %llu cannot be unpacked",
				 (unsigned long long)row);
	place(u, bytes, row, col);
	return AKIN_OK;
}

static akin_status walk(struct unpack *u, uint64_t node, unsigned level_below, akin_error *err)
{
	const uint8_t *p = hdf5_at(u->file, node, 24);
	akin_status st = AKIN_OK;
	size_t n;

	if (!p || memcmp(p, "TREE", 4) != 0 || p[4] != 1 || p[5] >= level_below || !hdf5_visit(u->file))
		return damaged("tree of chunks", err);
	n = (size_t)hdf5_number(p + 6, 2);
	if (!(p = hdf5_at(u->file, node, 24 + n * ENTRY_BYTES))) return damaged("tree of chunks", err);
	for (size_t i = 0; i < n && st == AKIN_OK; i++) {
		const uint8_t *key = p + 24 + i * ENTRY_BYTES;

		if (p[5]) st = walk(u, hdf5_number(key + KEY_BYTES, 8), p[5], err);
		else if (!hdf5_visit(u->file)) st = damaged("tree of chunks", err);
		else st = take_chunk(u, key, err);
	}
	return st;
}

akin_status hdf5_unpack(struct hdf5_file *f, const struct hdf5_array *a, uint8_t **out, akin_error *err)
{
	struct unpack u = { .file = f, .array = a };
	const uint64_t bytes = a->rows * a->cols * a->item_bytes;
	uint64_t chunk;
	akin_status st = AKIN_OK;

	*out = NULL;
	if (!a->chunk_rows || !a->chunk_cols ||
	    __builtin_mul_overflow(a->chunk_rows, a->chunk_cols * a->item_bytes, &chunk) || chunk > (UINT64_C(1) << 32))
		return error_set(err, AKIN_ERR_FORMAT, "chunks of %llu x %llu cannot be",
				 (unsigned long long)a->chunk_rows, (unsigned long long)a->chunk_cols);
	/* A small file that claims to unpack to more than it can is not believed. */
	if (bytes / RATIO_MAX > f->n || chunk / RATIO_MAX > f->n)
		return error_set(err, AKIN_ERR_FORMAT, "%llu bytes of vectors cannot come out of a file of %zu",
		                 (unsigned long long)bytes, f->n);
	u.chunk_bytes = (size_t)chunk;
	u.out = mem_calloc((size_t)bytes + 1, 1);
	u.room[0] = mem_alloc((size_t)chunk + 4);
	u.room[1] = mem_alloc((size_t)chunk + 4);
	if (!u.out || !u.room[0] || !u.room[1]) st = error_nomem(err);
	else if (a->address != HDF5_NOWHERE) st = walk(&u, a->address, 256, err);
	mem_free(u.room[0]);
	mem_free(u.room[1]);
	if (st == AKIN_OK) *out = u.out;
	else mem_free(u.out);
	return st;
}
