/* index/rows.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "index/rows.h"

#include <string.h>

#include "base/alloc.h"

/* What we own we may write. */
static void *writable(const void *p)
{
	return (void *)(uintptr_t)p;
}

static void free_arrays(struct rows *rows)
{
	if (rows->mapped) return;
	mem_free(writable(rows->ids));
	mem_free(writable(rows->data));
	mem_free(writable(rows->scales));
}

void rows_deinit(struct rows *rows)
{
	free_arrays(rows);
	idmap_deinit(&rows->map);
	*rows = (struct rows){ 0 };
}

/* Move the rows to arrays of `capacity`; a mapped file's are copied. */
static akin_status move_to(struct rows *rows, const struct space *space, size_t capacity, akin_error *err)
{
	struct rows larger = *rows;

	larger.mapped = false;
	larger.capacity = capacity;
	larger.ids = mem_alloc(capacity * sizeof *larger.ids);
	larger.data = capacity <= SIZE_MAX / 2 / space->row_bytes ? mem_aligned(capacity * space->row_bytes) : NULL;
	larger.scales = space->scaled ? mem_alloc(capacity * sizeof *larger.scales) : NULL;
	if (!larger.ids || !larger.data || (space->scaled && !larger.scales)) {
		free_arrays(&larger);
		return error_nomem(err);
	}
	if (rows->count) {
		memcpy(writable(larger.ids), rows->ids, rows->count * sizeof *rows->ids);
		memcpy(writable(larger.data), rows->data, rows->count * space->row_bytes);
		if (space->scaled) memcpy(writable(larger.scales), rows->scales, rows->count * sizeof *rows->scales);
	}
	free_arrays(rows);
	*rows = larger;
	return AKIN_OK;
}

akin_status rows_own(struct rows *rows, const struct space *space, akin_error *err)
{
	akin_status st;

	if (!rows->mapped) return AKIN_OK;
	if (!idmap_reserve(&rows->map, rows->ids, rows->count)) return error_nomem(err);
	if ((st = move_to(rows, space, rows->count ? rows->count : 1, err)) != AKIN_OK) {
		idmap_deinit(&rows->map);
		return st;
	}
	for (size_t i = 0; i < rows->count; i++) idmap_add(&rows->map, rows->ids, i);
	return AKIN_OK;
}

static akin_status reserve(struct rows *rows, const struct space *space, size_t n, akin_error *err)
{
	size_t wanted, half_more = rows->capacity + rows->capacity / 2;

	if (n > IDMAP_MAX_ROWS - rows->count)
		return error_set(err, AKIN_ERR_LIMIT, "%zu and %zu rows are more than %zu", rows->count, n, IDMAP_MAX_ROWS);
	wanted = rows->count + n;
	if (!idmap_reserve(&rows->map, rows->ids, wanted)) return error_nomem(err);
	if (wanted <= rows->capacity) return AKIN_OK;
	return move_to(rows, space, wanted > half_more ? wanted : half_more, err);
}

static akin_status add_one(struct rows *rows, const struct space *space, int64_t id, const void *from, size_t at,
                           akin_error *err)
{
	float *scale = space->scaled ? (float *)writable(rows->scales) + at : NULL;
	akin_status st;
	size_t known;

	if (idmap_find(&rows->map, rows->ids, id, &known))
		return error_set(err, AKIN_ERR_EXISTS, known < rows->count ? "id %lld is there already" : "id %lld is given twice",
		                 (long long)id);
	st = space_store(space, from, (uint8_t *)writable(rows->data) + at * space->row_bytes, scale, err);
	if (st != AKIN_OK) return error_note(err, st, "vector of id %lld", (long long)id);
	((int64_t *)writable(rows->ids))[at] = id;
	idmap_add(&rows->map, rows->ids, at);
	return AKIN_OK;
}

akin_status rows_add(struct rows *rows, const struct space *space, const int64_t *ids, const void *from, size_t n,
                     akin_error *err)
{
	akin_status st = reserve(rows, space, n, err);
	size_t done = 0;

	while (st == AKIN_OK && done < n) {
		st = add_one(rows, space, ids[done], (const uint8_t *)from + done * space->query_bytes, rows->count + done, err);
		if (st == AKIN_OK) done++;
	}
	if (st == AKIN_OK) {
		if (!rows->count) rows->dense = true;
		for (size_t i = 0; rows->dense && i < n; i++)
			rows->dense = (uint64_t)ids[i] - (uint64_t)rows->ids[0] == rows->count + i;
		rows->count += n;
	} else
		while (done) idmap_remove(&rows->map, rows->ids, rows->count + --done);
	return st;
}

bool rows_find(const struct rows *rows, int64_t id, size_t *row)
{
	size_t low = 0, high = rows->count;

	if (rows->dense) {
		const uint64_t place = rows->count ? (uint64_t)id - (uint64_t)rows->ids[0] : rows->count;

		*row = place < rows->count ? (size_t)place : 0;
		return place < rows->count;
	}
	if (!rows->mapped) return idmap_find(&rows->map, rows->ids, id, row);
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (rows->ids[middle] < id) low = middle + 1;
		else high = middle;
	}
	*row = low;
	return low < rows->count && rows->ids[low] == id;
}

void rows_remove(struct rows *rows, const struct space *space, size_t row)
{
	const size_t last = rows->count - 1;

	idmap_remove(&rows->map, rows->ids, row);
	if (row != last) {
		rows->dense = false;
		idmap_remove(&rows->map, rows->ids, last);
		((int64_t *)writable(rows->ids))[row] = rows->ids[last];
		memcpy(writable(rows_at(rows, space, row)), rows_at(rows, space, last), space->row_bytes);
		if (space->scaled) ((float *)writable(rows->scales))[row] = rows->scales[last];
		idmap_add(&rows->map, rows->ids, row);
	}
	rows->count--;
}

akin_status rows_check(const struct rows *rows, const struct space *space, bool deep, akin_error *err)
{
	if (!rows->mapped && rows->map.count != rows->count)
		return error_set(err, AKIN_ERR_CORRUPT, "%zu rows, but %zu ids", rows->count, rows->map.count);
	for (size_t i = 0; i < rows->count; i++) {
		size_t row;

		if (!rows_find(rows, rows->ids[i], &row) || row != i ||
		    (!rows->mapped && (!idmap_find(&rows->map, rows->ids, rows->ids[i], &row) || row != i)))
			return error_set(err, AKIN_ERR_CORRUPT, "id %lld does not lead to its row %zu", (long long)rows->ids[i], i);
		if (deep && !space_row_is_valid(space, rows_at(rows, space, i), space->scaled ? rows->scales[i] : 0))
			return error_set(err, AKIN_ERR_CORRUPT, "the vector of id %lld is not valid", (long long)rows->ids[i]);
	}
	return AKIN_OK;
}

uint64_t rows_bytes(const struct rows *rows, const struct space *space)
{
	uint64_t one = space->row_bytes + sizeof *rows->ids + (space->scaled ? sizeof *rows->scales : 0);

	return rows->capacity * one + (rows->map.slots ? (rows->map.mask + 1) * sizeof *rows->map.slots : 0);
}
