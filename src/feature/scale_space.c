/* feature/scale_space.c - float pictures blurred by a Gaussian, along y and x in one pass over the rows.
 * SPDX-License-Identifier: Apache-2.0 */
#include "feature/local_detect.h"

#include <math.h>
#include <string.h>

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

void blur_picture(const struct pixel_kernels *kernels, const struct blur *blur, const float *from, float *to, unsigned width,
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
