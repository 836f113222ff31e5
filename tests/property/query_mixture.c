/* Queries of several parts against their definition computed slowly: every picture is compared with every part, in double.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <math.h>
#include <stdlib.h>

#include "akin/akin.h"
#include "base/buf.h"
#include "base/fs.h"
#include "engine/engine.h"
#include "vecfile/npy.h"

enum { DIM = 12, ROWS = 400, ROUNDS = 150, MOST_PARTS = 5 };

static float rows[ROWS][DIM];
static akin_library *lib;
static akin_error err;

static void unit(float *v)
{
	double square = 0;

	for (int i = 0; i < DIM; i++) square += (double)v[i] * v[i];
	for (int i = 0; i < DIM; i++) v[i] = (float)(v[i] / sqrt(square));
}

/* Clusters, so that there are near and far ones; ids are 1 .. ROWS. */
static void make_library(void)
{
	const akin_open_params open = { .flags = AKIN_OPEN_CREATE };
	const char *npy = test_path("rows.npy"), *list = test_path("rows.txt");
	struct rng rng = { 3 };
	struct npy_writer w;
	struct buf names = BUF_EMPTY;
	float centre[20][DIM];
	uint64_t n;

	for (int c = 0; c < 20; c++)
		for (int j = 0; j < DIM; j++) centre[c][j] = (float)rng_normal(&rng);
	CHECK_OK(npy_writer_begin(&w, npy, NPY_F32, ROWS, DIM, &err), &err);
	for (int i = 0; i < ROWS; i++) {
		for (int j = 0; j < DIM; j++) rows[i][j] = centre[i % 20][j] + 0.5f * (float)rng_normal(&rng);
		unit(rows[i]);
		CHECK_OK(npy_writer_row(&w, rows[i], &err), &err);
		buf_printf(&names, "%d.jpg\n", i);
	}
	CHECK_OK(npy_writer_commit(&w, &err), &err);
	CHECK_OK(fs_write(list, names.data, names.len, &err), &err);
	buf_deinit(&names);
	CHECK_OK(akin_library_open(&lib, test_path("lib.akin"), &open, &err), &err);
	CHECK_OK(akin_library_import(lib, npy, list, "made-up", &n, &err), &err);
}

struct slow {
	float vector[MOST_PARTS][DIM];
	double weight[MOST_PARTS];
	bool self[ROWS];
	int n;
};

/* A random query, both ways. */
static akin_query *draw(struct rng *rng, struct slow *slow)
{
	akin_query *q;

	*slow = (struct slow){ .n = 1 + (int)rng_below(rng, MOST_PARTS) };
	CHECK_OK(akin_query_create(&q, &err), &err);
	for (int p = 0; p < slow->n; p++) {
		double weight = p ? 2 * rng_unit(rng) - 0.8 : 0.5 + rng_unit(rng);
		int id = (int)rng_below(rng, ROWS);

		slow->weight[p] = weight;
		if (rng_below(rng, 2)) {
			memcpy(slow->vector[p], rows[id], sizeof rows[id]);
			slow->self[id] = true;
			CHECK_OK(akin_query_add_id(q, id + 1, NULL, weight, &err), &err);
		} else {
			float far[DIM];

			for (int j = 0; j < DIM; j++) far[j] = rows[id][j] + 0.3f * (float)rng_normal(rng);
			memcpy(slow->vector[p], far, sizeof far);
			unit(slow->vector[p]);
			CHECK_OK(akin_query_add_vector(q, far, DIM, weight, &err), &err); /* of any length */
		}
	}
	return q;
}

