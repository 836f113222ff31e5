/* search/verify under random maps with outliers, and under nothing but chance; and pictures of nothing in common.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "feature/local.h"
#include "search/match.h"
#include "search/verify.h"
#include "texture.h"

enum { W = 640, H = 480, MOST = 300 };

static const struct verify_params base = { .width_a = W, .height_a = H, .width_b = W, .height_b = H };

static void random_map(struct rng *rng, enum verify_model model, double map[9])
{
	double zoom = 0.6 + 0.8 * rng_unit(rng), turn = 6.283 * rng_unit(rng), c = zoom * cos(turn),
	        s = zoom * sin(turn);
	double squeeze = model == VERIFY_SIMILARITY ? 1 : 0.7 + 0.3 * rng_unit(rng);
	const double linear[9] = { c, -s * squeeze, 0, s, c * squeeze, 0, 0, 0, 1 };

	memcpy(map, linear, sizeof linear);
	map[2] = W / 2.0 - map[0] * W / 2 - map[1] * H / 2;
	map[5] = H / 2.0 - map[3] * W / 2 - map[4] * H / 2;
	if (model == VERIFY_HOMOGRAPHY) {
		map[6] = 6e-4 * (rng_unit(rng) - 0.5);
		map[7] = 6e-4 * (rng_unit(rng) - 0.5);
	}
}

/* n pairs, of which the first n_true go through the map with noise of one pixel, the others anywhere. */
static void fill(struct verify_pair *pairs, size_t n, size_t n_true, const double map[9], bool framed, struct rng *rng)
{
	for (size_t i = 0; i < n; i++) {
		struct verify_pair *p = &pairs[i];
		double to[2];

		*p = (struct verify_pair){ .at = { W * rng_unit(rng), H * rng_unit(rng), W * rng_unit(rng),
		                                   H * rng_unit(rng) },
			                   .quality = rng_unit(rng), .turn = framed ? 6.283 * rng_unit(rng) : 0,
			                   .zoom = framed ? exp2(4 * rng_unit(rng) - 2) : 0 };
		if (i >= n_true || !map_point(map, p->at.ax, p->at.ay, to)) continue;
		p->at.bx = to[0] + rng_normal(rng);
		p->at.by = to[1] + rng_normal(rng);
		if (!framed) continue;
		p->turn = atan2(map[3], map[0]) + 0.1 * rng_normal(rng);
		p->zoom = hypot(map[0], map[3]) * exp2(0.15 * rng_normal(rng));
	}
}

static double error_at_corners(const double got[9], const double want[9])
{
	double worst = 0;

	for (int k = 0; k < 4; k++) {
		double p[2], q[2];

		if (!map_point(got, k % 2 * W, k / 2 * H, p) || !map_point(want, k % 2 * W, k / 2 * H, q))
			return INFINITY;
		worst = fmax(worst, hypot(p[0] - q[0], p[1] - q[1]));
	}
	return worst;
}

/* Four of five pairs are wrong, and features say nothing of scale and angle half of the time. */
TEST(maps_are_found_among_outliers)
{
	static const double outliers[] = { 0, 0.5, 0.8 };
	bool inlier[MOST];

	for (uint64_t seed = 1; seed <= 18; seed++) {
		enum verify_model model = (enum verify_model)(seed % 3);
		struct verify_params p = base;
		struct rng rng = { seed };
		size_t n = MOST, n_true = (size_t)(MOST * (1 - outliers[seed / 3 % 3]));
		struct verify_pair pairs[MOST];
		struct verify_result r, again;
		double map[9], off;
		size_t right = 0, wrong = 0;
		akin_error err;

		p.model = model;
		if (seed % 2 == 0) p.rounds = 6000; /* four right ones of 300 come together once in 625 samples */
		random_map(&rng, model, map);
		fill(pairs, n, n_true, map, seed % 2, &rng);
		CHECK_OK(verify(pairs, n, &p, &r, inlier, &err), &err);
		for (size_t i = 0; i < n; i++) *(i < n_true ? &right : &wrong) += inlier[i];
		off = error_at_corners(r.map, map);
		CHECK(r.found && off < 6, "seed %d, model %d, %zu true: log10 NFA %g, %g px off\n", (int)seed,
		      (int)model, n_true,
		      r.log10_nfa, off);
		CHECK((double)right > 0.9 * (double)n_true && (double)wrong < 0.05 * (double)n + 1,
		      "seed %d: %zu of %zu, and %zu wrong\n", (int)seed,
		      right, n_true, wrong);
		CHECK_OK(verify(pairs, n, &p, &again, inlier, &err), &err);
		CHECK(!memcmp(&r, &again, sizeof r), "seed %d: another answer the second time\n", (int)seed);
	}
}

/* The bound: fewer than one in 10^6 is expected, so that none of these may be found; and the least NFA of 200 trials
 * should not be far below 1 / 200. */
TEST(chance_agrees_on_nothing)
{
	static const size_t sizes[] = { 5, 12, 40, 120 };
	double least = 0;
	bool inlier[MOST];

	for (uint64_t seed = 1; seed <= 200; seed++) {
		struct verify_params p = base;
		struct verify_pair pairs[MOST];
		struct verify_result r;
		struct rng rng = { seed };
		akin_error err;

		p.model = (enum verify_model)(seed % VERIFY_MODELS);
		p.rounds = 100;
		fill(pairs, sizes[seed % 4], 0, NULL, true, &rng);
		CHECK_OK(verify(pairs, sizes[seed % 4], &p, &r, inlier, &err), &err);
		CHECK(!r.found, "seed %d, model %d: log10 NFA %g\n", (int)seed, (int)p.model, r.log10_nfa);
		least = fmin(least, r.log10_nfa);
	}
	CHECK(least > -4, "log10 NFA %g among 200\n", least);
}

