/* simd/pixels.h - kernels over rows of pixels, for local features: blurring, extrema, gradients, corners, box
 * filters.
 *
 * pixels_body.h has them as plain loops, which the file of each instruction set includes and so compiles for itself,
 * without fused multiply-adds and without reordered sums: every instruction set gives the same bits, and so the same
 * features.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_SIMD_PIXELS_H
#define AKIN_SIMD_PIXELS_H

#include "simd/kernels.h"

/* Rows of an integral image around one row of the picture, for a Hessian box filter with lobes of `lobe` pixels; see
 * feature/local_surf.c. Pointers are to the column of the first output pixel. */
struct hessian_rows {
	const uint32_t *xx[2]; /* top of and below the 2 * lobe - 1 rows of the filter along x */
	const uint32_t *yy[4]; /* top of the upper, middle and lower lobe, and below */
	const uint32_t *xy[4]; /* top of and below the upper corners, the same of the lower ones */
	ptrdiff_t lobe;
	size_t step;           /* pixels between outputs */
	float factor;          /* 1 / (255 * area of the filter) */
};

struct pixel_kernels {
	/* to[i] = centre * rows[0][i] + sum over k < n_pairs of weights[k] * (rows[2k + 1][i] + rows[2k + 2][i]) */
	void (*blur_rows)(const float *const *rows, const float *weights, size_t n_pairs, float centre, float *to,
	                  size_t n);
	/* The same along a row: to[i] = centre * row[i] + sum of weights[k] * (row[i - k - 1] + row[i + k + 1]). */
	void (*blur_row)(const float *row, const float *weights, size_t n_pairs, float centre, float *to, size_t n);
	void (*subtract)(const float *a, const float *b, float *to, size_t n);
	/* near[i] is 1 where |middle[4][i]| > threshold and no neighbour in three scales of three rows (below[0..2],
	 * middle[3..5], above[6..8] of `rows`) goes beyond it; else 0. Columns -1 and n are read. */
	void (*extrema)(const float *const *rows, float threshold, uint8_t *near, float *room, size_t n);
	/* Central differences: their length, and their direction in turns, 0 <= turn < 1, from +x towards +y, to 2e-6
	 * of a radian. Columns -1 and n are read. */
	void (*gradient)(const float *above, const float *row, const float *below, float *length, float *turn,
	                 size_t n);
	/* FAST-9 on 16 (Rosten and Drummond 2006): to[i] is the sum of differences beyond the threshold on the arc's side,
	 * 0 where 9 neighbours in a row are not all brighter or all darker by more than `threshold`. */
	void (*fast)(const uint8_t *row, ptrdiff_t stride, unsigned threshold, uint16_t *to, size_t n);
	/* Determinant of the Hessian approximated by boxes (Bay et al. 2008, section 3.2). */
	void (*hessian)(const struct hessian_rows *rows, float *to, size_t n);
	/* Sobel products summed over 7 x 7 around the pixel at `p`: xx, yy, xy. */
	void (*structure)(const uint8_t *p, ptrdiff_t stride, int32_t sums[3]);
};

/* Those that go with a table of kernels. */
const struct pixel_kernels *pixel_kernels_for(const struct kernels *kernels);

extern const struct pixel_kernels pixel_kernels_scalar, pixel_kernels_avx2, pixel_kernels_avx512, pixel_kernels_neon;

#endif
