/* simd/neon.c - kernels for 64-bit Arm, where NEON is always there.
 * SPDX-License-Identifier: Apache-2.0 */
#include "simd/table.h"

#include <arm_neon.h>
#include <string.h>

/* ---- floats ---- */

static inline float32x4_t f32_load(const float *p)
{
	return vld1q_f32(p);
}

static inline float32x4_t f32_load_tail(const float *p, size_t left)
{
	float padded[4] = { 0 };

	memcpy(padded, p, 4 * left);
	return vld1q_f32(padded);
}

static inline float32x4_t f16_load(const uint16_t *p)
{
	return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p)));
}

static inline float32x4_t f16_load_tail(const uint16_t *p, size_t left)
{
	uint16_t padded[4] = { 0 };

	memcpy(padded, p, 2 * left);
	return f16_load(padded);
}

static inline float32x4_t l2_step(float32x4_t sum, float32x4_t a, float32x4_t b)
{
	float32x4_t difference = vsubq_f32(a, b);

	return vfmaq_f32(sum, difference, difference);
}

static inline float32x4_t ip_step(float32x4_t sum, float32x4_t a, float32x4_t b)
{
	return vfmaq_f32(sum, a, b);
}

#define FLOAT_KERNEL(metric, element, type)                                                                            \
	KERNEL float metric##_##element(const float *a, const type *b, size_t dim)                                     \
	{                                                                                                              \
		float32x4_t s0 = vdupq_n_f32(0), s1 = s0, s2 = s0, s3 = s0;                                            \
		size_t i = 0;                                                                                          \
                                                                                                                       \
		for (; i + 16 <= dim; i += 16) {                                                                       \
			s0 = metric##_step(s0, f32_load(a + i), element##_load(b + i));                                \
			s1 = metric##_step(s1, f32_load(a + i + 4), element##_load(b + i + 4));                        \
			s2 = metric##_step(s2, f32_load(a + i + 8), element##_load(b + i + 8));                        \
			s3 = metric##_step(s3, f32_load(a + i + 12), element##_load(b + i + 12));                      \
		}                                                                                                      \
		for (; i + 4 <= dim; i += 4) s0 = metric##_step(s0, f32_load(a + i), element##_load(b + i));           \
		if (i < dim) s1 = metric##_step(s1, f32_load_tail(a + i, dim - i), element##_load_tail(b + i, dim - i)); \
		return vaddvq_f32(vaddq_f32(vaddq_f32(s0, s1), vaddq_f32(s2, s3)));                                    \
	}

FLOAT_KERNEL(l2, f32, float)
FLOAT_KERNEL(ip, f32, float)
FLOAT_KERNEL(l2, f16, uint16_t)
FLOAT_KERNEL(ip, f16, uint16_t)

/* ---- bytes: products of 8 by 8 bits fit 16, pairs of them are added into 32 ---- */

static inline uint32x4_t l2_u8_step(uint32x4_t sum, uint8x16_t a, uint8x16_t b)
{
	uint8x16_t d = vabdq_u8(a, b);

	sum = vpadalq_u16(sum, vmull_u8(vget_low_u8(d), vget_low_u8(d)));
	return vpadalq_u16(sum, vmull_u8(vget_high_u8(d), vget_high_u8(d)));
}

/* The absolute difference of signed bytes, up to 255, is right when read as unsigned. */
static inline uint32x4_t l2_i8_step(uint32x4_t sum, int8x16_t a, int8x16_t b)
{
	return l2_u8_step(sum, vreinterpretq_u8_s8(vabdq_s8(a, b)), vdupq_n_u8(0));
}

static inline uint32x4_t ip_u8_step(uint32x4_t sum, uint8x16_t a, uint8x16_t b)
{
	sum = vpadalq_u16(sum, vmull_u8(vget_low_u8(a), vget_low_u8(b)));
	return vpadalq_u16(sum, vmull_u8(vget_high_u8(a), vget_high_u8(b)));
}

static inline int32x4_t ip_i8_step(int32x4_t sum, int8x16_t a, int8x16_t b)
{
	sum = vpadalq_s16(sum, vmull_s8(vget_low_s8(a), vget_low_s8(b)));
	return vpadalq_s16(sum, vmull_s8(vget_high_s8(a), vget_high_s8(b)));
}