static double slow_value(const struct slow *slow, int row, const struct scale *scale)
{
	double sum = 0, wanted = 0;

	for (int p = 0; p < slow->n; p++) {
		double ip = 0, evidence;

		for (int j = 0; j < DIM; j++) ip += (double)slow->vector[p][j] * rows[row][j];
		evidence = scale->slope * (log(scale->half / fmax(1 - ip, 1e-9)) - log(scale->half / scale->random));
		if (slow->weight[p] > 0) wanted += slow->weight[p];
		if (slow->weight[p] > 0 || evidence > 0) sum += slow->weight[p] * evidence;
	}
	return sum / wanted;
}

static int descending(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x < y) - (x > y);
}

/* The first k answers have the k best values, in their order. The index keeps halves, 1e-3 of a distance, which is much of the
 * logarithm of a small one: such parts are pictures of the library, which are no answers. */
static void compare(const struct slow *slow, const akin_result *result, size_t k, const struct scale *scale, int round)
{
	double best[ROWS], tolerance = 0.05 * scale->slope;
	size_t n = 0;

	for (int i = 0; i < ROWS; i++)
		if (!slow->self[i]) best[n++] = slow_value(slow, i, scale);
	qsort(best, n, sizeof *best, descending);
	CHECK(akin_result_count(result) == k && akin_result_n_parts(result) == (size_t)slow->n);
	for (size_t i = 0; i < k; i++) {
		const akin_hit *hit = akin_result_hit(result, i);
		double value = slow_value(slow, (int)hit->id - 1, scale), sum = 0;

		CHECK(!slow->self[hit->id - 1], "round %d: the query is its own answer\n", round);
		CHECK(fabs(value - best[i]) < tolerance, "round %d, rank %zu: %f, not %f\n", round, i + 1, value, best[i]);
		CHECK(!i || hit->score <= akin_result_hit(result, i - 1)->score, "round %d: scores grow\n", round);
		for (int p = 0; p < slow->n; p++) {
			sum += hit->evidence[p];
			CHECK(slow->weight[p] > 0 || hit->evidence[p] <= 0, "round %d: a minus part adds\n", round);
		}
		CHECK(fabs(sum - value) < tolerance, "round %d: the parts' evidence is %f of %f\n", round, sum, value);
	}
}

TEST(a_mixture_ranks_as_its_definition_says)
{
	struct rng rng = { 11 };

	make_library();
	for (int round = 0; round < ROUNDS; round++) {
		akin_search_params params = { .k = 1 + rng_below(&rng, 20), .exact = 1 };
		struct slow slow;
		akin_query *q = draw(&rng, &slow);
		akin_result *result;
		struct scale scale;

		CHECK_OK(akin_search(lib, q, &params, &result, &err), &err);
		scale = lib->vectors.scale;
		compare(&slow, result, params.k, &scale, round);
		akin_result_free(result);
		akin_query_free(q);
	}
}

/* Without `exact` candidates come from two sums of the parts: nearly always the same. */
TEST(a_mixture_finds_nearly_all_without_comparing_with_everything)
{
	struct rng rng = { 12 };
	size_t same = 0, all = 0;

	for (int round = 0; round < ROUNDS; round++) {
		akin_search_params params = { .k = 5 }, exact = { .k = 5, .exact = 1 };
		struct slow slow;
		akin_query *q = draw(&rng, &slow);
		akin_result *a, *b;

		CHECK_OK(akin_search(lib, q, &params, &a, &err), &err);
		CHECK_OK(akin_search(lib, q, &exact, &b, &err), &err);
		for (size_t i = 0; i < akin_result_count(b); i++, all++)
			for (size_t j = 0; j < akin_result_count(a); j++)
				same += akin_result_hit(a, j)->id == akin_result_hit(b, i)->id;
		akin_result_free(a);
		akin_result_free(b);
		akin_query_free(q);
	}
	CHECK((double)same >= 0.97 * (double)all, "%zu of %zu\n", same, all);
	akin_library_close(lib);
}

TEST_MAIN(cmocka_unit_test(a_mixture_ranks_as_its_definition_says),
          cmocka_unit_test(a_mixture_finds_nearly_all_without_comparing_with_everything))
