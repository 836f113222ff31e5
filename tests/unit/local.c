/* feature/local: features where the picture has them, that turn and grow with it; and pictures that have none.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <math.h>
#include <stdlib.h>

#include "feature/local.h"
#include "texture.h"

static const double pi = 3.14159265358979;

static void extract(struct local_set *set, const uint8_t *grey, unsigned w, unsigned h, struct local_params p)
{
	akin_error err;

	CHECK_OK(local_extract(set, grey, w, h, &p, &err), &err);
	for (size_t i = 0; i < set->n; i++) {
		const struct local_feature *f = &set->at[i];
		CHECK(f->x >= -1 && f->y >= -1 && f->x <= (float)w && f->y <= (float)h && f->scale > 0, "(%g, %g)\n",
		      (double)f->x,
		      (double)f->y);
		CHECK(f->angle >= 0 && (double)f->angle < 2 * pi + 1e-6, "angle %g\n", (double)f->angle);
		CHECK(!i || f->response <= set->at[i - 1].response || set->kind == LOCAL_SIFT);
	}
}

/* A Gaussian blob of this sigma on grey. */
static uint8_t *blob(unsigned side, double cx, double cy, double sigma)
{
	uint8_t *p = malloc((size_t)side * side);

	CHECK(p != NULL);
	for (unsigned y = 0; y < side; y++)
		for (unsigned x = 0; x < side; x++) {
			double d = (x - cx) * (x - cx) + (y - cy) * (y - cy);
			p[(size_t)y * side + x] = (uint8_t)lround(60 + 180 * exp(-d / (2 * sigma * sigma)));
		}
	return p;
}

static const struct local_feature *nearest(const struct local_set *set, double x, double y)
{
	const struct local_feature *best = NULL;
	double least = 1e9;

	for (size_t i = 0; i < set->n; i++) {
		double d = hypot((double)set->at[i].x - x, (double)set->at[i].y - y);
		if (d < least) least = d, best = &set->at[i];
	}
	return best;
}

/* The normalised Laplacian of a Gaussian of sigma s answers most at s itself. */
TEST(a_blob_is_found_at_its_place_with_its_size)
{
	for (enum local_kind kind = LOCAL_SIFT; kind <= LOCAL_SURF; kind++)
		for (double sigma = 4; sigma <= 10; sigma += 3) {
			uint8_t *grey = blob(128, 61.3, 66.8, sigma);
			const struct local_feature *f;
			struct local_set set;

			extract(&set, grey, 128, 128, (struct local_params){ .kind = kind });
			f = nearest(&set, 61.3, 66.8);
			CHECK(f != NULL, "%s sees nothing\n", local_kind_name(kind));
			CHECK(hypot((double)f->x - 61.3, (double)f->y - 66.8) < (kind == LOCAL_SIFT ? 0.2 : 1),
			      "%s: (%g, %g)\n",
			      local_kind_name(kind), (double)f->x, (double)f->y);
			CHECK((double)f->scale > 0.7 * sigma && (double)f->scale < 1.3 * sigma, "%s: %g, not %g\n",
			      local_kind_name(kind),
			      (double)f->scale, sigma);
			local_set_deinit(&set);
			free(grey);
		}
}

TEST(a_square_has_four_corners)
{
	uint8_t *grey = calloc(120, 120);
	struct local_set set;

	CHECK(grey != NULL);
	for (unsigned y = 40; y < 80; y++) memset(grey + y * 120 + 40, 200, 40);
	extract(&set, grey, 120, 120, (struct local_params){ .kind = LOCAL_ORB });
	for (int k = 0; k < 4; k++) {
		double x = k % 2 ? 79 : 40, y = k / 2 ? 79 : 40, inward = atan2(59.5 - y, 59.5 - x), off;
		const struct local_feature *f = nearest(&set, x, y);

		CHECK(f && hypot((double)f->x - x, (double)f->y - y) < 3, "corner (%g, %g)\n", x, y);
		off = remainder((double)f->angle - inward, 2 * pi);
		CHECK(fabs(off) < 0.2, "its mass lies inward: %g, not %g\n", (double)f->angle, inward);
	}
	local_set_deinit(&set);
	free(grey);
}

/* Share of a's features that b has where the map says, with the scale and angle that go with it and a near
 * description. */
static double found_again(const struct local_set *a, const struct local_set *b, double zoom, double turn,
                          const double to_b[6],
                          unsigned w, unsigned h)
{
	size_t inside = 0, found = 0;

	for (size_t i = 0; i < a->n; i++) {
		const struct local_feature *f = &a->at[i];
		double x = to_b[0] * (double)f->x + to_b[1] * (double)f->y + to_b[2], y = to_b[3] * (double)f->x +
		        to_b[4] * (double)f->y + to_b[5];
		bool hit = false;

		if (x < 30 || y < 30 || x > w - 30 || y > h - 30) continue;
		inside++;
		for (size_t j = 0; j < b->n && !hit; j++) {
			const struct local_feature *g = &b->at[j];

			hit = hypot((double)g->x - x, (double)g->y - y) < 2.5 &&
			      fabs(log2((double)g->scale / (double)f->scale / zoom)) < 0.4 &&
			      fabs(remainder((double)g->angle - (double)f->angle - turn, 2 * pi)) < 0.35;
		}
		found += hit;
	}
	CHECK(inside > 30, "%zu features to look for\n", inside);
	return (double)found / (double)inside;
}

