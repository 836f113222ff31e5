/* simd/pixels_body.h - kernels over rows of pixels as plain loops and vectors of 16: included, and so compiled, by
 * the file of each instruction set. SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_SIMD_PIXELS_BODY_H
#define AKIN_SIMD_PIXELS_BODY_H

#include <math.h>
#include <string.h>

#include "simd/pixels.h"
#include "simd/table.h"

/* Compilers make of it what registers there are. Two at a time hide the latency of the additions. */
enum { PIXEL_LANES = 16 };
typedef float pixel_lanes __attribute__((vector_size(4 * PIXEL_LANES)));

static inline void pixels_load(pixel_lanes *v, const float *from)
{
	memcpy(v, from, sizeof *v);
}

static inline void pixels_store(float *to, const pixel_lanes *v)
{
	memcpy(to, v, sizeof *v);
}

/* ---- blurring ---- */

static void blur_rows(const float *const *rows, const float *weights, size_t n_pairs, float centre, float *to, size_t n)
{
	size_t i = 0;

	for (; i + 2 * PIXEL_LANES <= n; i += 2 * PIXEL_LANES) {
		pixel_lanes s0, s1, a, b;

		pixels_load(&s0, rows[0] + i);
		pixels_load(&s1, rows[0] + i + PIXEL_LANES);
		s0 *= centre;
		s1 *= centre;
		for (size_t k = 0; k < n_pairs; k++) {
			const float *up = rows[2 * k + 1] + i, *down = rows[2 * k + 2] + i;

			pixels_load(&a, up);
			pixels_load(&b, down);
			s0 += weights[k] * (a + b);
			pixels_load(&a, up + PIXEL_LANES);
			pixels_load(&b, down + PIXEL_LANES);
			s1 += weights[k] * (a + b);
		}
		pixels_store(to + i, &s0);
		pixels_store(to + i + PIXEL_LANES, &s1);
	}
	for (; i < n; i++) {
		float sum = centre * rows[0][i];

		for (size_t k = 0; k < n_pairs; k++) sum += weights[k] * (rows[2 * k + 1][i] + rows[2 * k + 2][i]);
		to[i] = sum;
	}
}

static void blur_row(const float *row, const float *weights, size_t n_pairs, float centre, float *to, size_t n)
{
	size_t i = 0;

	for (; i + 2 * PIXEL_LANES <= n; i += 2 * PIXEL_LANES) {
		pixel_lanes s0, s1, a, b;

		pixels_load(&s0, row + i);
		pixels_load(&s1, row + i + PIXEL_LANES);
		s0 *= centre;
		s1 *= centre;
		for (size_t k = 0; k < n_pairs; k++) {
			const float *left = row + i - k - 1, *right = row + i + k + 1;

			pixels_load(&a, left);
			pixels_load(&b, right);
			s0 += weights[k] * (a + b);
			pixels_load(&a, left + PIXEL_LANES);
			pixels_load(&b, right + PIXEL_LANES);
			s1 += weights[k] * (a + b);
		}
		pixels_store(to + i, &s0);
		pixels_store(to + i + PIXEL_LANES, &s1);
	}
	for (; i < n; i++) {
		float sum = centre * row[i];

		for (size_t k = 0; k < n_pairs; k++) sum += weights[k] * (row[i - k - 1] + row[i + k + 1]);
		to[i] = sum;
	}
}

static void subtract(const float *a, const float *b, float *to, size_t n)
{
	for (size_t i = 0; i < n; i++) to[i] = a[i] - b[i];
}

/* ---- extrema ---- */

static inline float larger_of(float a, float b)
{
	return a > b ? a : b;
}

static inline float smaller_of(float a, float b)
{
	return a < b ? a : b;
}

