/* engine/vector_index.h - what stands behind akin_index: an index, and what AUTO and tuning must remember.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_ENGINE_VECTOR_INDEX_H
#define AKIN_ENGINE_VECTOR_INDEX_H

#include "akin/index.h"
#include "index/index.h"

struct akin_index {
	struct index *index;
	struct index_params params; /* of every index that AUTO makes */
	bool undecided;             /* AUTO that is still flat */
	size_t effort;              /* found by tuning; 0: the kind's own */
	int64_t next_id;
	bool next_known;
};

/* ---- vector_tune.c ---- */
/* Pick the kind that answers fastest with recall@10 0.95 on a sample of n rows. Never fails for a kind that cannot be
 * built here: that one is passed over. */
akin_status vector_choose(const struct index_params *params, const void *rows, size_t n, unsigned threads,
                          enum index_kind *kind, akin_error *err);
/* akin_index_tune for an index and known exact answers; `reached` is the recall of *effort. */
struct tune {
	const struct index *index;
	const void *queries;
	size_t n, k;
	unsigned threads;
	struct hit *wanted, *found;
	size_t *n_wanted, *n_found;
};
akin_status tune_begin(struct tune *tune, akin_error *err); /* index .. threads are set; computes `wanted` */
void tune_end(struct tune *tune);
akin_status tune_recall(struct tune *tune, size_t effort, double *recall, akin_error *err);
akin_status tune_search(struct tune *tune, double wanted, size_t *effort, double *reached, akin_error *err);

#endif
