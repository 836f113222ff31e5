/* simd/neon_lists.c - kernels of lists for 64-bit Arm.
 * SPDX-License-Identifier: Apache-2.0 */
#include "simd/lists_body.h"

#include <arm_neon.h>

/* ---- codes: the table look-up has 16 lanes, and bytes are added into 16 bits by one instruction ---- */

KERNEL void sum_some(const uint8_t *codes, size_t groups, const uint8_t *const *tables, const size_t n, uint16_t *sums)
{
	const uint8x16_t low_half = vdupq_n_u8(15);
	uint16x8_t sum[4][4];

	for (size_t q = 0; q < n; q++)
		for (size_t i = 0; i < 4; i++) sum[q][i] = vdupq_n_u16(0);
	for (size_t m = 0; m < LIST_GROUP * groups; m++) {
		uint8x16_t both = vld1q_u8(codes + 16 * m);
		uint8x16_t first = vandq_u8(both, low_half), second = vshrq_n_u8(both, 4);

#pragma GCC unroll 4
		for (size_t q = 0; q < n; q++) {
			uint8x16_t table = vld1q_u8(tables[q] + 16 * m);
			uint8x16_t low = vqtbl1q_u8(table, first), high = vqtbl1q_u8(table, second);
			sum[q][0] = vaddw_u8(sum[q][0], vget_low_u8(low));
			sum[q][1] = vaddw_high_u8(sum[q][1], low);
			sum[q][2] = vaddw_u8(sum[q][2], vget_low_u8(high));
			sum[q][3] = vaddw_high_u8(sum[q][3], high);
		}
	}
	for (size_t q = 0; q < n; q++)
		for (size_t i = 0; i < 4; i++) vst1q_u16(sums + LIST_BLOCK * q + 8 * i, sum[q][i]);
}

static void sum_codes(const uint8_t *codes, size_t groups, const uint8_t *const *tables, size_t n_queries,
		      uint16_t *sums)
{
	size_t q = 0;

	for (; q + 4 <= n_queries; q += 4) sum_some(codes, groups, tables + q, 4, sums + LIST_BLOCK * q);
	for (; q < n_queries; q++) sum_some(codes, groups, tables + q, 1, sums + LIST_BLOCK * q);
}

static uint32_t estimate(const struct list_estimate *e, const uint16_t *sums, float bound, float *estimates)
{
	const uint32_t bit[4] = { 1, 2, 4, 8 };
	uint32_t near = 0;

	for (size_t i = 0; i < LIST_BLOCK; i += 4) {
		float32x4_t sum = vcvtq_f32_u32(vmovl_u16(vld1_u16(sums + i)));
		float32x4_t scaled = vaddq_f32(vmulq_f32(sum, vdupq_n_f32(e->step)), vdupq_n_f32(e->offset));
		float32x4_t constant = vaddq_f32(vld1q_f32(e->bias + i), vdupq_n_f32(e->base));
		float32x4_t value = vaddq_f32(vmulq_f32(scaled, vld1q_f32(e->scale + i)), constant);
		uint32x4_t beyond = vcgtq_f32(value, vdupq_n_f32(bound));

		vst1q_f32(estimates + i, value);
		near |= vaddvq_u32(vbicq_u32(vld1q_u32(bit), beyond)) << i;
	}
	return near;
}

/* ---- the matrix product: 6 rows by 3 registers of vectors ---- */

enum { PANEL = 12, TILE = 6 };

KERNEL void product_tile(const float *vectors, const float *rows, size_t dim, float *out, const size_t n)
{
	float32x4_t sum[TILE][3];

	for (size_t r = 0; r < n; r++)
		for (size_t j = 0; j < 3; j++) sum[r][j] = vdupq_n_f32(0);
	for (size_t d = 0; d < dim; d++, vectors += PANEL) {
		float32x4_t v0 = vld1q_f32(vectors), v1 = vld1q_f32(vectors + 4), v2 = vld1q_f32(vectors + 8);

#pragma GCC unroll 6
		for (size_t r = 0; r < n; r++) {
			float32x4_t x = vdupq_n_f32(rows[r * dim + d]);
			sum[r][0] = vfmaq_f32(sum[r][0], v0, x);
			sum[r][1] = vfmaq_f32(sum[r][1], v1, x);
			sum[r][2] = vfmaq_f32(sum[r][2], v2, x);
		}
	}
	for (size_t r = 0; r < n; r++)
		for (size_t j = 0; j < 3; j++) vst1q_f32(out + r * PANEL + 4 * j, sum[r][j]);
}

static void product(const float *vectors, const float *rows, size_t n, size_t dim, float *out)
{
	size_t i = 0;

	for (; i + TILE <= n; i += TILE) product_tile(vectors, rows + i * dim, dim, out + i * PANEL, TILE);
	for (; i < n; i++) product_tile(vectors, rows + i * dim, dim, out + i * PANEL, 1);
}

const struct list_kernels list_kernels_neon = LIST_KERNEL_TABLE(PANEL);
