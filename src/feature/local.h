/* feature/local.h - local features: points that are found again in another picture of the same thing, each with a
 * description of its surroundings. Three kinds behind one interface:
 *
 *   LOCAL_SIFT  Lowe, Distinctive image features from scale-invariant keypoints, IJCV 60(2), 2004; as RootSIFT
 *               (Arandjelovic and Zisserman, CVPR 2012) unless plain is asked for. 128 bytes, compared by L2.
 *   LOCAL_SURF  Bay, Ess, Tuytelaars, Van Gool, Speeded-up robust features (SURF), CVIU 110(3), 2008. 64 or 128 bytes,
 *               compared by L2.
 *   LOCAL_ORB   Rublee, Rabaud, Konolige, Bradski, ORB: an efficient alternative to SIFT or SURF, ICCV 2011. 256 bits,
 *               compared by Hamming distance.
 *
 * The same picture gives the same features with every instruction set: sums are not reordered, and ties are broken by
 * position; another libm may differ in the last bit. Knows pixels and nothing of files. Threads: calls are independent.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_FEATURE_LOCAL_H
#define AKIN_FEATURE_LOCAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum local_kind { LOCAL_SIFT = 0, LOCAL_SURF = 1, LOCAL_ORB = 2 };
enum { LOCAL_KINDS = 3, LOCAL_MAX_BUDGET = 100000, LOCAL_MAX_SIDE = 8192, LOCAL_MAX_BYTES = 128 };
enum { LOCAL_MAX_PIXELS = 1 << 25 }; /* of the largest level; SIFT takes 32 bytes for each */

struct local_feature {
	float x, y;     /* pixels; the centre of the first one is (0, 0) */
	float scale;    /* SIFT, SURF: sigma of the blob in pixels; ORB: how many times smaller its level is */
	float angle;    /* radians, 0 <= angle < 2 pi, from +x towards +y */
	float response; /* how strong; comparable within one kind */
};

enum local_octave {
	LOCAL_OCTAVE_DEFAULT = 0, /* doubled for SIFT, whole for SURF */
	LOCAL_OCTAVE_DOUBLED,     /* finds the smallest things and costs four times as much */
	LOCAL_OCTAVE_WHOLE,
	LOCAL_OCTAVE_HALF,
	LOCAL_OCTAVES
};

/* Zero fields mean the default. */
struct local_params {
	enum local_kind kind;
	unsigned budget;   /* most features, at most LOCAL_MAX_BUDGET; 0: 2000 */
	float spread;      /* 0..1 of the budget is dealt evenly over a grid of up to 8 x 8; 0: a half; below 0: none */
	bool upright;      /* angle is 0: when pictures are known to stand upright this tells more and costs less */
	bool plain_sift;   /* Lowe's own normalisation instead of RootSIFT */
	bool long_surf;    /* 128 instead of 64 */
	enum local_octave first_octave; /* SIFT, SURF: the size at which the search begins */
	float contrast;    /* least response; 0: SIFT 0.04 (Lowe's, of 1), SURF 0.0004, ORB 20 levels of FAST */
	float edge;        /* SIFT: most ratio of principal curvatures; 0: 10 */
};

struct local_set {
	enum local_kind kind;
	size_t n;
	struct local_feature *at; /* n, strongest first */
	uint8_t *descriptors;     /* n rows of `bytes`, aligned to 64 */
	size_t bytes;
	unsigned width, height;   /* of the picture */
};

#define LOCAL_SET_EMPTY ((struct local_set){ 0 })

/* Find and describe. `grey`: height rows of width levels, no padding. A picture may have no feature at all.
 * AKIN_ERR_INVALID for an empty picture or parameters out of range, AKIN_ERR_LIMIT above LOCAL_MAX_SIDE or
 * LOCAL_MAX_PIXELS. */
akin_status local_extract(struct local_set *out, const uint8_t *grey, unsigned width, unsigned height,
                          const struct local_params *params, akin_error *err);
void local_set_deinit(struct local_set *set);

/* Levels of luma (BT.601), rounded, of interleaved RGB. */
void local_grey(const uint8_t *rgb, size_t n_pixels, uint8_t *grey);

const char *local_kind_name(enum local_kind kind); /* "sift", "surf", "orb" */

#endif
