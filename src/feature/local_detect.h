/* feature/local_detect.h - what the detectors of local features share. Each fills a list of points with what it needs
 * to describe them; which of them stay is decided in one place.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_FEATURE_LOCAL_DETECT_H
#define AKIN_FEATURE_LOCAL_DETECT_H

#include "feature/local.h"
#include "simd/pixels.h"

#define LOCAL_PI 3.14159265358979f
#define LOCAL_SQRT2 1.41421356237310f

struct local_point {
	struct local_feature at;
	int32_t octave, layer; /* of the detector's scale space */
	float u, v, sigma;     /* where and how large there */
	bool kept;
};

struct local_points {
	struct local_point *at;
	size_t n, capacity;
};

/* The job of one picture. */
struct local_job {
	const uint8_t *grey;
	unsigned width, height;
	struct local_params params; /* without zeros that mean a default */
	const struct pixel_kernels *kernels;
	struct local_points points;
	struct local_set *out;
	akin_error *err;
};

/* Fill job->out. */
akin_status local_sift(struct local_job *job);
akin_status local_surf(struct local_job *job);
akin_status local_orb(struct local_job *job);

akin_status local_point_add(struct local_job *job, const struct local_point *point);
/* Keep the `budget` best of points [from, n), spread over the picture, strongest first; drop the others and doublets. */
void local_points_select(struct local_job *job, size_t from, size_t budget);
/* Room for n features of `bytes` in the result. */
akin_status local_set_reserve(struct local_set *set, size_t n, size_t bytes, akin_error *err);

/* ---- scale_space.c ---- */

/* Samples along a side where the search begins. */
unsigned local_first_side(unsigned side, enum local_octave first);

/* A parabola through 27 samples: value at the middle, first and second derivatives along x, y and scale. */
struct local_fit {
	double value, d[3], h[3][3];
};
struct local_fit local_fit_of(double v[3][3][3]); /* scale, y, x */
/* Where it has its extremum; false: nowhere. */
bool local_fit_solve(const struct local_fit *f, double at[3]);

/* Half of a symmetric kernel: centre and up to PAIRS_MAX weights on each side. */
enum { BLUR_PAIRS_MAX = 24 };
struct blur {
	float centre, weights[BLUR_PAIRS_MAX];
	size_t n_pairs;
};
struct blur blur_of(double sigma);

/* Pixels beyond the edge are those of the edge. `room`: blur_room(width) floats. */
size_t blur_room(unsigned width);
void blur_picture(const struct pixel_kernels *kernels, const struct blur *blur, const float *from, float *to,
                  unsigned width,
                  unsigned height, float *room);

#endif