/* Columns first: what nine rows have in common is looked at once and not three times. */
static void extrema(const float *const *rows, float threshold, uint8_t *near, float *room, size_t n)
{
	const float *r0 = rows[0] - 1, *r1 = rows[1] - 1, *r2 = rows[2] - 1, *r3 = rows[3] - 1, *r4 = rows[4] - 1,
		    *r5 = rows[5] - 1, *r6 = rows[6] - 1, *r7 = rows[7] - 1, *r8 = rows[8] - 1, *here = rows[4];
	float *restrict high = room, *restrict low = room + n + 2;

	for (size_t i = 0; i < n + 2; i++) {
		float a = larger_of(larger_of(r0[i], r1[i]), larger_of(r2[i], r3[i]));
		float b = larger_of(larger_of(r4[i], r5[i]), larger_of(r6[i], r7[i]));
		float c = smaller_of(smaller_of(r0[i], r1[i]), smaller_of(r2[i], r3[i]));
		float d = smaller_of(smaller_of(r4[i], r5[i]), smaller_of(r6[i], r7[i]));

		high[i] = larger_of(larger_of(a, b), r8[i]);
		low[i] = smaller_of(smaller_of(c, d), r8[i]);
	}
	for (size_t i = 0; i < n; i++) {
		float most = larger_of(larger_of(high[i], high[i + 1]), high[i + 2]);
		float least = smaller_of(smaller_of(low[i], low[i + 1]), low[i + 2]);

		near[i] = (uint8_t)(((here[i] > threshold) & (here[i] >= most)) | ((here[i] < -threshold) & (here[i] <= least)));
	}
}

/* ---- gradients ---- */

/* The arc tangent of 0..1 in turns: an odd polynomial fitted for the least largest error, 1.7e-6 of a radian. */
static inline float turn_of(float ratio)
{
	float s = ratio * ratio;

	return ratio * (0.159151318f + s * (-0.0529385765f + s * (0.0308029676f +
	                s * (-0.0185300058f + s * (0.00837925971f - s * 0.00186522772f)))));
}

static void gradient(const float *above, const float *row, const float *below, float *length, float *turn, size_t n)
{
	const float *left = row - 1, *right = row + 1;

	for (size_t i = 0; i < n; i++) {
		float dx = right[i] - left[i], dy = below[i] - above[i];
		float ax = fabsf(dx), ay = fabsf(dy);
		float t = turn_of(smaller_of(ax, ay) / (larger_of(ax, ay) + 1e-30f));

		length[i] = sqrtf(dx * dx + dy * dy);
		t = ay > ax ? 0.25f - t : t;
		t = dx < 0 ? 0.5f - t : t;
		t = dy < 0 ? 1 - t : t;
		turn[i] = t >= 1 ? 0 : t;
	}
}

/* ---- corners ---- */

/* Sixteen pixels on a circle of radius 3, in their order. */
#define FAST_CIRCLE(EACH)                                                                                              \
	EACH(0, 0, -3) EACH(1, 1, -3) EACH(2, 2, -2) EACH(3, 3, -1) EACH(4, 3, 0) EACH(5, 3, 1) EACH(6, 2, 2)          \
	EACH(7, 1, 3) EACH(8, 0, 3) EACH(9, -1, 3) EACH(10, -2, 2) EACH(11, -3, 1) EACH(12, -3, 0) EACH(13, -3, -1)    \
	EACH(14, -2, -2) EACH(15, -1, -3)
