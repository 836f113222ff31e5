/* search/match and search/verify: exact maps come back, outliers do not, and what determines nothing is not found.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "search/match.h"
#include "search/verify.h"

enum { N = 60 };

static const double similarity[9] = { 0.8, -0.3, 40, 0.3, 0.8, 25, 0, 0, 1 };
static const double affine[9] = { 0.9, -0.4, 60, 0.2, 0.7, 30, 0, 0, 1 };
static const double homography[9] = { 0.9, -0.2, 50, 0.15, 0.8, 20, 3e-4, 2e-4, 1 };

static struct verify_params params(enum verify_model model)
{
	return (struct verify_params){ .model = model, .width_a = 640, .height_a = 480, .width_b = 640,
	                               .height_b = 480 };
}

static struct verify_pair through(const double map[9], double x, double y)
{
	struct verify_pair p = { .at = { x, y, 0, 0 } };
	double to[2];

	CHECK(map_point(map, x, y, to));
	p.at.bx = to[0];
	p.at.by = to[1];
	return p;
}

static void fill(struct verify_pair *pairs, size_t n, const double map[9], uint64_t seed)
{
	struct rng rng = { seed };

	for (size_t i = 0; i < n; i++) {
		pairs[i] = through(map, 20 + 500 * rng_unit(&rng), 20 + 400 * rng_unit(&rng));
		pairs[i].quality = rng_unit(&rng);
	}
}

static double worst_difference(const double got[9], const double want[9])
{
	double worst = 0;

	for (int k = 0; k < 4; k++) {
		double p[2], q[2];

		CHECK(map_point(got, k % 2 ? 600 : 0, k / 2 ? 400 : 0, p) && map_point(want, k % 2 ? 600 : 0,
		        k / 2 ? 400 : 0, q));
		worst = fmax(worst, hypot(p[0] - q[0], p[1] - q[1]));
	}
	return worst;
}

static struct verify_result run(const struct verify_pair *pairs, size_t n, const struct verify_params *p, bool *inlier)
{
	struct verify_result r;
	akin_error err;

	CHECK_OK(verify(pairs, n, p, &r, inlier, &err), &err);
	return r;
}

TEST(exact_maps_come_back)
{
	static const struct {
		const double *map;
		enum verify_model model;
	} cases[] = { { similarity, VERIFY_SIMILARITY }, { affine, VERIFY_AFFINE }, { homography, VERIFY_HOMOGRAPHY } };

	for (size_t c = 0; c < COUNT(cases); c++) {
		struct verify_params p = params(cases[c].model);
		struct verify_pair pairs[N];
		struct verify_result r;
		bool inlier[N];

		fill(pairs, N, cases[c].map, c + 1);
		r = run(pairs, N, &p, inlier);
		CHECK(r.found && r.n_inliers == N && r.model == cases[c].model, "case %zu: %zu inliers, log10 NFA %g\n",
		      c, r.n_inliers,
		      r.log10_nfa);
		CHECK(worst_difference(r.map, cases[c].map) < 1e-3, "case %zu: %g px\n", c, worst_difference(r.map,
		        cases[c].map));
	}
}

/* More freedom is not used where less explains as much. */
TEST(the_simplest_map_is_taken)
{
	struct verify_params p = params(VERIFY_HOMOGRAPHY);
	struct verify_pair pairs[N];
	bool inlier[N];

	fill(pairs, N, similarity, 5);
	CHECK(run(pairs, N, &p, inlier).model == VERIFY_SIMILARITY);
	fill(pairs, N, affine, 5);
	CHECK(run(pairs, N, &p, inlier).model == VERIFY_AFFINE);
}

TEST(the_box_is_where_the_corners_go)
{
	struct verify_params p = params(VERIFY_SIMILARITY);
	struct verify_pair pairs[N];
	struct verify_result r;
	bool inlier[N];

	fill(pairs, N, similarity, 9);
	r = run(pairs, N, &p, inlier);
	CHECK(r.has_box);
	CHECK(fabs(r.box[0] - 40) < 1e-6 && fabs(r.box[1] - 25) < 1e-6, "(%g, %g)\n", r.box[0], r.box[1]);
	CHECK(fabs(r.box[2] - (0.8 * 639 + 40)) < 1e-6 && fabs(r.box[3] - (0.3 * 639 + 25)) < 1e-6);
	CHECK(fabs(r.box[6] - (-0.3 * 479 + 40)) < 1e-6 && fabs(r.box[7] - (0.8 * 479 + 25)) < 1e-6);
}

