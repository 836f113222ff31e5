/* simd/neon_dense.c - kernels of networks with NEON.
 * SPDX-License-Identifier: Apache-2.0 */
#include "simd/dense.h"

#include <arm_neon.h>

#include "simd/dense_body.h"

/* 4 rows by 4 registers of outputs, 4 of weights, 1 of the row: 21 of 32 registers; so a panel takes two passes. */
enum { TILE = 4, HALF = DENSE_PANEL / 2, WIDE = 4 };

static inline void widen(const int8_t *weights, float32x4_t to[WIDE])
{
	const int8x16_t bytes = vld1q_s8(weights);
	const int16x8_t low = vmovl_s8(vget_low_s8(bytes)), high = vmovl_s8(vget_high_s8(bytes));

	to[0] = vcvtq_f32_s32(vmovl_s16(vget_low_s16(low)));
	to[1] = vcvtq_f32_s32(vmovl_s16(vget_high_s16(low)));
	to[2] = vcvtq_f32_s32(vmovl_s16(vget_low_s16(high)));
	to[3] = vcvtq_f32_s32(vmovl_s16(vget_high_s16(high)));
}

/* Outputs p .. p + HALF - 1. */
KERNEL void product_tile(const struct dense_layer *layer, size_t p, const float *rows, size_t stride, float *out,
			 size_t out_stride, const size_t n)
{
	const int8_t *panel = layer->weights + p / DENSE_PANEL * DENSE_PANEL * layer->inputs + p % DENSE_PANEL;
	float32x4_t sum[TILE][WIDE], w[WIDE];

	for (size_t r = 0; r < n; r++)
		for (size_t j = 0; j < WIDE; j++) sum[r][j] = vdupq_n_f32(0);
	for (size_t i = 0; i < layer->inputs; i++, panel += DENSE_PANEL) {
		widen(panel, w);
#pragma GCC unroll 4
		for (size_t r = 0; r < n; r++) {
			const float32x4_t x = vld1q_dup_f32(rows + r * stride + i);
#pragma GCC unroll 4
			for (size_t j = 0; j < WIDE; j++) sum[r][j] = vfmaq_f32(sum[r][j], x, w[j]);
		}
	}
	for (size_t r = 0; r < n; r++)
		for (size_t j = 0; j < WIDE; j++) {
			const float32x4_t bias = layer->bias ? vld1q_f32(layer->bias + p + 4 * j) : vdupq_n_f32(0);
			vst1q_f32(out + r * out_stride + p + 4 * j, vfmaq_n_f32(bias, sum[r][j], layer->scale));
		}
}

static void product(const struct dense_layer *layer, const float *rows, size_t stride, size_t n, float *out,
		    size_t out_stride)
{
	for (size_t p = 0; p < layer->outputs; p += HALF) {
		size_t r = 0;

		for (; r + TILE <= n; r += TILE)
			product_tile(layer, p, rows + r * stride, stride, out + r * out_stride, out_stride, TILE);
		for (; r < n; r++)
			product_tile(layer, p, rows + r * stride, stride, out + r * out_stride, out_stride, 1);
	}
}

const struct dense_kernels dense_kernels_neon = DENSE_KERNEL_TABLE;
