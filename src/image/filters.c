/* image/filters.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "image/filters.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { RADIUS = 2, SLACK = 16 }; /* what the widest filter reads around a pixel; what vectors read beyond the end */

/* A copy with RADIUS pixels around it that repeat the edge, so that no filter asks where it is. */
struct padded {
	uint8_t *bytes;
	size_t stride;
};

static akin_status pad(struct padded *p, const uint8_t *rgb, unsigned width, unsigned height, akin_error *err)
{
	p->stride = ((size_t)width + 2 * RADIUS) * 3;
	if (!(p->bytes = mem_zalloc(p->stride * ((size_t)height + 2 * RADIUS) + SLACK))) return error_nomem(err);
	for (size_t y = 0; y < (size_t)height + 2 * RADIUS; y++) {
		size_t inside = y < RADIUS ? 0 : y - RADIUS >= height ? height - 1 : y - RADIUS;
		const uint8_t *from = rgb + inside * width * 3;
		uint8_t *to = p->bytes + y * p->stride;

		for (int i = 0; i < RADIUS; i++) {
			memcpy(to + 3 * i, from, 3);
			memcpy(to + p->stride - 3 * (i + 1), from + 3 * ((size_t)width - 1), 3);
		}
		memcpy(to + 3 * RADIUS, from, 3 * (size_t)width);
	}
	return AKIN_OK;
}

static const uint8_t *padded_at(const struct padded *p, unsigned x, unsigned y)
{
	return p->bytes + ((size_t)y + RADIUS) * p->stride + ((size_t)x + RADIUS) * 3;
}

/* ---- median ---- */

typedef uint8_t lanes __attribute__((vector_size(16)));

static inline void order(lanes *a, lanes *b)
{
	lanes less = (lanes)(*a < *b), low = (*a & less) | (*b & ~less), high = (*b & less) | (*a & ~less);

	*a = low, *b = high;
}

/* The middle of nine by 19 exchanges (Paeth, "Median finding on a 3x3 grid", Graphics Gems 1990, in Devillard's form). */
static inline lanes median9(lanes v[9])
{
	static const uint8_t pairs[19][2] = { { 1, 2 }, { 4, 5 }, { 7, 8 }, { 0, 1 }, { 3, 4 }, { 6, 7 }, { 1, 2 },
					      { 4, 5 }, { 7, 8 }, { 0, 3 }, { 5, 8 }, { 4, 7 }, { 3, 6 }, { 1, 4 },
					      { 2, 5 }, { 4, 7 }, { 4, 2 }, { 6, 4 }, { 4, 2 } };

#pragma GCC unroll 19
	for (int i = 0; i < 19; i++) order(&v[pairs[i][0]], &v[pairs[i][1]]);
	return v[4];
}

static void median(const struct padded *from, uint8_t *to, unsigned width, unsigned height)
{
	size_t row_bytes = 3 * (size_t)width;

	for (unsigned y = 0; y < height; y++, to += row_bytes)
		for (size_t x = 0; x < row_bytes; x += sizeof(lanes)) {
			const uint8_t *first = padded_at(from, 0, y) - from->stride - 3 + x;
			size_t rest = row_bytes - x;
			lanes v[9], middle;

#pragma GCC unroll 9
			for (size_t i = 0; i < 9; i++)
				memcpy(&v[i], first + i / 3 * from->stride + i % 3 * 3, sizeof v[i]);
			middle = median9(v);
			memcpy(to + x, &middle, rest < sizeof middle ? rest : sizeof middle);
		}
}

/* ---- bilateral ---- */

/* Tomasi and Manduchi, "Bilateral filtering for gray and color images" (ICCV 1998): a mean over the neighbourhood in which
 * a pixel counts less the farther it is in place and in colour. Edges stay, noise of some COLOUR_SIGMA levels goes. */
static const double PLACE_SIGMA = 1.5, COLOUR_SIGMA = 20;

static void bilateral_at(const uint8_t *p, size_t stride, const float *by_place, const float *by_colour, uint8_t *to)
{
	float sum[3] = { 0 }, weight = 0;

	for (int j = -RADIUS; j <= RADIUS; j++)
		for (int i = -RADIUS; i <= RADIUS; i++) {
			const uint8_t *q = p + j * (ptrdiff_t)stride + 3 * i;
			int far = abs(p[0] - q[0]) + abs(p[1] - q[1]) + abs(p[2] - q[2]);
			float w = by_place[i * i + j * j] * by_colour[far];

			for (int c = 0; c < 3; c++) sum[c] += w * (float)q[c];
			weight += w;
		}
	for (int c = 0; c < 3; c++) to[c] = (uint8_t)(sum[c] / weight + 0.5f);
}

static void bilateral(const struct padded *from, uint8_t *to, unsigned width, unsigned height)
{
	float by_place[2 * RADIUS * RADIUS + 1], by_colour[3 * 255 + 1]; /* colours differ by the mean of their channels */

	for (int d = 0; d < (int)COUNT(by_place); d++) by_place[d] = (float)exp(-d / (2 * PLACE_SIGMA * PLACE_SIGMA));
	for (int d = 0; d < (int)COUNT(by_colour); d++)
		by_colour[d] = (float)exp(-(double)(d * d) / (2 * 9 * COLOUR_SIGMA * COLOUR_SIGMA));
	for (unsigned y = 0; y < height; y++)
		for (unsigned x = 0; x < width; x++, to += 3)
			bilateral_at(padded_at(from, x, y), from->stride, by_place, by_colour, to);
}

akin_status filter_denoise(uint8_t *rgb, unsigned width, unsigned height, enum denoise_filter kind, akin_error *err)
{
	struct padded copy;
	akin_status st;

	if (kind == DENOISE_NONE) return AKIN_OK;
	if ((st = pad(&copy, rgb, width, height, err)) != AKIN_OK) return st;
	if (kind == DENOISE_MEDIAN) median(&copy, rgb, width, height);
	else bilateral(&copy, rgb, width, height);
	mem_free(copy.bytes);
	return AKIN_OK;
}

void filter_autocontrast(uint8_t *rgb, unsigned width, unsigned height)
{
	size_t n = (size_t)width * height;

	for (int c = 0; c < 3; c++) {
		uint8_t low = 255, high = 0, map[256];

		for (size_t i = 0; i < n; i++) {
			uint8_t v = rgb[3 * i + (size_t)c];

			if (v < low) low = v;
			if (v > high) high = v;
		}
		if (high <= low) continue;
		for (int v = 0; v < 256; v++) {
			double to = v * (255.0 / (high - low)) - low * (255.0 / (high - low));

			map[v] = to < 0 ? 0 : to > 255 ? 255 : (uint8_t)to;
		}
		for (size_t i = 0; i < n; i++) rgb[3 * i + (size_t)c] = map[rgb[3 * i + (size_t)c]];
	}
}
