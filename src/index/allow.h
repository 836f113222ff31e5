/* index/allow.h - which rows a search may find: a filter of ids made fit for the rows of one index.
 *
 * A batch, and a search that few rows pass, get a bit for each row. Otherwise rows are tested when a search meets them:
 * finding the row of every id that is allowed would take longer than the search.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_INDEX_ALLOW_H
#define AKIN_INDEX_ALLOW_H

#include "index/index.h"
#include "index/rows.h"
#include "index/topk.h"

struct allow {
	const struct index_filter *filter; /* NULL: every row may be found */
	uint64_t *bits;                    /* a bit for each row; NULL: the filter is asked by id */
	size_t n;                          /* rows that may be found: counted where there are bits, else estimated */
};

enum allow_use { ALLOW_ONCE, ALLOW_OFTEN };

/* `filter` outlives `allow`; NULL allows all. */
akin_status allow_init(struct allow *allow, const struct rows *rows, const struct index_filter *filter,
                       enum allow_use use, akin_error *err);
void allow_deinit(struct allow *allow);
/* Every part of the filter. */
bool filter_allows(const struct index_filter *filter, int64_t id);

static inline bool allow_row(const struct allow *allow, const struct rows *rows, size_t row)
{
	if (allow->bits) return allow->bits[row / 64] >> row % 64 & 1;
	return !allow->filter || filter_allows(allow->filter, rows->ids[row]);
}

/* The next allowed row from `row` on, or the number of rows. */
static inline size_t allow_next(const struct allow *allow, const struct rows *rows, size_t row)
{
	if (!allow->bits) {
		while (row < rows->count && !allow_row(allow, rows, row)) row++;
		return row;
	}
	for (uint64_t word; row < rows->count; row = (row / 64 + 1) * 64)
		if ((word = allow->bits[row / 64] >> row % 64)) return row + (size_t)__builtin_ctzll(word);
	return rows->count;
}

/* One row in how many may be found, at least 1; more than there are rows when none may. */
static inline double allow_rarity(const struct allow *allow, const struct rows *rows)
{
	if (!allow->filter || !rows->count) return 1;
	return (double)rows->count / ((double)allow->n + 0.5 / (double)(rows->count + 1));
}

/* Compare with every allowed row, and no other: exact. */
void allow_scan(const struct allow *allow, const struct rows *rows, const struct space *space,
                const struct query *query, struct topk *top);

#endif
