/* index/space.h - how vectors of one metric and element are stored and compared.
 * A distance is one float: sums of bytes above 2^24 are rounded to it, and then compare as equal.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_INDEX_SPACE_H
#define AKIN_INDEX_SPACE_H

#include <stdbool.h>

#include "base/status.h"
#include "simd/kernels.h"
#include "types/vector.h"

struct space {
	enum metric metric;
	enum element element;
	size_t dim;
	size_t row_bytes;   /* of a stored row */
	size_t query_bytes; /* of a query, and of a row that is added or got */
	bool scaled;        /* cosine of integers: each row has 1 / its length beside it, 0 for a zero vector */
	const struct kernels *kernels;
	kernel_scan scan;
	size_t scan_dim;
};

/* A query made ready. */
struct query {
	const void *vector;
	float scale; /* only when scaled */
};

/* AKIN_ERR_INVALID when metric, element and dim do not go together. */
akin_status space_init(struct space *space, enum metric metric, enum element element, size_t dim, akin_error *err);
/* Check and normalise a query into `room` of query_bytes, which must outlive it. */
akin_status space_query(const struct space *space, const void *from, void *room, struct query *query, akin_error *err);
/* Check, normalise and convert a row; *scale is written when scaled. */
akin_status space_store(const struct space *space, const void *from, void *row, float *scale, akin_error *err);
/* The row as it would be given to space_store. */
void space_load(const struct space *space, const void *row, void *to);
/* Whether a stored row could have come from space_store. */
bool space_row_is_valid(const struct space *space, const void *row, float scale);
/* Distances of n rows that lie one after another, always the same for a row whatever n is. */
void space_distances(const struct space *space, const struct query *query, const void *rows, const float *scales, size_t n,
                     float *out);

#endif