#define FAST_POINT(k, dx, dy) const uint8_t *p##k = row + dx + dy * stride;
#define FAST_LOOK(k, dx, dy)                                                                                           \
	{                                                                                                              \
		int16_t up = (int16_t)(p##k[i] - over), down = (int16_t)(under - p##k[i]);                             \
		bright = (uint16_t)(bright | (up > 0 ? 1 << k : 0));                                                   \
		dark = (uint16_t)(dark | (down > 0 ? 1 << k : 0));                                                     \
		more = (int16_t)(more + (up > 0 ? up : 0));                                                            \
		less = (int16_t)(less + (down > 0 ? down : 0));                                                        \
	}

/* Nine bits in a row, around the corner too: each step doubles what one bit stands for. */
static inline uint16_t nine_in_a_row(uint16_t bits)
{
	uint16_t two = (uint16_t)(bits & (bits >> 1 | bits << 15));
	uint16_t four = (uint16_t)(two & (two >> 2 | two << 14));
	uint16_t eight = (uint16_t)(four & (four >> 4 | four << 12));

	return (uint16_t)(eight & (bits >> 8 | bits << 8));
}

static void fast(const uint8_t *row, ptrdiff_t stride, unsigned threshold, uint16_t *to, size_t n)
{
	const int16_t beyond = (int16_t)threshold;

	FAST_CIRCLE(FAST_POINT)
	for (size_t i = 0; i < n; i++) {
		int16_t over = (int16_t)(row[i] + beyond), under = (int16_t)(row[i] - beyond), more = 0, less = 0;
		uint16_t bright = 0, dark = 0;

		FAST_CIRCLE(FAST_LOOK)
		to[i] = (uint16_t)((nine_in_a_row(bright) ? more : 0) + (nine_in_a_row(dark) ? less : 0));
	}
}

static void structure(const uint8_t *p, ptrdiff_t stride, int32_t sums[3])
{
	int32_t xx = 0, yy = 0, xy = 0;

	for (ptrdiff_t y = -3; y <= 3; y++) {
		const uint8_t *a = p + (y - 1) * stride - 4, *b = p + y * stride - 4, *c = p + (y + 1) * stride - 4;

		for (size_t x = 0; x < 7; x++) {
			int32_t dx = a[x + 2] - a[x] + 2 * (b[x + 2] - b[x]) + c[x + 2] - c[x];
			int32_t dy = c[x] - a[x] + 2 * (c[x + 1] - a[x + 1]) + c[x + 2] - a[x + 2];

			xx += dx * dx;
			yy += dy * dy;
			xy += dx * dy;
		}
	}
	sums[0] = xx;
	sums[1] = yy;
	sums[2] = xy;
}

/* ---- box filters ---- */

/* Sum over columns from x1 to before x2 and the rows between two rows of the integral image; modulo 2^32, which is
 * right as long as the sum itself fits. */
#define BOX(above, below, x1, x2) ((int32_t)((below)[x2] - (below)[x1] - (above)[x2] + (above)[x1]))

static inline float hessian_at(const struct hessian_rows *r, ptrdiff_t x)
{
	const ptrdiff_t lobe = r->lobe, half = lobe / 2;
	float dxx = (float)(BOX(r->xx[0], r->xx[1], x - lobe - half, x + lobe + half + 1) -
	                    3 * BOX(r->xx[0], r->xx[1], x - half, x + half + 1));
	float dyy = (float)(BOX(r->yy[0], r->yy[3], x - lobe + 1, x + lobe) - 3 * BOX(r->yy[1], r->yy[2], x - lobe + 1,
	        x + lobe));
	float dxy = (float)(BOX(r->xy[0], r->xy[1], x - lobe, x) + BOX(r->xy[2], r->xy[3], x + 1, x + lobe + 1) -
	                    BOX(r->xy[0], r->xy[1], x + 1, x + lobe + 1) - BOX(r->xy[2], r->xy[3], x - lobe, x));

	dxx *= r->factor;
	dyy *= r->factor;
	dxy *= 0.9f * r->factor;
	return dxx * dyy - dxy * dxy;
}

static void hessian(const struct hessian_rows *rows, float *to, size_t n)
{
	const struct hessian_rows r = *rows;

	if (r.step == 1)
		for (size_t i = 0; i < n; i++) to[i] = hessian_at(&r, (ptrdiff_t)i);
	else
		for (size_t i = 0; i < n; i++) to[i] = hessian_at(&r, (ptrdiff_t)(i * r.step));
}

#define PIXEL_KERNEL_TABLE                                                                                             \
	{                                                                                                              \
		.blur_rows = blur_rows, .blur_row = blur_row, .subtract = subtract, .extrema = extrema,                \
		.gradient = gradient, .fast = fast, .hessian = hessian, .structure = structure,                        \
	}

#endif
