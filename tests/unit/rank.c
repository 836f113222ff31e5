/* search/rank: evidence, weighted sums, order, and hits that differ.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <math.h>

#include "search/rank.h"

static const struct scale scale = { .half = 0.4, .slope = 10, .random = 0.8 },
                          linear = { .half = -2, .slope = 3, .random = 1, .linear = true };

static bool near(double a, double b)
{
	return fabs(a - b) < 1e-9;
}

TEST(a_random_pair_has_no_evidence)
{
	CHECK(near(scale_evidence(&scale, 0.8), 0) && near(scale_evidence(&scale, 0.4), 10 * log(2)));
	CHECK(near(scale_evidence(&linear, 1), 0) && near(scale_evidence(&linear, -1), 6));
}

TEST(half_way_is_as_likely_as_not)
{
	CHECK(near(scale_score(&scale, 0.4), 0.5) && scale_score(&scale, 0.8) < 0.001);
	CHECK(scale_score(&scale, 0) > 0.999999 && scale_score(&scale, -1e-9) > 0.999999 && scale_score(&scale, 1e300) >= 0);
	CHECK(near(scale_score(&linear, -2), 0.5) && scale_score(&linear, -1e9) <= 1);
}

TEST(the_score_of_one_part_is_its_own)
{
	const struct rank_term terms[] = { { .scale = &scale, .weight = 3 }, { .scale = &scale, .weight = -7 } }, both[] = { { .scale = &scale, .weight = 1 }, { .scale = &linear, .weight = 1 } };

	for (double d = 0; d < 2; d += 0.125) {
		double evidence[2] = { scale_evidence(&scale, d), -1 }, value = rank_value(terms, 2, evidence, NULL);
		CHECK(near(rank_score(terms, 1, evidence[0]), scale_score(&scale, d)), "%f\n", d);
		CHECK(near(rank_score(terms, 2, value), scale_score(&scale, d)), "%f\n", d);
	}
	CHECK(near(rank_score(both, 2, rank_value(both, 2, (double[]){ 10 * log(2), 9 }, NULL)), 0.5)); /* both half way */
}

TEST(wanted_parts_are_averaged_by_weight)
{
	const struct rank_term terms[] = { { .scale = &scale, .weight = 3 }, { .scale = &scale, .weight = 1 } };
	double shares[2];

	CHECK(near(rank_value(terms, 2, (double[]){ 4, 0 }, shares), 3) && near(shares[0], 3) && near(shares[1], 0));
	CHECK(near(rank_value(terms, 2, (double[]){ 2, -2 }, NULL), 1));
}

TEST(the_unwanted_takes_away_and_never_adds)
{
	const struct rank_term terms[] = { { .scale = &scale, .weight = 2 }, { .scale = &scale, .weight = -1 } };
	double shares[2];

	CHECK(near(rank_value(terms, 2, (double[]){ 4, 6 }, shares), 1) && near(shares[1], -3));
	CHECK(near(rank_value(terms, 2, (double[]){ 4, -6 }, shares), 4) && near(shares[1], 0));
}

TEST(a_second_opinion_adds_to_the_first)
{
	const struct rank_term terms[] = { { .scale = &scale, .weight = 2 }, { .scale = &linear, .weight = 2, .more = true } };

	CHECK(near(rank_value(terms, 2, (double[]){ 4, 3 }, NULL), 7) && near(rank_value(terms, 2, (double[]){ 4, 0 }, NULL), 4));
	CHECK(near(rank_score(terms, 2, 4), rank_score(terms, 1, 4)));
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
			a[i] = (struct rank_term){ .scale = &scale, .weight = weight[i] };
			b[i] = (struct rank_term){ .scale = &scale, .weight = factor * weight[i] };
		}
		CHECK(near(rank_value(a, 4, evidence, NULL), rank_value(b, 4, evidence, NULL)), "round %d\n", round);
	}
}

TEST(the_best_comes_first_and_equal_ones_stay_in_order)
{
	struct ranked items[] = { { 9, 1, 0 }, { 4, 2, 1 }, { 3, 1, 2 }, { 8, 2, 3 } };

	rank_sort(items, 4);
	CHECK(items[0].id == 4 && items[1].id == 8 && items[2].id == 9 && items[3].id == 3);
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

TEST_MAIN(cmocka_unit_test(a_random_pair_has_no_evidence), cmocka_unit_test(half_way_is_as_likely_as_not),
          cmocka_unit_test(the_score_of_one_part_is_its_own), cmocka_unit_test(wanted_parts_are_averaged_by_weight),
          cmocka_unit_test(the_unwanted_takes_away_and_never_adds), cmocka_unit_test(weights_matter_by_their_ratio),
          cmocka_unit_test(a_second_opinion_adds_to_the_first),
          cmocka_unit_test(the_best_comes_first_and_equal_ones_stay_in_order),
          cmocka_unit_test(twins_come_last_when_hits_shall_differ))