static inline uint32x4_t hamming_step(uint32x4_t sum, uint8x16_t a, uint8x16_t b)
{
	return vpadalq_u16(sum, vpaddlq_u8(vcntq_u8(veorq_u8(a, b))));
}

#define BYTE_KERNEL(kernel, type, suffix, vector, result, dup, add)                                                    \
	KERNEL result kernel(const type *a, const type *b, size_t dim)                                                 \
	{                                                                                                              \
		vector sum = dup(0);                                                                                   \
		type tail_a[16] = { 0 }, tail_b[16] = { 0 };                                                           \
		size_t i = 0;                                                                                          \
                                                                                                                       \
		for (; i + 16 <= dim; i += 16) sum = kernel##_step(sum, vld1q_##suffix(a + i), vld1q_##suffix(b + i)); \
		if (i < dim) {                                                                                         \
			memcpy(tail_a, a + i, dim - i);                                                                \
			memcpy(tail_b, b + i, dim - i);                                                                \
			sum = kernel##_step(sum, vld1q_##suffix(tail_a), vld1q_##suffix(tail_b));                      \
		}                                                                                                      \
		return add(sum);                                                                                       \
	}

BYTE_KERNEL(l2_i8, int8_t, s8, uint32x4_t, uint32_t, vdupq_n_u32, vaddvq_u32)
BYTE_KERNEL(ip_i8, int8_t, s8, int32x4_t, int32_t, vdupq_n_s32, vaddvq_s32)
BYTE_KERNEL(l2_u8, uint8_t, u8, uint32x4_t, uint32_t, vdupq_n_u32, vaddvq_u32)
BYTE_KERNEL(ip_u8, uint8_t, u8, uint32x4_t, uint32_t, vdupq_n_u32, vaddvq_u32)
BYTE_KERNEL(hamming, uint8_t, u8, uint32x4_t, uint32_t, vdupq_n_u32, vaddvq_u32)

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
	size_t found = 0, i = 0;

	for (; i < n; i++) {
		/* Most fours have nothing: one test passes over them. */
		while (i + 4 <= n && !vmaxvq_u32(vcleq_f32(vld1q_f32(values + i), vdupq_n_f32(bound)))) i += 4;
		if (i < n && values[i] <= bound) at[found++] = (uint32_t)i;
	}
	return found;
}

/* ---- the matrix product: 4 rows by 4 registers of queries ---- */

enum { PANEL = 16, TILE = 4 };

KERNEL void panel_tile(const struct panel_job *job, size_t first, const size_t rows)
{
	const size_t dim = job->dim;
	const float *row = job->rows + first * dim, *query = job->queries;
	float32x4_t sum[TILE][4];
	float product[PANEL];

	for (size_t r = 0; r < rows; r++)
		for (size_t j = 0; j < 4; j++) sum[r][j] = vdupq_n_f32(0);
	for (size_t d = 0; d < dim; d++, query += PANEL)
		for (size_t r = 0; r < rows; r++)
			for (size_t j = 0; j < 4; j++)
				sum[r][j] = vfmaq_n_f32(sum[r][j], vld1q_f32(query + 4 * j), row[r * dim + d]);
	for (size_t r = 0; r < rows; r++) {
		uint64_t near = 0;

		for (size_t j = 0; j < 4; j++) vst1q_f32(product + 4 * j, sum[r][j]);
		for (size_t j = 0; j < PANEL; j++)
			near |= (uint64_t) !(job->base[first + r] + job->factor * product[j] > job->bound[j]) << j;
		job->near[first + r] = near;
	}
}

static void panel_f32(const struct panel_job *job)
{
	size_t i = 0;

	for (; i + TILE <= job->n; i += TILE) panel_tile(job, i, TILE);
	for (; i < job->n; i++) panel_tile(job, i, 1);
}

/* ---- conversions ---- */