/* Two cameras: points at several depths, seen from beside. */
static void fill_solid(struct verify_pair *pairs, size_t n, bool planar, uint64_t seed)
{
	struct rng rng = { seed };

	for (size_t i = 0; i < n; i++) {
		double x = 4 * rng_unit(&rng) - 2, y = 3 * rng_unit(&rng) - 1.5, z = planar ? 6 + 0.3 * x : 4 +
		        4 * rng_unit(&rng);
		double c = cos(0.1), s = sin(0.1), u = c * x - s * z + 1, w = s * x + c * z;

		pairs[i] = (struct verify_pair){ .at = { 320 + 500 * x / z, 240 + 500 * y / z, 320 + 500 * u / w,
		                                         240 + 500 * y / w },
			                         .quality = rng_unit(&rng) };
	}
}

static double line_distance(const double f[9], const struct point_pair *p)
{
	double a = f[0] * p->ax + f[1] * p->ay + f[2], b = f[3] * p->ax + f[4] * p->ay + f[5],
	        c = f[6] * p->ax + f[7] * p->ay + f[8];

	return fabs(a * p->bx + b * p->by + c) / hypot(a, b);
}

TEST(a_fundamental_matrix_explains_a_solid_thing)
{
	struct verify_params p = params(VERIFY_FUNDAMENTAL), plane = params(VERIFY_HOMOGRAPHY);
	struct verify_pair pairs[2 * N];
	struct verify_result r;
	struct rng rng = { 77 };
	bool inlier[2 * N];
	size_t wrong = 0;

	fill_solid(pairs, 2 * N, false, 4);
	for (size_t i = N; i < 2 * N; i++) {
		pairs[i].at.bx = 640 * rng_unit(&rng);
		pairs[i].at.by = 480 * rng_unit(&rng);
	}
	r = run(pairs, 2 * N, &p, inlier);
	CHECK(r.found && r.model == VERIFY_FUNDAMENTAL && !r.has_box, "log10 NFA %g\n", r.log10_nfa);
	for (size_t i = 0; i < N; i++) CHECK(inlier[i] && line_distance(r.map, &pairs[i].at) < 1, "pair %zu\n", i);
	for (size_t i = N; i < 2 * N; i++) wrong += inlier[i];
	CHECK(wrong < N / 6, "%zu outliers taken in\n", wrong);
	CHECK(run(pairs, 2 * N, &plane, inlier).n_inliers < N, "a plane must not explain it\n");
}

/* A plane leaves a fundamental matrix open; some matrix that explains it must be found all the same. */
TEST(a_plane_is_no_obstacle_to_a_fundamental_matrix)
{
	struct verify_params p = params(VERIFY_FUNDAMENTAL);
	struct verify_pair pairs[N];
	struct verify_result r;
	bool inlier[N];

	fill_solid(pairs, N, true, 6);
	pairs[0].at.by += 9; /* two points off the plane */
	pairs[1].at.bx += 12;
	r = run(pairs, N, &p, inlier);
	CHECK(r.found && r.n_inliers >= N - 4, "%zu inliers\n", r.n_inliers);
}

