/* index/: what the graph finds of the true neighbours, for every metric and element, dimension and filter.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "clustered.h"

enum { ROWS = 6000, DIM = 72, QUERIES = 100, K = 10 };

static const struct index_params spaces[] = {
	{ .metric = METRIC_L2, .element = ELEMENT_F32 },       { .metric = METRIC_IP, .element = ELEMENT_F32 },
	{ .metric = METRIC_COSINE, .element = ELEMENT_F32 },   { .metric = METRIC_L2, .element = ELEMENT_F16 },
	{ .metric = METRIC_IP, .element = ELEMENT_F16 },       { .metric = METRIC_COSINE, .element = ELEMENT_F16 },
	{ .metric = METRIC_L2, .element = ELEMENT_I8 },        { .metric = METRIC_IP, .element = ELEMENT_I8 },
	{ .metric = METRIC_COSINE, .element = ELEMENT_I8 },    { .metric = METRIC_L2, .element = ELEMENT_U8 },
	{ .metric = METRIC_IP, .element = ELEMENT_U8 },        { .metric = METRIC_COSINE, .element = ELEMENT_U8 },
	{ .metric = METRIC_HAMMING, .element = ELEMENT_BITS },
};

static struct index *make(struct index_params params, enum index_kind kind, size_t dim)
{
	struct index *index;
	akin_error err;

	params.kind = kind;
	params.dim = dim;
	params.seed = 1;
	CHECK_OK(index_create(&index, &params, &err), &err);
	CHECK_OK(clustered_add(index, &params, 1, 0, ROWS, 1, &err), &err);
	CHECK_OK(index_check(index, true, &err), &err);
	return index;
}

static double recall_in(struct index_params params, size_t dim, const struct index_ask *ask)
{
	struct index *graph = make(params, INDEX_GRAPH, dim), *flat = make(params, INDEX_FLAT, dim);
	double recall;

	params.dim = dim;
	recall = clustered_recall(graph, flat, &params, 1, QUERIES, ask);
	print_message("metric %d, element %d, dim %zu: %.4f\n", (int)params.metric, (int)params.element, dim, recall);
	index_destroy(graph);
	index_destroy(flat);
	return recall;
}

TEST(every_metric_and_element_reaches_its_floor)
{
	const struct index_ask narrow = { .k = K, .effort = 16 }, usual = { .k = K };

	for (size_t i = 0; i < COUNT(spaces); i++) {
		CHECK(recall_in(spaces[i], DIM, &narrow) >= 0.80);
		CHECK(recall_in(spaces[i], DIM, &usual) >= 0.95);
	}
}

TEST(every_dimension_reaches_its_floor)
{
	static const size_t dims[] = { 1, 2, 7, 33, 64, 65, 200, 301 };
	const struct index_ask usual = { .k = K };

	for (size_t i = 0; i < COUNT(dims); i++) CHECK(recall_in(spaces[0], dims[i], &usual) >= 0.95);
}

static bool one_of(void *ctx, int64_t id)
{
	return id % *(const int64_t *)ctx == 0;
}

static bool early(void *ctx, int64_t id)
{
	return id < *(const int64_t *)ctx;
}

TEST(filters_keep_the_recall)
{
	struct index *graph = make(spaces[2], INDEX_GRAPH, DIM), *flat = make(spaces[2], INDEX_FLAT, DIM);
	struct index_params params = spaces[2];

	params.dim = DIM;
	for (int64_t n = 2; n <= 1000; n *= 2)
		for (int which = 0; which < 2; which++) {
			int64_t limit = which ? ROWS / n : n;
			const struct index_filter filter = { .allows = which ? early : one_of, .ctx = &limit };
			const struct index_ask ask = { .k = K, .filter = &filter, .effort = 32 };
			const double recall = clustered_recall(graph, flat, &params, 1, QUERIES, &ask);

			print_message("one of %d: %.4f\n", (int)n, recall);
			CHECK(recall >= 0.95);
		}
	index_destroy(graph);
	index_destroy(flat);
}

TEST(a_greater_effort_finds_more)
{
	const struct index_ask wide = { .k = K, .effort = 300 }, many = { .k = 200 };

	CHECK(recall_in(spaces[0], DIM, &wide) >= 0.998);
	CHECK(recall_in(spaces[0], DIM, &many) >= 0.97);
}

TEST_MAIN(cmocka_unit_test(every_metric_and_element_reaches_its_floor),
	  cmocka_unit_test(every_dimension_reaches_its_floor), cmocka_unit_test(filters_keep_the_recall),
	  cmocka_unit_test(a_greater_effort_finds_more))
