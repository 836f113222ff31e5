/* index/flat.c - compare with every row: exact, and the oracle for other kinds.
 *
 * A block of rows is scanned into an array of distances, from which one comparison a distance picks those that may enter
 * the result; only they meet the filter and the heap. The scan runs at the speed at which memory can be read.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "index/ops.h"

enum {
	BLOCK = 256,
	SCATTERED = 2, /* one row of so many or fewer: those are compared, and no others */
};

/* Distances of a block of rows, and which of them are within the bound that held before it. */
struct block {
	float distances[BLOCK];
	uint32_t near[BLOCK];
	size_t n_near;
};

static void scan_block(const struct index *index, const struct query *query, size_t first, float bound, struct block *block)
{
	const size_t left = index->rows.count - first, n = left < BLOCK ? left : BLOCK;

	space_distances(&index->space, query, rows_at(&index->rows, &index->space, first), rows_scales(&index->rows, first), n,
	                block->distances);
	block->n_near = index->space.kernels->select(block->distances, n, bound, block->near);
}

akin_status flat_search(const struct index *index, const struct query *query, const struct allow *allow, size_t effort,
                        struct topk *top, akin_error *err)
{
	struct block block;

	(void)err;
	(void)effort;
	/* Rows here and there are read at a fraction of the speed of rows in order. */
	if (allow->bits && allow->n < index->rows.count / SCATTERED) {
		allow_scan(allow, &index->rows, &index->space, query, top);
		return AKIN_OK;
	}
	for (size_t first = 0; first < index->rows.count; first += BLOCK) {
		scan_block(index, query, first, top->bound, &block);
		for (size_t i = 0; i < block.n_near; i++) {
			struct hit hit = { index->rows.ids[first + block.near[i]], block.distances[block.near[i]] };

			if (hit.distance <= top->bound && allow_row(allow, &index->rows, first + block.near[i]))
				topk_push(top, hit);
		}
	}
	return AKIN_OK;
}

akin_status flat_range(const struct index *index, const struct query *query, float max_distance,
                       const struct index_filter *filter, struct hit **hits, size_t *n_hits, akin_error *err)
{
	struct hit *found = NULL, *moved;
	size_t n = 0, capacity = 0;
	struct block block;

	*hits = NULL;
	*n_hits = 0;
	for (size_t first = 0; first < index->rows.count; first += BLOCK) {
		scan_block(index, query, first, max_distance, &block);
		for (size_t i = 0; i < block.n_near; i++) {
			struct hit hit = { index->rows.ids[first + block.near[i]], block.distances[block.near[i]] };

			if (filter && !filter_allows(filter, hit.id)) continue;
			if (!(moved = mem_grow(found, &capacity, n, sizeof *found))) {
				mem_free(found);
				return error_nomem(err);
			}
			found = moved;
			found[n++] = hit;
		}
	}
	hits_sort(found, n);
	*hits = found;
	*n_hits = n;
	return AKIN_OK;
}

const struct index_ops flat_ops = { .search = flat_search, .search_many = flat_search_many };