TEST(what_determines_no_map_is_not_found)
{
	for (unsigned m = 0; m < VERIFY_MODELS; m++) {
		struct verify_params p = params((enum verify_model)m);
		struct verify_pair pairs[N] = { { .at = { 0, 0, 0, 0 } } };
		struct rng rng = { m };
		bool inlier[N];

		CHECK(!run(pairs, 0, &p, inlier).found);
		CHECK(!run(pairs, 1, &p, inlier).found);
		CHECK(!run(pairs, N, &p, inlier).found, "all at one place, model %u\n", m);
		for (size_t i = 0; i < N; i++) pairs[i] = through(similarity, 5.0 * (double)i, 3.0 * (double)i + 7);
		CHECK(!run(pairs, N, &p, inlier).found, "all on one line, model %u\n", m);
		for (size_t i = 0; i < N; i++)
			pairs[i].at = (struct point_pair){ 600 * rng_unit(&rng), 400 * rng_unit(&rng),
			                                   300 + rng_unit(&rng), 200 + rng_unit(&rng) };
		CHECK(!run(pairs, N, &p, inlier).found, "all into one place, model %u\n", m);
		for (size_t i = 0; i < N; i++) {
			pairs[i] = through(similarity, 600 * rng_unit(&rng), 400 * rng_unit(&rng));
			pairs[i].at.bx = 640 - pairs[i].at.bx;
		}
		if (m == VERIFY_AFFINE || m == VERIFY_SIMILARITY)
			CHECK(!run(pairs, N, &p, inlier).found, "mirrored, model %u\n", m);
		for (size_t i = 0; i < N; i++) pairs[i].at.ax = i % 2 ? NAN : INFINITY;
		CHECK(!run(pairs, N, &p, inlier).found, "no numbers, model %u\n", m);
	}
}

/* The same place told many times is one witness, not many. */
TEST(witnesses_must_be_independent)
{
	struct verify_params p = params(VERIFY_SIMILARITY);
	struct verify_pair pairs[N];
	struct verify_result r;
	struct rng rng = { 12 };
	bool inlier[N];

	for (size_t i = 0; i < N; i++) {
		pairs[i] = through(similarity, 200 + 25 * rng_unit(&rng), 150 + 25 * rng_unit(&rng));
		pairs[i].reach_a = pairs[i].reach_b = 15;
	}
	r = run(pairs, N, &p, inlier);
	CHECK(!r.found && r.n_witnesses <= 6 && r.n_inliers > N / 2, "%zu witnesses, log10 NFA %g\n", r.n_witnesses,
	      r.log10_nfa);
	for (size_t i = 0; i < N; i++) pairs[i].reach_a = pairs[i].reach_b = 0;
	CHECK(run(pairs, N, &p, inlier).found, "with reach 0 they all count\n");
}

TEST(pictures_without_a_size_are_refused)
{
	struct verify_params p = params(VERIFY_AFFINE);
	struct verify_result r;
	akin_error err = { 0 };

	p.width_b = 0;
	CHECK_STATUS(verify(NULL, 0, &p, &r, NULL, &err), AKIN_ERR_INVALID);
	CHECK(err.text[0] && !r.found);
	p = params((enum verify_model)7);
	CHECK_STATUS(verify(NULL, 0, &p, &r, NULL, &err), AKIN_ERR_INVALID);
}

/* ---- matching ---- */

static size_t match_all(const struct match_rows *a, const struct match_rows *b, float ratio, struct match **matches)
{
	akin_error err;
	size_t n;

	CHECK_OK(match_rows(a, b, ratio, matches, &n, &err), &err);
	return n;
}

TEST(matches_are_mutual_and_clear)
{
	/* a0 and b1 are alike; a1 has two equals in b; a2 is nearest to b0, which prefers a0. */
	static const uint8_t a[] = { 10, 10, 200, 200, 60, 10 }, b[] = { 40, 10, 11, 10, 200, 204, 200, 196 };
	const struct match_rows ra = { a, 3, 2, false, NULL }, rb = { b, 4, 2, false, NULL };
	struct match *matches;
	size_t n = match_all(&ra, &rb, 0, &matches);

	CHECK(n == 2, "%zu matches\n", n);
	CHECK(matches[0].a == 0 && matches[0].b == 1 && fabsf(matches[0].ratio - 1 / 30.0f) < 1e-6f);
	CHECK(matches[1].a == 2 && matches[1].b == 0);
	mem_free(matches);
	n = match_all(&ra, &rb, 0.03f, &matches);
	CHECK(n == 0 && !matches);
}

/* A point with two directions is described twice; its second description is no rival of the first. */
TEST(a_rival_at_the_same_place_is_none)
{
	static const uint8_t a[] = { 0xff, 0x00 }, b[] = { 0xfe, 0x00, 0xfe, 0x01, 0x00, 0xff };
	static const uint32_t place[] = { 0, 0, 1 };
	struct match_rows ra = { a, 1, 2, true, NULL }, rb = { b, 3, 2, true, NULL };
	struct match *matches;

	CHECK(match_all(&ra, &rb, 0.4f, &matches) == 0);
	rb.place = place;
	CHECK(match_all(&ra, &rb, 0.4f, &matches) == 1 && matches[0].b == 0);
	mem_free(matches);
}

