/* index/: what the interface promises, case by case; and batches equal single searches on vectors that round.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "index/index.h"

static struct index *make(enum metric metric, enum element element, size_t dim)
{
	const struct index_params params = { .kind = INDEX_FLAT, .metric = metric, .element = element,
		                                     .dim = dim, .seed = 1 };
	struct index *index;
	akin_error err;

	CHECK_OK(index_create(&index, &params, &err), &err);
	return index;
}

static void add(struct index *index, int64_t id, const void *row)
{
	akin_error err;

	CHECK_OK(index_add(index, &id, row, 1, &err), &err);
}

TEST(params_that_do_not_go_together_are_refused)
{
	static const struct index_params bad[] = {
		{ .kind = INDEX_FLAT, .metric = METRIC_L2, .element = ELEMENT_F32, .dim = 0 },
		{ .kind = INDEX_FLAT, .metric = METRIC_L2, .element = ELEMENT_F32, .dim = INDEX_MAX_DIM + 1 },
		{ .kind = INDEX_FLAT, .metric = METRIC_L2, .element = ELEMENT_BITS, .dim = 8 },
		{ .kind = INDEX_FLAT, .metric = METRIC_HAMMING, .element = ELEMENT_U8, .dim = 8 },
		{ .kind = INDEX_FLAT, .metric = (enum metric)9, .element = ELEMENT_F32, .dim = 8 },
		{ .kind = INDEX_FLAT, .metric = METRIC_L2, .element = (enum element)0, .dim = 8 },
		{ .kind = (enum index_kind)99, .metric = METRIC_L2, .element = ELEMENT_F32, .dim = 8 },
	};

	for (size_t i = 0; i < COUNT(bad); i++) {
		struct index *index;
		akin_error err;

		CHECK_STATUS(index_create(&index, &bad[i], &err), AKIN_ERR_INVALID);
		CHECK(!index && err.text[0]);
	}
}

TEST(equal_distances_are_ordered_by_id)
{
	struct index *index = make(METRIC_L2, ELEMENT_F32, 2);
	const struct index_ask ask = { .k = 3 };
	const float row[2] = { 1, 2 };
	struct hit hits[3];
	akin_error err;
	size_t n;

	for (int64_t id = 9; id >= -9; id--) add(index, id, row);
	CHECK_OK(index_search(index, row, &ask, hits, &n, &err), &err);
	CHECK(n == 3 && hits[0].id == -9 && hits[1].id == -8 && hits[2].id == -7 && hits[0].distance == 0);
	index_destroy(index);
}

TEST(an_empty_index_answers_and_is_saved)
{
	struct index *index = make(METRIC_COSINE, ELEMENT_U8, 5), *opened;
	const struct index_stamp stamp = { .generation = 3 };
	const struct index_ask ask = { .k = 3 };
	const uint8_t query[5] = { 1 };
	struct index_stamp got;
	struct hit hits[3], *range;
	akin_error err;
	size_t n = 7;

	CHECK_OK(index_search(index, query, &ask, hits, &n, &err), &err);
	CHECK(n == 0);
	CHECK_OK(index_range(index, query, 9, NULL, &range, &n, &err), &err);
	CHECK(n == 0);
	mem_free(range);
	CHECK_OK(index_save(index, test_path("empty"), &stamp, &err), &err);
	CHECK_OK(index_open(&opened, test_path("empty"), &got, &err), &err);
	CHECK_OK(index_search_many(opened, query, 1, &ask, hits, &n, &err), &err);
	CHECK(n == 0 && got.generation == 3);
	CHECK_OK(index_check(opened, true, &err), &err);
	add(opened, 4, query);
	CHECK(index_has(opened, 4));
	index_destroy(opened);
	index_destroy(index);
}

TEST(components_that_are_no_numbers_are_refused)
{
	static const float bad[] = { NAN, INFINITY, -INFINITY };
	struct index *index = make(METRIC_L2, ELEMENT_F32, 3);
	const struct index_ask none = { .k = 0 }, lost = { .k = 1, .bounded = true, .max_distance = NAN };
	const struct index_ask ask = { .k = 1 };
	struct hit hits[2], *range;
	akin_error err;
	size_t n[2];

	for (size_t i = 0; i < COUNT(bad); i++) {
		const float rows[6] = { 1, 2, 3, 4, bad[i], 6 };
		const int64_t ids[2] = { 1, 2 };

		CHECK_STATUS(index_add(index, ids, rows, 2, &err), AKIN_ERR_INVALID);
		CHECK(!index_has(index, 1) && !index_has(index, 2));
		CHECK_STATUS(index_search(index, rows + 3, &ask, hits, n, &err), AKIN_ERR_INVALID);
		CHECK_STATUS(index_search_many(index, rows, 2, &ask, hits, n, &err), AKIN_ERR_INVALID);
		CHECK_STATUS(index_range(index, rows + 3, 1, NULL, &range, n, &err), AKIN_ERR_INVALID);
	}
	CHECK_STATUS(index_search(index, (const float[]){ 1, 2, 3 }, &none, hits, n, &err), AKIN_ERR_INVALID);
	CHECK_STATUS(index_search(index, (const float[]){ 1, 2, 3 }, &lost, hits, n, &err), AKIN_ERR_INVALID);
	CHECK_STATUS(index_range(index, (const float[]){ 1, 2, 3 }, NAN, NULL, &range, n, &err), AKIN_ERR_INVALID);
	index_destroy(index);
}

TEST(what_16_bits_cannot_hold_is_refused)
{
	struct index *index = make(METRIC_L2, ELEMENT_F16, 2), *cosine = make(METRIC_COSINE, ELEMENT_F16, 2);
	const float large[2] = { 70000, 1 }, fits[2] = { 65504, -65504 };
	const int64_t id = 1;
	akin_error err;
	float got[2];

	CHECK_STATUS(index_add(index, &id, large, 1, &err), AKIN_ERR_INVALID);
	add(index, 1, fits);
	CHECK_OK(index_get(index, 1, got, &err), &err);
	CHECK(!memcmp(got, fits, sizeof got));
	add(cosine, 1, large);
	CHECK_OK(index_get(cosine, 1, got, &err), &err);
	CHECK(fabsf(got[0] - 1) < 1e-3f);
	index_destroy(cosine);
	index_destroy(index);
}

TEST(cosine_has_no_trouble_with_zero_tiny_and_huge)
{
	static const float rows[4][2] = { { 0, 0 }, { 1e-30f, 0 }, { 3e38f, 3e38f }, { -1e-42f, 0 } };
	struct index *index = make(METRIC_COSINE, ELEMENT_F32, 2);
	const struct index_ask ask = { .k = 4 };
	const float query[2] = { 1e38f, 0 };
	struct hit hits[4];
	akin_error err;
	size_t n;

	for (int64_t id = 0; id < 4; id++) add(index, id, rows[id]);
	CHECK_OK(index_search(index, query, &ask, hits, &n, &err), &err);
	CHECK(n == 4 && hits[0].id == 1 && hits[0].distance == 0);
	CHECK(hits[1].id == 2 && fabsf(hits[1].distance - 0.29289f) < 1e-4f);
	CHECK(hits[2].id == 0 && hits[2].distance == 1 && hits[3].id == 3 && hits[3].distance == 2);
	index_destroy(index);
}

TEST(bits_beyond_the_dimension_do_not_count)
{
	struct index *index = make(METRIC_HAMMING, ELEMENT_BITS, 11);
	const uint8_t row[2] = { 0x0f, 0xfa }, query[2] = { 0x0f, 0x03 };
	const struct index_ask ask = { .k = 1 };
	struct hit hit;
	akin_error err;
	size_t n;

	add(index, 1, row);
	CHECK_OK(index_search(index, query, &ask, &hit, &n, &err), &err);
	CHECK(n == 1 && hit.distance == 1);
	index_destroy(index);
}

TEST(the_farthest_bytes_do_not_overflow)
{
	struct index *index = make(METRIC_L2, ELEMENT_U8, INDEX_MAX_DIM);
	uint8_t *row = mem_zalloc(INDEX_MAX_DIM);
	const struct index_ask ask = { .k = 1 };
	struct hit hit;
	akin_error err;
	size_t n;

	add(index, 1, row);
	memset(row, 255, INDEX_MAX_DIM);
	CHECK_OK(index_search(index, row, &ask, &hit, &n, &err), &err);
	CHECK(hit.distance == 4261478400.0f);
	mem_free(row);
	index_destroy(index);
}

/* ---- batches ---- */

