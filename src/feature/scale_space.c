/* feature/scale_space.c - pictures blurred by a Gaussian, and extrema between samples of place and scale.
 * SPDX-License-Identifier: Apache-2.0 */
#include "feature/local_detect.h"

#include <math.h>
#include <string.h>

unsigned local_first_side(unsigned side, enum local_octave first)
{
	if (first == LOCAL_OCTAVE_DOUBLED) return 2 * side;
	return first == LOCAL_OCTAVE_HALF ? (side + 1) / 2 : side;
}

/* Beyond 4 sigma lie 6e-5 of the weight. */
struct blur blur_of(double sigma)
{
	struct blur blur = { .n_pairs = (size_t)ceil(4 * sigma) };
	double weights[BLUR_PAIRS_MAX + 1], sum;

	if (blur.n_pairs > BLUR_PAIRS_MAX) blur.n_pairs = BLUR_PAIRS_MAX;
	sum = weights[0] = 1;
	for (size_t k = 1; k <= blur.n_pairs; k++) {
		weights[k] = exp(-(double)(k * k) / (2 * sigma * sigma));
		sum += 2 * weights[k];
	}
	blur.centre = (float)(1 / sum);
	for (size_t k = 0; k < blur.n_pairs; k++) blur.weights[k] = (float)(weights[k + 1] / sum);
	return blur;
}

size_t blur_room(unsigned width)
{
	return width + 2 * BLUR_PAIRS_MAX;
}

static const float *row_at(const float *picture, unsigned width, unsigned height, ptrdiff_t y)
{
	if (y < 0) y = 0;
	if (y >= (ptrdiff_t)height) y = (ptrdiff_t)height - 1;
	return picture + (size_t)y * width;
}

void blur_picture(const struct pixel_kernels *kernels, const struct blur *blur, const float *from, float *to,
                  unsigned width,
                  unsigned height, float *room)
{
	const float *rows[2 * BLUR_PAIRS_MAX + 1];
	float *row = room + BLUR_PAIRS_MAX;

	for (unsigned y = 0; y < height; y++) {
		rows[0] = from + (size_t)y * width;
		for (size_t k = 0; k < blur->n_pairs; k++) {
			rows[2 * k + 1] = row_at(from, width, height, (ptrdiff_t)y - (ptrdiff_t)k - 1);
			rows[2 * k + 2] = row_at(from, width, height, (ptrdiff_t)y + (ptrdiff_t)k + 1);
		}
		kernels->blur_rows(rows, blur->weights, blur->n_pairs, blur->centre, row, width);
		for (size_t k = 1; k <= blur->n_pairs; k++) {
			row[-(ptrdiff_t)k] = row[0];
			row[width - 1 + k] = row[width - 1];
		}
		kernels->blur_row(row, blur->weights, blur->n_pairs, blur->centre, to + (size_t)y * width, width);
	}
}

struct local_fit local_fit_of(double v[3][3][3])
{
	struct local_fit f = { .value = v[1][1][1] };

	f.d[0] = (v[1][1][2] - v[1][1][0]) / 2;
	f.d[1] = (v[1][2][1] - v[1][0][1]) / 2;
	f.d[2] = (v[2][1][1] - v[0][1][1]) / 2;
	f.h[0][0] = v[1][1][2] + v[1][1][0] - 2 * f.value;
	f.h[1][1] = v[1][2][1] + v[1][0][1] - 2 * f.value;
	f.h[2][2] = v[2][1][1] + v[0][1][1] - 2 * f.value;
	f.h[0][1] = f.h[1][0] = (v[1][2][2] - v[1][2][0] - v[1][0][2] + v[1][0][0]) / 4;
	f.h[0][2] = f.h[2][0] = (v[2][1][2] - v[2][1][0] - v[0][1][2] + v[0][1][0]) / 4;
	f.h[1][2] = f.h[2][1] = (v[2][2][1] - v[2][0][1] - v[0][2][1] + v[0][0][1]) / 4;
	return f;
}

/* By Cramer's rule. Every value is finite, whatever the samples. */
bool local_fit_solve(const struct local_fit *f, double at[3])
{
	const double(*h)[3] = f->h;
	double c0 = h[1][1] * h[2][2] - h[1][2] * h[2][1], c1 = h[1][2] * h[2][0] - h[1][0] * h[2][2],
	       c2 = h[1][0] * h[2][1] - h[1][1] * h[2][0], det = h[0][0] * c0 + h[0][1] * c1 + h[0][2] * c2;

	if (!(fabs(det) > 1e-30)) return false;
	at[0] = -(c0 * f->d[0] + (h[0][2] * h[2][1] - h[0][1] * h[2][2]) * f->d[1] +
	          (h[0][1] * h[1][2] - h[0][2] * h[1][1]) * f->d[2]) / det;
	at[1] = -(c1 * f->d[0] + (h[0][0] * h[2][2] - h[0][2] * h[2][0]) * f->d[1] +
	          (h[0][2] * h[1][0] - h[0][0] * h[1][2]) * f->d[2]) / det;
	at[2] = -(c2 * f->d[0] + (h[0][1] * h[2][0] - h[0][0] * h[2][1]) * f->d[1] +
	          (h[0][0] * h[1][1] - h[0][1] * h[1][0]) * f->d[2]) / det;
	return fabs(at[0]) < 1e4 && fabs(at[1]) < 1e4 && fabs(at[2]) < 1e4;
}