TEST(features_turn_and_grow_with_the_picture)
{
	static const struct {
		double zoom, turn;
	} cases[] = { { 1, 0.5 }, { 1, 2.4 }, { 1.5, 0 }, { 0.7, 1.0 } };
	uint8_t *grey = texture_make(11, 240, 240);

	for (enum local_kind kind = LOCAL_SIFT; kind <= LOCAL_ORB; kind++) {
		struct local_params p = { .kind = kind, .budget = 400 };
		struct local_set a;

		extract(&a, grey, 240, 240, p);
		for (size_t c = 0; c < COUNT(cases); c++) {
			double z = cases[c].zoom, co = z * cos(cases[c].turn), si = z * sin(cases[c].turn);
			double fx = 120 - co * 120 + si * 120, fy = 120 - si * 120 - co * 120, share;
			const double to_b[6] = { co, -si, fx, si, co, fy }, n = z * z;
			const double back[9] = { co / n, si / n, -(co * fx + si * fy) / n, -si / n, co / n,
			                         (si * fx - co * fy) / n, 0, 0, 1 };
			uint8_t *turned = texture_warp(grey, 240, 240, back, 240, 240);
			struct local_set b;

			extract(&b, turned, 240, 240, p);
			share = found_again(&a, &b, z, cases[c].turn, to_b, 240, 240);
			CHECK(share > 0.3, "%s, zoom %g, turn %g: %.2f\n", local_kind_name(kind), z, cases[c].turn,
			      share);
			local_set_deinit(&b);
			free(turned);
		}
		local_set_deinit(&a);
	}
	free(grey);
}

TEST(the_budget_holds_and_the_grid_spreads)
{
	uint8_t *grey = texture_make(5, 256, 256);

	/* Three quarters are faint: without a grid the strong quarter takes nearly all. */
	for (unsigned y = 0; y < 256; y++)
		for (unsigned x = 0; x < 256; x++)
			if (x >= 128 || y >= 128) grey[y * 256 + x] = (uint8_t)(128 + (grey[y * 256 + x] - 128) / 2);
	for (enum local_kind kind = LOCAL_SIFT; kind <= LOCAL_ORB; kind++) {
		struct local_set even, greedy;
		size_t in_even = 0, in_greedy = 0;

		extract(&even, grey, 256, 256, (struct local_params){ .kind = kind, .budget = 100, .spread = 1 });
		extract(&greedy, grey, 256, 256, (struct local_params){ .kind = kind, .budget = 100, .spread = -1 });
		CHECK(even.n <= 100 && even.n >= 90 && greedy.n <= 100 && greedy.n >= 90, "%zu, %zu\n", even.n,
		      greedy.n);
		for (size_t i = 0; i < even.n; i++) in_even += even.at[i].x < 128 && even.at[i].y < 128;
		for (size_t i = 0; i < greedy.n; i++) in_greedy += greedy.at[i].x < 128 && greedy.at[i].y < 128;
		CHECK(in_even < in_greedy, "%s: %zu with a grid, %zu without\n", local_kind_name(kind), in_even,
		      in_greedy);
		local_set_deinit(&even);
		local_set_deinit(&greedy);
	}
	free(grey);
}

TEST(options_do_what_they_say)
{
	uint8_t *grey = texture_make(3, 200, 160);
	struct local_set set, other;

	for (enum local_kind kind = LOCAL_SIFT; kind <= LOCAL_ORB; kind++) {
		extract(&set, grey, 200, 160, (struct local_params){ .kind = kind, .upright = true });
		CHECK(set.n > 20 && set.bytes == (kind == LOCAL_SIFT ? 128u : kind == LOCAL_SURF ? 64u : 32u));
		for (size_t i = 0; i < set.n; i++) CHECK(!(set.at[i].angle > 0));
		local_set_deinit(&set);
	}
	extract(&set, grey, 200, 160, (struct local_params){ .kind = LOCAL_SURF, .long_surf = true });
	CHECK(set.bytes == 128);
	local_set_deinit(&set);
	for (enum local_kind kind = LOCAL_SIFT; kind <= LOCAL_SURF; kind++) {
		extract(&set, grey, 200, 160, (struct local_params){ .kind = kind,
		                                                     .first_octave = LOCAL_OCTAVE_DOUBLED });
		extract(&other, grey, 200, 160, (struct local_params){ .kind = kind,
		                                                       .first_octave = LOCAL_OCTAVE_HALF });
		CHECK(set.n > other.n && other.n > 0, "%zu features doubled, %zu halved\n", set.n, other.n);
		local_set_deinit(&other);
		local_set_deinit(&set);
	}
	/* Lowe's descriptions have a length of 512, RootSIFT's too; the components differ. */
	extract(&set, grey, 200, 160, (struct local_params){ .budget = 50 });
	extract(&other, grey, 200, 160, (struct local_params){ .budget = 50, .plain_sift = true });
	CHECK(set.n == other.n && memcmp(set.descriptors, other.descriptors, set.n * 128) != 0);
	for (size_t i = 0; i < set.n; i++) {
		double a = 0, b = 0;
		for (size_t k = 0; k < 128; k++) {
			a += set.descriptors[i * 128 + k] * set.descriptors[i * 128 + k];
			b += other.descriptors[i * 128 + k] * other.descriptors[i * 128 + k];
		}
		CHECK(fabs(sqrt(a) - 512) < 12 && fabs(sqrt(b) - 512) < 12, "%g, %g\n", sqrt(a), sqrt(b));
	}
	local_set_deinit(&other);
	local_set_deinit(&set);
	free(grey);
}