TEST(matches_equal_the_slow_definition)
{
	for (int bits = 0; bits < 2; bits++) {
		enum { A = 90, B = 70, BYTES = 32 };
		uint8_t a[A * BYTES], b[B * BYTES];
		struct match_rows ra = { a, A, BYTES, bits, NULL }, rb = { b, B, BYTES, bits, NULL };
		struct match *matches;
		struct rng rng = { 3 };
		size_t n, seen = 0;

		for (size_t i = 0; i < sizeof b; i++) b[i] = (uint8_t)rng_u64(&rng);
		for (size_t i = 0; i < sizeof a; i++)
			a[i] = rng_below(&rng, 3) ? b[i % sizeof b] : (uint8_t)rng_u64(&rng);
		n = match_all(&ra, &rb, 0.95f, &matches);
		for (uint32_t i = 0; i < A; i++) {
			double d[B], best = 1e30, second = 1e30, mine;
			uint32_t at = 0;
			bool mutual = true;

			for (uint32_t j = 0; j < B; j++) {
				d[j] = 0;
				for (size_t k = 0; k < BYTES; k++) {
					int e = a[i * BYTES + k] - b[j * BYTES + k];
					d[j] += bits ?
					        __builtin_popcount((unsigned)(a[i * BYTES + k] ^ b[j * BYTES + k])) :
					        e * e;
				}
				if (d[j] < best) second = best, best = d[j], at = j;
				else if (d[j] < second) second = d[j];
			}
			for (uint32_t other = 0; other < A; other++) {
				mine = 0;
				for (size_t k = 0; k < BYTES; k++) {
					int e = a[other * BYTES + k] - b[at * BYTES + k];
					mine += bits ?
					        __builtin_popcount((unsigned)(a[other * BYTES + k] ^ b[at * BYTES + k])) : e * e;
				}
				mutual &= mine > best || (other >= i && mine >= best);
			}
			if (!mutual || (bits ? best / second : sqrt(best / second)) >= (double)0.95f) continue;
			for (size_t k = 0; k < n; k++) seen += matches[k].a == i && matches[k].b == at;
		}
		CHECK(seen == n && n > 20, "%zu of %zu\n", seen, n);
		mem_free(matches);
	}
}

TEST(different_kinds_cannot_be_compared)
{
	static const uint8_t rows[4] = { 0 };
	const struct match_rows a = { rows, 1, 2, false, NULL }, b = { rows, 1, 4, false, NULL },
	        none = { NULL, 0, 2, false, NULL };
	struct match *matches;
	akin_error err = { 0 };
	size_t n;

	CHECK_STATUS(match_rows(&a, &b, 0, &matches, &n, &err), AKIN_ERR_INVALID);
	CHECK(err.text[0] && !matches && !n);
	CHECK(match_all(&a, &none, 0, &matches) == 0 && match_all(&none, &a, 0, &matches) == 0);
	CHECK(match_all(&a, &a, 0, &matches) == 1, "the only one has no rival\n");
	mem_free(matches);
}

TEST_MAIN(cmocka_unit_test(exact_maps_come_back), cmocka_unit_test(the_simplest_map_is_taken),
          cmocka_unit_test(the_box_is_where_the_corners_go),
          cmocka_unit_test(a_fundamental_matrix_explains_a_solid_thing),
          cmocka_unit_test(a_plane_is_no_obstacle_to_a_fundamental_matrix),
          cmocka_unit_test(what_determines_no_map_is_not_found),
          cmocka_unit_test(witnesses_must_be_independent), cmocka_unit_test(pictures_without_a_size_are_refused),
          cmocka_unit_test(matches_are_mutual_and_clear), cmocka_unit_test(a_rival_at_the_same_place_is_none),
          cmocka_unit_test(matches_equal_the_slow_definition), cmocka_unit_test(different_kinds_cannot_be_compared))
