/* index/ivf: how much of the truth is found, for every metric and element, with and without codes; and after half of
 * the set was replaced. SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "index/index.h"

enum { ROWS = 6000, QUERIES = 60, DIM = 48, K = 10 };

struct pair {
	struct index_params params;
	struct index *index, *flat;
	size_t bytes;
	struct rng rng;
};

static void make_row(struct pair *p, uint8_t *row)
{
	struct rng centre = { rng_below(&p->rng, 40) };

	memset(row, 0, p->bytes);
	for (size_t i = 0; i < DIM; i++) {
		double value = rng_normal(&centre) + 0.5 * rng_normal(&p->rng);

		if (p->params.element <= ELEMENT_F16)
			((float *)(void *)row)[i] = (float)value;
		else if (p->params.element == ELEMENT_BITS)
			row[i / 8] |= (uint8_t)((value > 0) << i % 8);
		else if (p->params.element == ELEMENT_U8)
			row[i] = (uint8_t)(128 + 20 * value);
		else
			row[i] = (uint8_t)(int8_t)(20 * value);
	}
}

static void add(struct pair *p, int64_t first, size_t n)
{
	uint8_t *rows = mem_calloc(n, p->bytes);
	int64_t *ids = mem_calloc(n, sizeof *ids);
	akin_error err;

	for (size_t i = 0; i < n; i++) {
		ids[i] = first + (int64_t)i;
		make_row(p, rows + i * p->bytes);
	}
	CHECK_OK(index_add(p->index, ids, rows, n, &err), &err);
	CHECK_OK(index_add(p->flat, ids, rows, n, &err), &err);
	mem_free(ids);
	mem_free(rows);
}

static struct pair make(enum index_kind kind, enum metric metric, enum element element, uint32_t width)
{
	struct pair p = { .params = { .kind = kind,
				      .metric = metric,
				      .element = element,
				      .dim = DIM,
				      .seed = 1,
				      .ivf.width = width },
			  .bytes = element == ELEMENT_F16 ? 4 * DIM : element_row_bytes(element, DIM),
			  .rng = { 5 } };
	struct index_params flat = p.params;
	akin_error err;

	flat.kind = INDEX_FLAT;
	CHECK_OK(index_create(&p.index, &p.params, &err), &err);
	CHECK_OK(index_create(&p.flat, &flat, &err), &err);
	add(&p, 0, ROWS);
	return p;
}

static double recall(struct pair *p, struct index_ask ask)
{
	struct hit truth[QUERIES * K], got[QUERIES * K];
	size_t n_truth[QUERIES], n_got[QUERIES], met = 0, all = 0;
	uint8_t *queries = mem_calloc(QUERIES, p->bytes);
	akin_error err;

	for (size_t i = 0; i < QUERIES; i++) make_row(p, queries + i * p->bytes);
	ask.k = K;
	CHECK_OK(index_search_many(p->flat, queries, QUERIES, &ask, truth, n_truth, &err), &err);
	CHECK_OK(index_search_many(p->index, queries, QUERIES, &ask, got, n_got, &err), &err);
	for (size_t q = 0; q < QUERIES; q++) {
		all += n_truth[q];
		/* Of rows equally far each is as good. */
		for (size_t i = 0; i < n_got[q]; i++)
			met += got[q * K + i].distance <= truth[q * K + n_truth[q] - 1].distance;
	}
	mem_free(queries);
	return (double)met / (double)all;
}

static void destroy(struct pair *p)
{
	index_destroy(p->index);
	index_destroy(p->flat);
}

#define EACH_SPACE(m, e)                                                                                               \
	for (enum metric m = METRIC_L2; m <= METRIC_HAMMING; m++)                                                      \
		for (enum element e = ELEMENT_F32; e <= ELEMENT_BITS; e++)                                             \
			if ((m == METRIC_HAMMING) == (e == ELEMENT_BITS))

TEST(lists_find_nearly_all_unless_told_otherwise)
{
	EACH_SPACE(m, e)
	{
		struct pair p = make(INDEX_IVF, m, e, 0);
		double found = recall(&p, (struct index_ask){ 0 }),
		       wide = recall(&p, (struct index_ask){ .effort = 60 });

		print_message("metric %d, element %d: %.3f, wide %.3f\n", (int)m, (int)e, found, wide);
		CHECK(found >= (m == METRIC_IP ? 0.85 : 0.9) && wide >= 0.99);
		destroy(&p);
	}
}

TEST(lists_without_codes_find_what_is_in_them)
{
	EACH_SPACE(m, e)
	{
		struct pair p = make(INDEX_IVF, m, e, 255);
		double found = recall(&p, (struct index_ask){ 0 }),
		       all = recall(&p, (struct index_ask){ .effort = ROWS });

		CHECK(found >= 0.85, "metric %d, element %d: %.3f\n", (int)m, (int)e, found);
		CHECK(all == 1, "metric %d, element %d: %.3f\n", (int)m, (int)e, all);
		destroy(&p);
	}
}

static bool divisible(void *ctx, int64_t id)
{
	return id % *(const int64_t *)ctx == 0;
}

TEST(filters_cost_no_recall)
{
	int64_t divisors[] = { 2, 10, 100, 1000 };

	for (size_t i = 0; i < COUNT(divisors); i++) {
		const struct index_filter filter = { .allows = divisible, .ctx = &divisors[i] };
		struct pair p = make(INDEX_IVF, METRIC_L2, ELEMENT_F32, 0);
		double found = recall(&p, (struct index_ask){ .filter = &filter });

		CHECK(found >= 0.95, "one in %d: %.3f\n", (int)divisors[i], found);
		destroy(&p);
	}
}

TEST(replacing_half_of_the_rows_costs_no_recall)
{
	struct pair p = make(INDEX_IVF, METRIC_COSINE, ELEMENT_F16, 0);
	double before = recall(&p, (struct index_ask){ 0 }), after;
	akin_error err;

	for (int64_t id = 0; id < ROWS; id += 2) {
		CHECK_OK(index_remove(p.index, &id, 1, NULL, &err), &err);
		CHECK_OK(index_remove(p.flat, &id, 1, NULL, &err), &err);
		add(&p, ROWS + id, 1);
	}
	after = recall(&p, (struct index_ask){ 0 });
	CHECK(after >= before - 0.01, "%.3f after %.3f\n", after, before);
	CHECK_OK(index_check(p.index, true, &err), &err);
	destroy(&p);
}

TEST_MAIN(cmocka_unit_test(lists_find_nearly_all_unless_told_otherwise),
	  cmocka_unit_test(lists_without_codes_find_what_is_in_them), cmocka_unit_test(filters_cost_no_recall),
	  cmocka_unit_test(replacing_half_of_the_rows_costs_no_recall))
