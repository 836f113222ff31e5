/* index/buckets.h - hash tables from slots to rows, several side by side, each row once in each: chains through arrays.
 *   B1  heads[t << bits | slot] starts the chain of a slot, next[t * capacity + row] continues it; values are row + 1,
 * 0 ends; B2  in a file a chain descends, so that no file can make a walk endless; B3  in memory slots[t * capacity +
 * row] is the slot in whose chain the row is. SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_INDEX_BUCKETS_H
#define AKIN_INDEX_BUCKETS_H

#include <stdbool.h>

#include "index/file.h"

struct buckets {
	size_t tables;
	unsigned bits;
	const uint32_t *heads, *next, *slots;
	size_t capacity, count; /* rows */
	bool mapped;
};

void buckets_deinit(struct buckets *b);
akin_status buckets_init(struct buckets *b, size_t tables, unsigned bits, size_t rows, akin_error *err);
akin_status buckets_reserve(struct buckets *b, size_t rows, akin_error *err);
/* The next row number in every table; there is room. slots[t] < 2^bits. */
void buckets_add(struct buckets *b, const uint32_t *slots);
/* The row leaves, and the last one takes its number. */
void buckets_remove(struct buckets *b, size_t row);
/* AKIN_ERR_FORMAT when a row is not exactly once in each table. */
akin_status buckets_own(struct buckets *b, akin_error *err);
uint64_t buckets_bytes(const struct buckets *b);

/* for (size_t row; buckets_walk(b, table, slot, &at, &row);), with at = 0 before. */
static inline bool buckets_walk(const struct buckets *b, size_t table, uint32_t slot, uint32_t *at, size_t *row)
{
	const uint32_t before = *at;

	*at = before ? b->next[table * b->capacity + before - 1] : b->heads[table << b->bits | slot];
	if (!*at || *at > b->count || (b->mapped && before && *at >= before)) return false;
	*row = *at - 1;
	return true;
}

/* Two sections. The slots of a row come from `slots_of`; the row at place i of the file is order[i]. */
akin_status buckets_save(const struct buckets *b, enum section_tag heads, enum section_tag next, const uint32_t *order,
			 void (*slots_of)(void *ctx, size_t row, uint32_t *slots), void *ctx, struct file_out *file,
			 akin_error *err);
akin_status buckets_map(struct buckets *b, const struct file_in *file, enum section_tag heads, enum section_tag next,
			size_t tables, unsigned bits, size_t rows, akin_error *err);

#endif