static bool every_third(void *ctx, int64_t id)
{
	(void)ctx;
	return id % 3 == 0;
}

/* Clusters, so that there are near neighbours, around a common offset, which makes the product lose digits. */
static void make_rough(struct rng *rng, enum element element, size_t dim, float offset, float scale, void *row)
{
	uint64_t cluster = rng_below(rng, 20);
	struct rng centre = { cluster };

	for (size_t i = 0; i < dim; i++) {
		double value = rng_normal(&centre) + 0.3 * rng_normal(rng);

		if (element <= ELEMENT_F16) ((float *)row)[i] = offset + scale * (float)value;
		else if (element == ELEMENT_BITS) ((uint8_t *)row)[i / 8] = (uint8_t)rng_u64(rng);
		else ((uint8_t *)row)[i] = (uint8_t)(int)(20 * value);
	}
}

static void check_batch(const struct index *index, const uint8_t *queries, size_t bytes, size_t n, struct index_ask ask)
{
	struct hit *many = mem_calloc(n * ask.k, sizeof *many), *one = mem_calloc(ask.k, sizeof *one);
	size_t *n_many = mem_calloc(n, sizeof *n_many), n_one;
	akin_error err;

	for (ask.threads = 1; ask.threads <= 3; ask.threads += 2) {
		CHECK_OK(index_search_many(index, queries, n, &ask, many, n_many, &err), &err);
		for (size_t i = 0; i < n; i++) {
			CHECK_OK(index_search(index, queries + i * bytes, &ask, one, &n_one, &err), &err);
			CHECK(n_many[i] == n_one, "query %zu: %zu hits instead of %zu\n", i, n_many[i], n_one);
			for (size_t j = 0; j < n_one; j++)
				CHECK(many[i * ask.k + j].id == one[j].id && many[i * ask.k + j].distance == one[j].distance,
				      "query %zu, hit %zu\n", i, j);
		}
	}
	mem_free(n_many);
	mem_free(one);
	mem_free(many);
}

