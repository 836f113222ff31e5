/* index/graph: searches side by side, and a build over threads.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/pool.h"
#include "clustered.h"

enum { ROWS = 3000, DIM = 24, SEARCHES = 400, K = 5, THREADS = 4 };

static const struct index_params params = {
	.kind = INDEX_GRAPH, .metric = METRIC_COSINE, .element = ELEMENT_F16, .dim = DIM
};
static const struct index_ask ask = { .k = K, .effort = 20 };

struct world {
	struct index *index;
	struct hit hits[SEARCHES][K];
};

static void search(void *ctx, size_t i)
{
	struct world *w = ctx;
	float query[DIM];
	size_t n;

	clustered_row(&params, 2, (int64_t)i, query);
	if (index_search(w->index, query, &ask, w->hits[i], &n, NULL) != AKIN_OK) n = 0;
	for (; n < K; n++) w->hits[i][n].id = -1;
}

TEST(searches_run_side_by_side)
{
	static struct world alone, together;
	akin_error err;

	CHECK_OK(index_create(&alone.index, &params, &err), &err);
	CHECK_OK(clustered_add(alone.index, &params, 1, 0, ROWS, THREADS, &err), &err);
	together.index = alone.index;
	for (int round = 0; round < 3; round++) {
		pool_for(SEARCHES, 1, search, &alone);
		pool_for(SEARCHES, THREADS, search, &together);
		for (size_t i = 0; i < SEARCHES; i++)
			for (size_t j = 0; j < K; j++)
				CHECK(alone.hits[i][j].id >= 0 && alone.hits[i][j].id == together.hits[i][j].id);
		CHECK_OK(clustered_add(alone.index, &params, 1, ROWS * (round + 1), 500, THREADS, &err), &err);
		for (int64_t id = round; id < ROWS; id += 5)
			CHECK_OK(index_remove(alone.index, &id, 1, NULL, &err), &err);
	}
	CHECK_OK(index_check(alone.index, true, &err), &err);
	index_destroy(alone.index);
}

TEST_MAIN(cmocka_unit_test(searches_run_side_by_side))
