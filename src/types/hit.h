/* types/hit.h - a neighbour: an id and how far it is.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_TYPES_HIT_H
#define AKIN_TYPES_HIT_H

#include <stdint.h>

struct hit {
	int64_t id;
	float distance;
};

/* The order of every result: nearest first, equal distances by smaller id. A NaN distance never enters a result. */
static inline int hit_before(const struct hit *a, const struct hit *b)
{
	return a->distance < b->distance || (a->distance == b->distance && a->id < b->id);
}

/* Ascending ids, for qsort and bsearch. */
static inline int id_order(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

#endif