static void batch_equals_single(enum metric metric, enum element element, size_t dim, float offset, float scale)
{
	enum { ROWS = 1500, QUERIES = 77 };
	const size_t bytes = element == ELEMENT_F16 ? 4 * dim : element_row_bytes(element, dim);
	const struct index_filter filter = { .allows = every_third, .ctx = NULL };
	struct index *index = make(metric, element, dim);
	uint8_t *rows = mem_zalloc((ROWS + QUERIES) * bytes);
	struct rng rng = { dim };

	for (size_t i = 0; i < ROWS + QUERIES; i++) {
		make_rough(&rng, element, dim, offset, scale, rows + i * bytes);
		if (i < ROWS) add(index, (int64_t)i, rows + i * bytes);
	}
	check_batch(index, rows + ROWS * bytes, bytes, QUERIES, (struct index_ask){ .k = 10 });
	check_batch(index, rows, bytes, 49, (struct index_ask){ .k = 1 });
	check_batch(index, rows, bytes, QUERIES, (struct index_ask){ .k = 7, .filter = &filter });
	mem_free(rows);
	index_destroy(index);
}

TEST(a_batch_equals_its_queries_one_by_one)
{
	static const size_t dims[] = { 1, 7, 96, 513 };

	for (size_t d = 0; d < COUNT(dims); d++) {
		for (enum metric m = METRIC_L2; m <= METRIC_COSINE; m++)
			for (enum element e = ELEMENT_F32; e <= ELEMENT_U8; e++) batch_equals_single(m, e, dims[d], 0, 1);
		batch_equals_single(METRIC_HAMMING, ELEMENT_BITS, dims[d], 0, 1);
	}
}

/* Where |q|^2 + |x|^2 - 2<q, x> has no right digit left, overflows or underflows. */
TEST(a_batch_is_exact_where_the_product_is_not)
{
	static const float cases[][2] = { { 1000, 1 }, { 1e6f, 1 }, { 0, 1e18f }, { 1e19f, 1e15f }, { 0, 1e-18f }, { 0, 1e-22f } };

	for (size_t i = 0; i < COUNT(cases); i++) {
		batch_equals_single(METRIC_L2, ELEMENT_F32, 64, cases[i][0], cases[i][1]);
		batch_equals_single(METRIC_IP, ELEMENT_F32, 64, cases[i][0], cases[i][1]);
		batch_equals_single(METRIC_COSINE, ELEMENT_F32, 64, cases[i][0], cases[i][1]);
	}
}

TEST_MAIN(cmocka_unit_test(params_that_do_not_go_together_are_refused), cmocka_unit_test(equal_distances_are_ordered_by_id),
          cmocka_unit_test(an_empty_index_answers_and_is_saved),
          cmocka_unit_test(components_that_are_no_numbers_are_refused),
          cmocka_unit_test(what_16_bits_cannot_hold_is_refused),
          cmocka_unit_test(cosine_has_no_trouble_with_zero_tiny_and_huge),
          cmocka_unit_test(bits_beyond_the_dimension_do_not_count), cmocka_unit_test(the_farthest_bytes_do_not_overflow),
          cmocka_unit_test(a_batch_equals_its_queries_one_by_one),
          cmocka_unit_test(a_batch_is_exact_where_the_product_is_not))