static void f16_to_f32(const uint16_t *from, float *to, size_t n)
{
	size_t i = 0;
	float tail[4];

	for (; i + 4 <= n; i += 4) vst1q_f32(to + i, f16_load(from + i));
	if (i < n) {
		vst1q_f32(tail, f16_load_tail(from + i, n - i));
		memcpy(to + i, tail, 4 * (n - i));
	}
}

static void f32_to_f16(const float *from, uint16_t *to, size_t n)
{
	size_t i = 0;
	uint16_t tail[4];

	for (; i + 4 <= n; i += 4) vst1_u16(to + i, vreinterpret_u16_f16(vcvt_f16_f32(f32_load(from + i))));
	if (i < n) {
		vst1_u16(tail, vreinterpret_u16_f16(vcvt_f16_f32(f32_load_tail(from + i, n - i))));
		memcpy(to + i, tail, 2 * (n - i));
	}
}

/* ---- pixels ---- */

static inline int32x4_t half_level(void)
{
	return vdupq_n_s32(1 << (KERNEL_WEIGHT_BITS - 1));
}

static inline uint16x4_t to_levels(int32x4_t sums)
{
	return vqmovun_s32(vshrq_n_s32(sums, KERNEL_WEIGHT_BITS));
}

static void mix_rows(const uint8_t *const *rows, const int32_t *weights, size_t n_rows, uint8_t *to, size_t n)
{
	size_t i = 0;

	for (; i + 16 <= n; i += 16) {
		int32x4_t s0 = half_level(), s1 = s0, s2 = s0, s3 = s0;

		for (size_t k = 0; k < n_rows; k++) {
			const uint8x16_t bytes = vld1q_u8(rows[k] + i);
			const int16x8_t low = vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(bytes)));
			const int16x8_t high = vreinterpretq_s16_u16(vmovl_u8(vget_high_u8(bytes)));

			s0 = vmlaq_n_s32(s0, vmovl_s16(vget_low_s16(low)), weights[k]);
			s1 = vmlaq_n_s32(s1, vmovl_s16(vget_high_s16(low)), weights[k]);
			s2 = vmlaq_n_s32(s2, vmovl_s16(vget_low_s16(high)), weights[k]);
			s3 = vmlaq_n_s32(s3, vmovl_s16(vget_high_s16(high)), weights[k]);
		}
		vst1q_u8(to + i, vcombine_u8(vqmovn_u16(vcombine_u16(to_levels(s0), to_levels(s1))),
		                             vqmovn_u16(vcombine_u16(to_levels(s2), to_levels(s3)))));
	}
	mix_rows_from(rows, weights, n_rows, to, i, n);
}

/* Pixel `k` of the five, its three levels widened: a place out of range gives zero. */
static inline int32x4_t pixel(uint8x16_t bytes, uint32_t k)
{
	const uint32_t hole = 0xffffff00;
	const uint32x4_t at = { hole | 3 * k, hole | (3 * k + 1), hole | (3 * k + 2), hole | 0xff };

	return vreinterpretq_s32_u8(vqtbl1q_u8(bytes, vreinterpretq_u8_u32(at)));
}

static void mix_pixels(const uint8_t *row, const uint32_t *first, const int32_t *weights, size_t taps, uint8_t *to, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const uint8_t *from = row + 3 * (size_t)first[i];
		int32x4_t sum = half_level();
		uint16x4_t levels;
		uint8_t rgb[8];

		for (size_t k = 0; k < taps; k += KERNEL_TAPS) {
			const uint8x16_t bytes = vld1q_u8(from + 3 * k);
			const int32x4_t w = vld1q_s32(weights + i * taps + k);

			sum = vmlaq_laneq_s32(sum, pixel(bytes, 0), w, 0);
			sum = vmlaq_laneq_s32(sum, pixel(bytes, 1), w, 1);
			sum = vmlaq_laneq_s32(sum, pixel(bytes, 2), w, 2);
			sum = vmlaq_laneq_s32(sum, pixel(bytes, 3), w, 3);
		}
		levels = to_levels(sum);
		vst1_u8(rgb, vqmovn_u16(vcombine_u16(levels, levels)));
		memcpy(to + 3 * i, rgb, 3);
	}
}

const struct kernels kernels_neon = KERNEL_TABLE("neon", PANEL);
