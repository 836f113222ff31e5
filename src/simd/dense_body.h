/* simd/dense_body.h - kernels of networks that compilers vectorise well by themselves: included, and so compiled, by
 * the file of each instruction set. SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_SIMD_DENSE_BODY_H
#define AKIN_SIMD_DENSE_BODY_H

#include <math.h>
#include <string.h>

#include "simd/dense.h"
#include "simd/table.h"

enum { DENSE_LANES = 16 };

typedef float dense_lanes __attribute__((vector_size(4 * DENSE_LANES)));
typedef int32_t dense_mask __attribute__((vector_size(4 * DENSE_LANES)));

/* By pointer: a vector returned by value has another ABI in each instruction set. */
static inline void lanes_get(dense_lanes *v, const float *from)
{
	memcpy(v, from, sizeof *v);
}

static inline void lanes_put(float *to, const dense_lanes *v)
{
	memcpy(to, v, sizeof *v);
}

static inline float lanes_sum(const dense_lanes *v)
{
	float sum[DENSE_LANES];

	lanes_put(sum, v);
	for (size_t half = DENSE_LANES / 2; half; half /= 2)
		for (size_t i = 0; i < half; i++) sum[i] += sum[i + half];
	return sum[0];
}

static void relu_add(float *values, const float *added, size_t n)
{
	dense_lanes v, a;

	for (size_t i = 0; i < n; i += DENSE_LANES) {
		lanes_get(&v, values + i);
		lanes_get(&a, added + i);
		v = (dense_lanes)((dense_mask)v & (v > 0)) + a;
		lanes_put(values + i, &v);
	}
}

static void add(float *sum, const float *added, size_t n)
{
	dense_lanes v, a;

	for (size_t i = 0; i < n; i += DENSE_LANES) {
		lanes_get(&v, sum + i);
		lanes_get(&a, added + i);
		v += a;
		lanes_put(sum + i, &v);
	}
}

static void normalise(const float *row, const float *gain, const float *bias, float eps, size_t n, float *out)
{
	dense_lanes s0 = { 0 }, s1 = { 0 }, v, g, b;
	float mean, factor;

	for (size_t i = 0; i < n; i += 2 * DENSE_LANES) {
		lanes_get(&v, row + i);
		s0 += v;
		lanes_get(&v, row + i + DENSE_LANES);
		s1 += v;
	}
	s0 += s1;
	mean = lanes_sum(&s0) / (float)n;
	s0 = s1 = (dense_lanes){ 0 };
	for (size_t i = 0; i < n; i += 2 * DENSE_LANES) {
		lanes_get(&v, row + i);
		v -= mean;
		s0 += v * v;
		lanes_get(&v, row + i + DENSE_LANES);
		v -= mean;
		s1 += v * v;
	}
	s0 += s1;
	factor = 1 / sqrtf(lanes_sum(&s0) / (float)n + eps);
	for (size_t i = 0; i < n; i += DENSE_LANES) {
		lanes_get(&v, row + i);
		lanes_get(&g, gain + i);
		lanes_get(&b, bias + i);
		v = (v - mean) * factor * g + b;
		lanes_put(out + i, &v);
	}
}

#define DENSE_KERNEL_TABLE                                                                                             \
	{                                                                                                              \
		.product = product, .relu_add = relu_add, .add = add, .normalise = normalise                           \
	}

#endif
