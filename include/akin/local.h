/* akin/local.h - the same thing in another picture: local features, which of them match, and whether they agree on one
 * geometric map. "This church", where a vector finds "also a church".
 *
 *   akin_local *a, *b; akin_match *m;
 *   akin_local_read(&a, "logo.png", NULL, &err);
 *   akin_local_read(&b, "page.jpg", NULL, &err);
 *   akin_match_create(&m, a, b, NULL, &err);
 *   if (akin_match_get(m)->found) ...
 *
 * Threads: an akin_local or akin_match does not change once it is made and may be read by several threads.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_LOCAL_H
#define AKIN_LOCAL_H

#include <stddef.h>

#include "akin/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- local features of one picture ---- */

typedef enum akin_local_kind { AKIN_LOCAL_SIFT = 0, AKIN_LOCAL_SURF = 1, AKIN_LOCAL_ORB = 2 } akin_local_kind;

typedef struct akin_local_params {
	akin_local_kind kind;
	unsigned budget;    /* most features, at most 100000; 0: 2000 */
	unsigned max_side;  /* larger pictures are made smaller first, at most 4096; 0: 1024 */
	int upright;        /* nonzero: nothing is turned in the picture; tells more apart */
	int keep_picture;   /* nonzero: keep the pixels, for akin_match_draw */
} akin_local_params;

typedef struct akin_local_feature {
	float x, y;     /* pixels of the picture as shown; the centre of the top left one is (0, 0) */
	float scale;    /* size of what is seen, in pixels; comparable within one kind */
	float angle;    /* radians, 0 to 2 pi, from +x towards +y (down) */
	float response; /* strength; comparable within one kind */
} akin_local_feature;

typedef struct akin_local akin_local;

/* Read a picture file and find its features. A picture may have none. */
AKIN_API akin_status akin_local_read(akin_local **out, const char *path, const akin_local_params *params,
                                     akin_error *err);
/* The same from the bytes of a file. */
AKIN_API akin_status akin_local_read_bytes(akin_local **out, const void *bytes, size_t n_bytes,
                                           const akin_local_params *params, akin_error *err);
AKIN_API void akin_local_free(akin_local *local);

AKIN_API size_t akin_local_count(const akin_local *local);
/* Strongest first. */
AKIN_API akin_local_feature akin_local_at(const akin_local *local, size_t i);
/* Description of feature i, borrowed; *n_bytes is the same for all. SIFT and SURF are compared by L2, ORB by Hamming. */
AKIN_API const unsigned char *akin_local_descriptor(const akin_local *local, size_t i, size_t *n_bytes);
AKIN_API void akin_local_size(const akin_local *local, unsigned *width, unsigned *height); /* of the picture as shown */

/* ---- the same thing in two pictures ---- */

/* The most general map that is allowed; the simplest that explains as much is taken. A fundamental matrix, for solid
 * things seen from two places, is never taken unless asked for. */
typedef enum akin_match_model {
	AKIN_MATCH_HOMOGRAPHY = 0,
	AKIN_MATCH_AFFINE = 1,
	AKIN_MATCH_SIMILARITY = 2,
	AKIN_MATCH_FUNDAMENTAL = 3
} akin_match_model;

typedef struct akin_match_params {
	akin_match_model model;
	double ratio;      /* most of nearest / second nearest distance, 0..1; 0: 0.8, for ORB 0.85 */
	double precision;  /* largest error of an inlier in pixels of b; 0: a fiftieth of b's diagonal */
	unsigned rounds;   /* most random samples; 0: 2000 */
	unsigned long long seed; /* the same seed gives the same answer */
} akin_match_params;

typedef struct akin_match_info {
	int found;              /* whether a, or part of it, is in b */
	akin_match_model model; /* of the map */
	size_t n_matches;       /* pairs of features that match by description */
	size_t n_inliers;       /* of them, those that agree with the map */
	double log10_nfa;       /* log10 of how many maps as good as this are expected by chance; found means -6 or less */
	double precision;       /* largest error among the inliers, pixels of b */
	double map[9];          /* by rows: (x, y, 1) of a to b up to a factor; or F with (b, 1) F (a, 1) = 0 */
	int has_box;
	double box[8];          /* x, y of a's corners in b: top left, top right, bottom right, bottom left */
} akin_match_info;

/* Features a and b (numbers for akin_local_at), and whether they agree with the map. */
typedef struct akin_match_pair {
	size_t a, b;
	int inlier;
} akin_match_pair;

typedef struct akin_match akin_match;

/* AKIN_ERR_INVALID for features of different kinds. Not finding anything is no error. `a` and `b` must outlive the
 * match. */
AKIN_API akin_status akin_match_create(akin_match **out, const akin_local *a, const akin_local *b,
                                       const akin_match_params *params, akin_error *err);
AKIN_API void akin_match_free(akin_match *match);
AKIN_API const akin_match_info *akin_match_get(const akin_match *match);
/* i < n_matches, surest first. */
AKIN_API akin_match_pair akin_match_at(const akin_match *match, size_t i);

/* Both pictures side by side, the inliers joined by lines, a's outline in b: 8-bit RGB rows without padding,
 * akin_bytes_free them. AKIN_ERR_INVALID when the pictures were not kept. */
AKIN_API akin_status akin_match_draw(const akin_match *match, unsigned char **rgb, unsigned *width, unsigned *height,
                                     akin_error *err);
/* The same as a PNG file, which is written whole or not at all. */
AKIN_API akin_status akin_match_draw_file(const akin_match *match, const char *path, akin_error *err);

#ifdef __cplusplus
}
#endif
#endif
