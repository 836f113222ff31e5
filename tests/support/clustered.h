/* support/clustered.h - vectors that have neighbours, as those of pictures do, and what an index finds of them.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_TEST_CLUSTERED_H
#define AKIN_TEST_CLUSTERED_H

#include "base/rng.h"
#include "index/index.h"

/* One of 30 clusters, drawn by seed; row i is the same whatever was drawn before. `row` has the query type of the
 * params. */
void clustered_row(const struct index_params *params, uint64_t seed, int64_t i, void *row);
size_t clustered_bytes(const struct index_params *params);
/* Rows first .. first + n - 1 of the seed under the ids first ... */
akin_status clustered_add(struct index *index, const struct index_params *params, uint64_t seed, int64_t first,
			  size_t n, unsigned threads, akin_error *err);
/* Of `n` further rows of the seed as queries: the part of `exact`'s k nearest that `index` finds (ties count). Every
 * hit must have the distance that `exact` gives it, and be allowed by the filter. */
double clustered_recall(const struct index *index, const struct index *exact, const struct index_params *params,
			uint64_t seed, size_t n, const struct index_ask *ask);

#endif