TEST(the_same_picture_gives_the_same_features)
{
	uint8_t *grey = texture_make(8, 180, 140);

	for (enum local_kind kind = LOCAL_SIFT; kind <= LOCAL_ORB; kind++) {
		struct local_set a, b;

		extract(&a, grey, 180, 140, (struct local_params){ .kind = kind });
		extract(&b, grey, 180, 140, (struct local_params){ .kind = kind });
		CHECK(a.n == b.n && !memcmp(a.at, b.at, a.n * sizeof *a.at) && !memcmp(a.descriptors, b.descriptors,
		        a.n * a.bytes));
		local_set_deinit(&a);
		local_set_deinit(&b);
	}
	free(grey);
}

TEST(pictures_without_anything_have_no_features)
{
	static const unsigned sizes[][2] = { { 1, 1 }, { 3, 200 }, { 200, 7 }, { 31, 31 }, { 36, 36 }, { 64, 64 } };
	uint8_t *grey = malloc(200 * 200);

	CHECK(grey != NULL);
	for (enum local_kind kind = LOCAL_SIFT; kind <= LOCAL_ORB; kind++)
		for (size_t s = 0; s < COUNT(sizes); s++)
			for (unsigned octave = 0; octave < LOCAL_OCTAVES; octave++) {
				struct local_set set;

				memset(grey, 77, 200 * 200);
				extract(&set, grey, sizes[s][0], sizes[s][1],
				        (struct local_params){ .kind = kind,
				                               .first_octave = (enum local_octave)octave });
				CHECK(set.n == 0 && set.width == sizes[s][0]);
				local_set_deinit(&set);
			}
	free(grey);
}

TEST(what_is_out_of_range_is_refused_with_a_sentence)
{
	const struct {
		unsigned width, height;
		struct local_params params;
		akin_status wanted;
	} cases[] = {
		{ 0, 5, { 0 }, AKIN_ERR_INVALID },
		{ 5, 0, { 0 }, AKIN_ERR_INVALID },
		{ LOCAL_MAX_SIDE + 1, 1, { 0 }, AKIN_ERR_LIMIT },
		{ 8000, 8000, { 0 }, AKIN_ERR_LIMIT },
		{ 8, 8, { .kind = (enum local_kind)3 }, AKIN_ERR_INVALID },
		{ 8, 8, { .budget = LOCAL_MAX_BUDGET + 1 }, AKIN_ERR_INVALID },
		{ 8, 8, { .spread = 1.5f }, AKIN_ERR_INVALID },
		{ 8, 8, { .spread = NAN }, AKIN_ERR_INVALID },
		{ 8, 8, { .contrast = -1 }, AKIN_ERR_INVALID },
		{ 8, 8, { .edge = NAN }, AKIN_ERR_INVALID },
		{ 8, 8, { .first_octave = LOCAL_OCTAVES }, AKIN_ERR_INVALID },
	};
	uint8_t grey[64] = { 0 };

	for (size_t i = 0; i < COUNT(cases); i++) {
		akin_error err = { 0 };
		struct local_set set;

		CHECK_STATUS(local_extract(&set, grey, cases[i].width, cases[i].height, &cases[i].params, &err),
		             cases[i].wanted);
		CHECK(err.text[0] && !set.at && !set.n, "case %zu\n", i);
	}
}

TEST_MAIN(cmocka_unit_test(a_blob_is_found_at_its_place_with_its_size), cmocka_unit_test(a_square_has_four_corners),
          cmocka_unit_test(features_turn_and_grow_with_the_picture),
          cmocka_unit_test(the_budget_holds_and_the_grid_spreads),
          cmocka_unit_test(options_do_what_they_say), cmocka_unit_test(the_same_picture_gives_the_same_features),
          cmocka_unit_test(pictures_without_anything_have_no_features),
          cmocka_unit_test(what_is_out_of_range_is_refused_with_a_sentence))