/* ---- with pictures ---- */

static struct verify_result compare(const struct local_set *a, const struct local_set *b)
{
	static const double patch[LOCAL_KINDS] = { 3, 5, 7.5 };
	struct match_rows ra = { a->descriptors, a->n, a->bytes, a->kind == LOCAL_ORB, NULL },
			  rb = { b->descriptors, b->n, b->bytes, b->kind == LOCAL_ORB, NULL };
	struct verify_params p = { .rounds = 150, .width_a = a->width, .height_a = a->height, .width_b = b->width,
	                           .height_b = b->height };
	struct match *matches;
	struct verify_pair *pairs;
	struct verify_result r;
	akin_error err;
	bool *inlier;
	size_t n;

	CHECK_OK(match_rows(&ra, &rb, 0, &matches, &n, &err), &err);
	pairs = calloc(n + 1, sizeof *pairs);
	inlier = calloc(n + 1, sizeof *inlier);
	for (size_t i = 0; i < n; i++) {
		const struct local_feature *f = &a->at[matches[i].a], *g = &b->at[matches[i].b];

		pairs[i] = (struct verify_pair){ .at = { (double)f->x, (double)f->y, (double)g->x, (double)g->y },
			                         .turn = (double)(g->angle - f->angle),
			                         .zoom = (double)(g->scale / f->scale),
			                         .quality = (double)matches[i].ratio,
			                         .reach_a = patch[a->kind] * (double)f->scale,
			                         .reach_b = patch[a->kind] * (double)g->scale };
	}
	CHECK_OK(verify(pairs, n, &p, &r, inlier, &err), &err);
	free(pairs);
	free(inlier);
	mem_free(matches);
	return r;
}

TEST(unrelated_pictures_never_match)
{
	enum { PICTURES = 25, SIDE = 128 }; /* 300 pairs */

	for (enum local_kind kind = LOCAL_SIFT; kind <= LOCAL_ORB; kind++) {
		struct local_set sets[PICTURES];
		struct local_params p = { .kind = kind, .budget = 200 };
		akin_error err;

		for (size_t i = 0; i < PICTURES; i++) {
			uint8_t *grey = texture_make(100 + i, SIDE, SIDE);
			CHECK_OK(local_extract(&sets[i], grey, SIDE, SIDE, &p, &err), &err);
			CHECK(sets[i].n > 50);
			free(grey);
		}
		for (size_t i = 0; i < PICTURES; i++)
			for (size_t j = 0; j < i; j++) {
				struct verify_result r = compare(&sets[i], &sets[j]);
				CHECK(!r.found, "%s, %zu and %zu: log10 NFA %g\n", local_kind_name(kind), i, j,
				      r.log10_nfa);
			}
		for (size_t i = 0; i < PICTURES; i++) local_set_deinit(&sets[i]);
	}
}

TEST(a_warped_picture_is_found_where_it_is)
{
	for (enum local_kind kind = LOCAL_SIFT; kind <= LOCAL_ORB; kind++)
		for (uint64_t seed = 1; seed <= 4; seed++) {
			/* From the new picture to the old one. */
			double zoom = 0.8 + 0.1 * (double)seed, turn = 0.9 * (double)seed, c = cos(turn) * zoom,
			        s = sin(turn) * zoom;
			const double back[9] = { c, -s, 100 - c * 110 + s * 110, s, c, 100 - s * 110 - c * 110, 2e-4,
			                         -1e-4, 1 };
			uint8_t *grey = texture_make(seed, 200, 200), *warped = texture_warp(grey, 200, 200, back, 220,
			        220);
			struct local_params p = { .kind = kind, .budget = 500 };
			struct local_set a, b;
			struct verify_result r;
			akin_error err;
			double forth[9], worst = 0;

			CHECK(map_invert(back, forth));
			CHECK_OK(local_extract(&a, grey, 200, 200, &p, &err), &err);
			CHECK_OK(local_extract(&b, warped, 220, 220, &p, &err), &err);
			r = compare(&a, &b);
			for (int k = 0; k < 4; k++) {
				double x = k % 2 ? 150 : 50, y = k / 2 ? 150 : 50, want[2], got[2];
				CHECK(map_point(forth, x, y, want) && map_point(r.map, x, y, got));
				worst = fmax(worst, hypot(want[0] - got[0], want[1] - got[1]));
			}
			CHECK(r.found && worst < 2.5, "%s, seed %d: log10 NFA %g, %g px off\n", local_kind_name(kind),
			      (int)seed, r.log10_nfa,
			      worst);
			local_set_deinit(&a);
			local_set_deinit(&b);
			free(grey);
			free(warped);
		}
}

TEST_MAIN(cmocka_unit_test(maps_are_found_among_outliers), cmocka_unit_test(chance_agrees_on_nothing),
          cmocka_unit_test(unrelated_pictures_never_match), cmocka_unit_test(a_warped_picture_is_found_where_it_is))
