/* simd/scalar.c - the meaning of every kernel, in plain C.
 * SPDX-License-Identifier: Apache-2.0 */
#include "simd/table.h"

#include <string.h>

static float bits_to_float(uint32_t bits)
{
	float value;

	memcpy(&value, &bits, sizeof value);
	return value;
}

static float half_to_float(uint16_t half)
{
	uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = (half >> 10) & 0x1f, mantissa = half & 0x3ff;

	if (exponent == 0x1f) /* infinity, or NaN made quiet as processors do */
		return bits_to_float(sign | 0x7f800000 | mantissa << 13 | (mantissa ? 0x400000 : 0));
	if (exponent == 0) /* zero or subnormal: exact as a multiple of 2^-24 */
		return (sign ? -1.0f : 1.0f) * (float)mantissa * 0x1p-24f;
	return bits_to_float(sign | (exponent + 112) << 23 | mantissa << 13);
}

static uint16_t float_to_half(float value)
{
	uint32_t bits, sign, magnitude;

	memcpy(&bits, &value, sizeof bits);
	sign = bits >> 16 & 0x8000;
	magnitude = bits & 0x7fffffff;
	if (magnitude > 0x7f800000) return (uint16_t)(sign | 0x7e00 | (magnitude >> 13 & 0x3ff));
	if (magnitude >= 0x477ff000) return (uint16_t)(sign | 0x7c00); /* 65520 and more rounds to infinity */
	if (magnitude < 0x38800000) {
		/* Below 2^-14 a half is a multiple of 2^-24; adding 0.5 makes the float unit round to just that. */
		float shifted = bits_to_float(magnitude) + 0.5f;

		memcpy(&bits, &shifted, sizeof bits);
		return (uint16_t)(sign | (bits - 0x3f000000));
	}
	magnitude += 0xfff + (magnitude >> 13 & 1);
	return (uint16_t)(sign | (magnitude - 0x38000000) >> 13);
}

static void f16_to_f32(const uint16_t *from, float *to, size_t n)
{
	for (size_t i = 0; i < n; i++) to[i] = half_to_float(from[i]);
}

static void f32_to_f16(const float *from, uint16_t *to, size_t n)
{
	for (size_t i = 0; i < n; i++) to[i] = float_to_half(from[i]);
}

KERNEL float l2_f32(const float *a, const float *b, size_t dim)
{
	float sum = 0;

	for (size_t i = 0; i < dim; i++) sum += (a[i] - b[i]) * (a[i] - b[i]);
	return sum;
}

KERNEL float ip_f32(const float *a, const float *b, size_t dim)
{
	float sum = 0;

	for (size_t i = 0; i < dim; i++) sum += a[i] * b[i];
	return sum;
}

KERNEL float l2_f16(const float *a, const uint16_t *b, size_t dim)
{
	float sum = 0;

	for (size_t i = 0; i < dim; i++) {
		float difference = a[i] - half_to_float(b[i]);
		sum += difference * difference;
	}
	return sum;
}

KERNEL float ip_f16(const float *a, const uint16_t *b, size_t dim)
{
	float sum = 0;

	for (size_t i = 0; i < dim; i++) sum += a[i] * half_to_float(b[i]);
	return sum;
}

KERNEL uint32_t l2_i8(const int8_t *a, const int8_t *b, size_t dim)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < dim; i++) sum += (uint32_t)((a[i] - b[i]) * (a[i] - b[i]));
	return sum;
}

KERNEL int32_t ip_i8(const int8_t *a, const int8_t *b, size_t dim)
{
	int32_t sum = 0;

	for (size_t i = 0; i < dim; i++) sum += a[i] * b[i];
	return sum;
}

KERNEL uint32_t l2_u8(const uint8_t *a, const uint8_t *b, size_t dim)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < dim; i++) sum += (uint32_t)((a[i] - b[i]) * (a[i] - b[i]));
	return sum;
}

KERNEL uint32_t ip_u8(const uint8_t *a, const uint8_t *b, size_t dim)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < dim; i++) sum += (uint32_t)(a[i] * b[i]);
	return sum;
}

KERNEL uint32_t hamming(const uint8_t *a, const uint8_t *b, size_t bytes)
{
	uint32_t sum = 0;
	size_t i = 0;

	for (; i + 8 <= bytes; i += 8) {
		uint64_t x, y;

		memcpy(&x, a + i, 8);
		memcpy(&y, b + i, 8);
		sum += (uint32_t)__builtin_popcountll(x ^ y);
	}
	for (; i < bytes; i++) sum += (uint32_t)__builtin_popcount((unsigned)(a[i] ^ b[i]));
	return sum;
}

SCAN(l2_f32, float)
SCAN(ip_f32, float)
SCAN(l2_f16, uint16_t)
SCAN(ip_f16, uint16_t)
SCAN(l2_i8, int8_t)
SCAN(ip_i8, int8_t)
SCAN(l2_u8, uint8_t)
SCAN(ip_u8, uint8_t)
SCAN(hamming, uint8_t)

static size_t select_below(const float *values, size_t n, float bound, uint32_t *at)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++) {
		at[found] = (uint32_t)i;
		found += values[i] <= bound;
	}
	return found;
}

enum { PANEL = 8 };

static void panel_f32(const struct panel_job *job)
{
	for (size_t r = 0; r < job->n; r++) {
		const float *row = job->rows + r * job->dim;
		float sum[PANEL] = { 0 };

		for (size_t d = 0; d < job->dim; d++)
			for (size_t j = 0; j < PANEL; j++) sum[j] += job->queries[d * PANEL + j] * row[d];
		job->near[r] = 0;
		for (size_t j = 0; j < PANEL; j++)
			job->near[r] |= (uint64_t) !(job->base[r] + job->factor * sum[j] > job->bound[j]) << j;
	}
}

static void mix_rows(const uint8_t *const *rows, const int32_t *weights, size_t n_rows, uint8_t *to, size_t n)
{
	mix_rows_from(rows, weights, n_rows, to, 0, n);
}

static void mix_pixels(const uint8_t *row, const uint32_t *first, const int32_t *weights, size_t taps, uint8_t *to, size_t n)
{
	mix_pixels_from(row, first, weights, taps, to, 0, n);
}

const struct kernels kernels_scalar = KERNEL_TABLE("scalar", PANEL);
