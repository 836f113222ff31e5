/* search/verify.h - is it the same thing? Whether matched points of two pictures agree on one geometric map.
 *
 * Accepted is what chance would not do. Under the background model - the points of either picture lie anywhere,
 * independently - k of n pairs agree with the best map through s of them to within an error that a random point has
 * with probability p in an expected number of
 *
 *     NFA = families * maps(s) * (n - s) * C(n, k) * C(k, s) * p^(k - s)
 *
 * cases (Moisan and Stival, A probabilistic criterion to detect rigid point matches between two images and estimate
 * the fundamental matrix, IJCV 57(3), 2004). A map is found when log10 NFA <= -VERIFY_CERTAINTY, so that fewer than
 * one in 10^VERIFY_CERTAINTY comparisons of unrelated pictures is expected to pass; k and the error are not set but
 * chosen so that NFA is least. p is the larger of both directions, which no map that squeezes one picture into a
 * point passes. Descriptions of patches that overlap are not independent: for the verdict, pairs within reach of a
 * surer one in both pictures are left out of n and of k.
 *
 * The search is deterministic: first the similarities that single pairs imply by their scales and angles, those that
 * many pairs vote for first (Lowe 2004, section 7.3; Philbin et al., CVPR 2007), then random minimal samples from a
 * seed, better matches first (PROSAC, Chum and Matas, CVPR 2005); each candidate that is better than all before is
 * refined locally (LO-RANSAC, Chum, Matas, Kittler, DAGM 2003) by least squares with weights that fall with the error
 * instead of a threshold (as in MAGSAC, Barath, Matas, Noskova, CVPR 2019).
 *
 * Fundamental matrices also come from a plane and two points off it, because a plane alone does not determine one
 * (DEGENSAC, Chum, Werner, Matas, CVPR 2005).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_SEARCH_VERIFY_H
#define AKIN_SEARCH_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "search/geometry.h"

enum verify_model { VERIFY_HOMOGRAPHY = 0, VERIFY_AFFINE = 1, VERIFY_SIMILARITY = 2, VERIFY_FUNDAMENTAL = 3 };
enum { VERIFY_MODELS = 4, VERIFY_CERTAINTY = 6, VERIFY_MAX_PAIRS = 4000 };

struct verify_pair {
	struct point_pair at; /* pixels */
	double turn;          /* radians: angle in b less that in a */
	double zoom;          /* scale in b over that in a; 0: neither is known */
	double quality;       /* smaller is surer */
	/* Pixels: pairs nearer than this in both pictures show nearly the same and are one witness. */
	double reach_a, reach_b;
};

/* Zero fields mean the default. */
struct verify_params {
	enum verify_model model;     /* the most general one allowed; the simplest that explains as much is taken */
	double width_a, height_a, width_b, height_b; /* of the pictures; must be given */
	double precision;            /* largest error of an inlier in pixels of b; 0: a fiftieth of the diagonal */
	unsigned rounds;             /* most random samples for each model; 0: 2000 */
	uint64_t seed;
};

struct verify_result {
	bool found;
	enum verify_model model;
	double map[9];       /* from a to b, or the fundamental matrix */
	double log10_nfa;    /* of independent witnesses; 0 where nothing agrees */
	double precision;    /* the largest error among the inliers, pixels of b */
	size_t n_inliers;    /* pairs at the same two places count once */
	size_t n_witnesses;  /* of them, those that are independent */
	bool has_box;        /* whether a's outline has an image in b */
	double box[8];       /* x, y of a's corners in b: top left, top right, bottom right, bottom left */
};

/* inlier[i] of n is set. AKIN_ERR_INVALID for pictures without a size. */
akin_status verify(const struct verify_pair *pairs, size_t n, const struct verify_params *params,
                   struct verify_result *result,
                   bool *inlier, akin_error *err);

#endif
