/* search/calibrate: what was known when pairs were drawn is found again.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <math.h>

#include "search/calibrate.h"

enum { N = 20000 };
static struct pair pairs[N];

/* Alike by chance, as the scale says. */
static void draw(const struct scale *scale, uint64_t seed, double least, double most)
{
	struct rng rng = { seed };

	for (size_t i = 0; i < N; i++) {
		double d = least + (most - least) * rng_unit(&rng);
		pairs[i] = (struct pair){ (float)d, rng_unit(&rng) < scale_score(scale, d) };
	}
}

static void find_again(struct scale truth, double least, double most)
{
	struct scale found = { .linear = truth.linear };

	draw(&truth, 1, least, most);
	CHECK(calibrate_by_pairs(&found, pairs, N));
	for (double d = least; d < most; d += (most - least) / 50)
		CHECK(fabs(scale_score(&found, d) - scale_score(&truth, d)) < 0.03, "at %f: %f, not %f\n", d,
		      scale_score(&found, d), scale_score(&truth, d));
}

TEST(the_truth_is_found_again)
{
	find_again((struct scale){ .half = 0.4, .slope = 8, .random = 0.7 }, 0.05, 1.2);
	find_again((struct scale){ .half = 250, .slope = 3, .random = 900 }, 1, 2000); /* squared distances of large vectors */
	find_again((struct scale){ .half = -30, .slope = 0.2, .random = 0, .linear = true }, -80, 20);
}

TEST(how_near_pairs_are_drawn_does_not_matter)
{
	const struct scale truth = { .half = 0.4, .slope = 8, .random = 0.7 };
	struct scale near = { .linear = false }, far = { .linear = false };

	draw(&truth, 2, 0.1, 0.6);
	CHECK(calibrate_by_pairs(&near, pairs, N));
	draw(&truth, 3, 0.3, 1.2);
	CHECK(calibrate_by_pairs(&far, pairs, N));
	CHECK(fabs(near.half - far.half) < 0.02 && fabs(near.slope - far.slope) < 0.8, "%f %f\n", near.slope, far.slope);
}

TEST(pairs_that_can_be_told_apart_give_a_steep_but_finite_slope)
{
	struct scale scale = { .linear = false };

	for (size_t i = 0; i < 1000; i++) pairs[i] = (struct pair){ (float)(i + 1) / 1000, i < 300 };
	CHECK(calibrate_by_pairs(&scale, pairs, 1000));
	CHECK(isfinite(scale.slope) && scale.slope > 10 && fabs(scale.half - 0.3) < 0.02, "%f %f\n", scale.half, scale.slope);
}

TEST(what_says_nothing_changes_nothing)
{
	struct scale scale = { .half = 3, .slope = 4, .random = 5 };
	struct rng rng = { 9 };

	for (size_t i = 0; i < N; i++) pairs[i] = (struct pair){ (float)rng_unit(&rng), i < 19 };
	CHECK(!calibrate_by_pairs(&scale, pairs, N)); /* too few are alike */
	CHECK(!calibrate_by_pairs(&scale, pairs, 0));
	for (size_t i = 0; i < N; i++) pairs[i].alike = pairs[i].distance > 0.5f;
	CHECK(!calibrate_by_pairs(&scale, pairs, N)); /* the wrong way round */
	for (size_t i = 0; i < N; i++) pairs[i] = (struct pair){ 0.5f, i % 2 };
	CHECK(!calibrate_by_pairs(&scale, pairs, N)); /* all the same distance */
	CHECK(scale.half == 3 && scale.slope == 4 && scale.random == 5);
}

TEST(neighbours_stand_in_for_pairs)
{
	struct scale scale = { .random = 0.8 }, twins = { .random = 0 }, linear = { .random = 1, .linear = true };

	calibrate_by_neighbours(&scale, 0.3);
	CHECK(fabs(scale_score(&scale, 0.3) - 0.5) < 1e-9 && fabs(scale_score(&scale, 0.8) - 0.01) < 1e-9);
	calibrate_by_neighbours(&twins, 0); /* a library of one picture many times */
	CHECK(twins.slope > 0 && isfinite(twins.slope) && scale_score(&twins, 0) > 0.99 && scale_score(&twins, 1) < 0.01);
	calibrate_by_neighbours(&linear, -5);
	CHECK(fabs(scale_score(&linear, -5) - 0.5) < 1e-9 && fabs(scale_score(&linear, 1) - 0.01) < 1e-9);
}

TEST_MAIN(cmocka_unit_test(the_truth_is_found_again), cmocka_unit_test(how_near_pairs_are_drawn_does_not_matter),
          cmocka_unit_test(pairs_that_can_be_told_apart_give_a_steep_but_finite_slope),
          cmocka_unit_test(what_says_nothing_changes_nothing), cmocka_unit_test(neighbours_stand_in_for_pairs))
