/* simd/avx2_dense.c - kernels of networks with AVX2 and FMA.
 * SPDX-License-Identifier: Apache-2.0 */
#include "simd/dense.h"

#include <immintrin.h>

#include "simd/dense_body.h"

/* 6 rows by 2 registers of outputs, 2 of weights, 1 of the row: 15 of 16 registers; so a panel takes two passes. */
enum { TILE = 6, HALF = DENSE_PANEL / 2 };

static inline __m256 widen(const int8_t *weights)
{
	return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const void *)weights)));
}

/* Outputs p .. p + HALF - 1. */
KERNEL void product_tile(const struct dense_layer *layer, size_t p, const float *rows, size_t stride, float *out,
			 size_t out_stride, const size_t n)
{
	const int8_t *panel = layer->weights + p / DENSE_PANEL * DENSE_PANEL * layer->inputs + p % DENSE_PANEL;
	const __m256 scale = _mm256_set1_ps(layer->scale);
	__m256 sum[TILE][2], bias[2] = { _mm256_setzero_ps(), _mm256_setzero_ps() };

	for (size_t r = 0; r < n; r++) sum[r][0] = sum[r][1] = _mm256_setzero_ps();
	for (size_t i = 0; i < layer->inputs; i++, panel += DENSE_PANEL) {
		const __m256 w0 = widen(panel), w1 = widen(panel + 8);

#pragma GCC unroll 6
		for (size_t r = 0; r < n; r++) {
			const __m256 x = _mm256_broadcast_ss(rows + r * stride + i);
			sum[r][0] = _mm256_fmadd_ps(x, w0, sum[r][0]);
			sum[r][1] = _mm256_fmadd_ps(x, w1, sum[r][1]);
		}
	}
	for (size_t j = 0; layer->bias && j < 2; j++) bias[j] = _mm256_loadu_ps(layer->bias + p + 8 * j);
	for (size_t r = 0; r < n; r++)
		for (size_t j = 0; j < 2; j++)
			_mm256_storeu_ps(out + r * out_stride + p + 8 * j, _mm256_fmadd_ps(scale, sum[r][j], bias[j]));
}

static void product(const struct dense_layer *layer, const float *rows, size_t stride, size_t n, float *out,
		    size_t out_stride)
{
	for (size_t p = 0; p < layer->outputs; p += HALF) {
		size_t r = 0;

		for (; r + TILE <= n; r += TILE)
			product_tile(layer, p, rows + r * stride, stride, out + r * out_stride, out_stride, TILE);
		for (; r + 3 <= n; r += 3)
			product_tile(layer, p, rows + r * stride, stride, out + r * out_stride, out_stride, 3);
		for (; r < n; r++)
			product_tile(layer, p, rows + r * stride, stride, out + r * out_stride, out_stride, 1);
	}
}

const struct dense_kernels dense_kernels_avx2 = DENSE_KERNEL_TABLE;
