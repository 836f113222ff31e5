/* search/rank: evidence, weighted sums, order, and hits that differ.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <math.h>

#include "search/rank.h"

static const struct scale scale = { .mean = 0.8, .deviation = 0.1, .offset = -4, .slope = 1 };

static bool near(double a, double b)
{
	return fabs(a - b) < 1e-9;
}

TEST(a_random_pair_has_no_evidence)
{
	CHECK(near(scale_evidence(&scale, 0.8), 0) && near(scale_evidence(&scale, 0.5), 3));
	CHECK(near(scale_score(&scale, 4), 0.5) && scale_score(&scale, 0) < 0.02 && scale_score(&scale, 10) > 0.99);
}

TEST(wanted_parts_are_averaged_by_weight)
{
	const struct rank_term terms[] = { { &scale, 3 }, { &scale, 1 } };
	double shares[2];

	CHECK(near(rank_value(terms, 2, (double[]){ 4, 0 }, shares), 3) && near(shares[0], 3) && near(shares[1], 0));
	CHECK(near(rank_value(terms, 2, (double[]){ 2, -2 }, NULL), 1));
}

TEST(the_unwanted_takes_away_and_never_adds)
{
	const struct rank_term terms[] = { { &scale, 2 }, { &scale, -1 } };
	double shares[2];

	CHECK(near(rank_value(terms, 2, (double[]){ 4, 6 }, shares), 1) && near(shares[1], -3));
	CHECK(near(rank_value(terms, 2, (double[]){ 4, -6 }, shares), 4) && near(shares[1], 0));
}

TEST(weights_matter_by_their_ratio)
{
	struct rng rng = { 7 };

	for (int round = 0; round < 100; round++) {
		double weight[4] = { 1 }, evidence[4], factor = 0.01 + 100 * rng_unit(&rng);
		struct rank_term a[4], b[4];

		for (int i = 0; i < 4; i++) {
			if (i) weight[i] = rng_normal(&rng);
			evidence[i] = 3 * rng_normal(&rng);
			a[i] = (struct rank_term){ &scale, weight[i] };
			b[i] = (struct rank_term){ &scale, factor * weight[i] };
		}
		CHECK(near(rank_value(a, 4, evidence, NULL), rank_value(b, 4, evidence, NULL)), "round %d\n", round);
	}
}

TEST(the_best_comes_first_and_equal_ones_by_id)
{
	struct ranked items[] = { { 9, 1, 0 }, { 4, 2, 1 }, { 3, 1, 2 }, { 8, 2, 3 } };

	rank_sort(items, 4);
	CHECK(items[0].id == 4 && items[1].id == 8 && items[2].id == 3 && items[3].id == 9);
	rank_sort(NULL, 0);
}

/* Items 2i and 2i + 1 are twins. */
static double twins(void *ctx, size_t a, size_t b)
{
	(void)ctx;
	return a / 2 == b / 2 ? 1 : 0;
}

TEST(twins_come_last_when_hits_shall_differ)
{
	const double score[] = { 0.9, 0.89, 0.8, 0.79, 0.7, 0.69 };
	size_t order[6];

	CHECK(rank_diverse(score, 6, 6, 0.5, twins, NULL, order, NULL) == AKIN_OK);
	CHECK(order[0] == 0 && order[1] == 2 && order[2] == 4 && order[3] == 1 && order[4] == 3 && order[5] == 5);
	CHECK(rank_diverse(score, 6, 4, 0, twins, NULL, order, NULL) == AKIN_OK);
	CHECK(order[0] == 0 && order[1] == 1 && order[2] == 2 && order[3] == 3);
	CHECK(rank_diverse(score, 6, 1, 1, twins, NULL, order, NULL) == AKIN_OK && order[0] == 0);
}

TEST_MAIN(cmocka_unit_test(a_random_pair_has_no_evidence), cmocka_unit_test(wanted_parts_are_averaged_by_weight),
          cmocka_unit_test(the_unwanted_takes_away_and_never_adds), cmocka_unit_test(weights_matter_by_their_ratio),
          cmocka_unit_test(the_best_comes_first_and_equal_ones_by_id),
          cmocka_unit_test(twins_come_last_when_hits_shall_differ))
