/* simd/avx512_dense.c - kernels of networks with AVX-512.
 * SPDX-License-Identifier: Apache-2.0 */
#include "simd/dense.h"

#include <immintrin.h>

#include "simd/dense_body.h"

/* 12 rows by 2 registers of outputs, 2 of weights: 26 of 32 registers, and 24 sums hide the latency of the
 * multiply-add. */
enum { TILE = 12 };

static inline __m512 widen(const int8_t *weights)
{
	return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const void *)weights)));
}

KERNEL void product_tile(const struct dense_layer *layer, size_t p, const float *rows, size_t stride, float *out,
			 size_t out_stride, const size_t n)
{
	const int8_t *panel = layer->weights + p * layer->inputs;
	const __m512 scale = _mm512_set1_ps(layer->scale);
	__m512 sum[TILE][2], bias[2] = { _mm512_setzero_ps(), _mm512_setzero_ps() };

	for (size_t r = 0; r < n; r++) sum[r][0] = sum[r][1] = _mm512_setzero_ps();
	for (size_t i = 0; i < layer->inputs; i++, panel += DENSE_PANEL) {
		const __m512 w0 = widen(panel), w1 = widen(panel + 16);

#pragma GCC unroll 12
		for (size_t r = 0; r < n; r++) {
			const __m512 x = _mm512_set1_ps(rows[r * stride + i]);
			sum[r][0] = _mm512_fmadd_ps(x, w0, sum[r][0]);
			sum[r][1] = _mm512_fmadd_ps(x, w1, sum[r][1]);
		}
	}
	for (size_t j = 0; layer->bias && j < 2; j++) bias[j] = _mm512_loadu_ps(layer->bias + p + 16 * j);
	for (size_t r = 0; r < n; r++)
		for (size_t j = 0; j < 2; j++)
			_mm512_storeu_ps(out + r * out_stride + p + 16 * j, _mm512_fmadd_ps(scale, sum[r][j], bias[j]));
}

static void product(const struct dense_layer *layer, const float *rows, size_t stride, size_t n, float *out,
		    size_t out_stride)
{
	for (size_t p = 0; p < layer->outputs; p += DENSE_PANEL) {
		size_t r = 0;

		for (; r + TILE <= n; r += TILE)
			product_tile(layer, p, rows + r * stride, stride, out + r * out_stride, out_stride, TILE);
		for (; r + 4 <= n; r += 4)
			product_tile(layer, p, rows + r * stride, stride, out + r * out_stride, out_stride, 4);
		for (; r < n; r++)
			product_tile(layer, p, rows + r * stride, stride, out + r * out_stride, out_stride, 1);
	}
}

const struct dense_kernels dense_kernels_avx512 = DENSE_KERNEL_TABLE;
