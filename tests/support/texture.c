/* support/texture.c
 * SPDX-License-Identifier: Apache-2.0 */
#include "texture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

static void put_shape(uint8_t *p, unsigned width, unsigned height, struct rng *rng)
{
	double size = 3 + 30 * pow(rng_unit(rng), 3), cx = rng_unit(rng) * width, cy = rng_unit(rng) * height;
	double turn = 3.14159 * rng_unit(rng), c = cos(turn), s = sin(turn), flat = 0.2 + 0.8 * rng_unit(rng);
	uint8_t level = (uint8_t)rng_below(rng, 256);
	int bar = (int)rng_below(rng, 2), reach = (int)(1.5 * size) + 1;

	for (int y = (int)cy - reach; y <= (int)cy + reach; y++)
		for (int x = (int)cx - reach; x <= (int)cx + reach; x++) {
			double u = (c * (x - cx) + s * (y - cy)) / size,
			        v = (c * (y - cy) - s * (x - cx)) / (size * flat);

			if (x < 0 || y < 0 || x >= (int)width || y >= (int)height) continue;
			if (bar ? fabs(u) < 1 && fabs(v) < 1 : u * u + v * v < 1)
				p[(size_t)y * width + (size_t)x] = level;
		}
}

uint8_t *texture_make(uint64_t seed, unsigned width, unsigned height)
{
	struct rng rng = { seed };
	size_t n = (size_t)width * height;
	uint8_t *p = malloc(n), *blurred = malloc(n);

	if (!p || !blurred) abort();
	memset(p, 128, n);
	for (size_t i = 0; i < n / 90 + 1; i++) put_shape(p, width, height, &rng);
	for (unsigned y = 0; y < height; y++)
		for (unsigned x = 0; x < width; x++) {
			unsigned sum = 0, count = 0;

			for (unsigned v = y ? y - 1 : 0; v <= y + 1 && v < height; v++)
				for (unsigned u = x ? x - 1 : 0; u <= x + 1 && u < width; u++, count++)
					sum += p[(size_t)v * width + u];
			blurred[(size_t)y * width + x] = (uint8_t)(sum / count);
		}
	free(p);
	return blurred;
}

static double sample(const uint8_t *from, unsigned width, unsigned height, double x, double y)
{
	int left = (int)floor(x), top = (int)floor(y);
	double u = x - left, v = y - top;
	const uint8_t *p = from + (ptrdiff_t)top * (ptrdiff_t)width + left;

	if (!(left >= 0 && top >= 0 && left + 1 < (int)width && top + 1 < (int)height)) return 128;
	return (p[0] * (1 - u) + p[1] * u) * (1 - v) + (p[width] * (1 - u) + p[width + 1] * u) * v;
}

uint8_t *texture_warp(const uint8_t *from, unsigned width, unsigned height, const double m[9], unsigned new_width,
                      unsigned new_height)
{
	uint8_t *to = malloc((size_t)new_width * new_height);

	if (!to) abort();
	for (unsigned y = 0; y < new_height; y++)
		for (unsigned x = 0; x < new_width; x++) {
			double sum = 0;

			for (int k = 0; k < 4; k++) { /* four samples, so that a smaller picture is not jagged */
				double px = x + (k % 2 - 0.5) / 2, py = y + (k / 2 - 0.5) / 2,
				        w = m[6] * px + m[7] * py + m[8];
				double u = (m[0] * px + m[1] * py + m[2]) / w, v = (m[3] * px + m[4] * py + m[5]) / w;

				sum += fabs(u) < 1e6 && fabs(v) < 1e6 ? sample(from, width, height, u, v) : 128;
			}
			to[(size_t)y * new_width + x] = (uint8_t)lround(sum / 4);
		}
	return to;
}
