/* simd/neon_codes.c - kernels for codes for 64-bit Arm.
 * SPDX-License-Identifier: Apache-2.0 */
#include "simd/codes.h"

#include <arm_neon.h>

/* Squares of differences of bytes below 128 are below 2^14: two of them fit 16 bits, and are added there before the sums
 * widen to 32. */
static inline uint32x4_t add_squares(uint32x4_t sum, uint8x16_t a, uint8x16_t b)
{
	const uint8x16_t d = vabdq_u8(a, b);

	return vpadalq_u16(sum, vmlal_high_u8(vmull_u8(vget_low_u8(d), vget_low_u8(d)), d, d));
}

static void l2(const uint8_t *query, const uint8_t *codes, size_t bytes, const uint32_t *at, size_t n, uint32_t *out)
{
	for (size_t i = 0; i < n; i++) {
		const uint8_t *code = codes + at[i] * bytes;
		uint32x4_t s0 = vdupq_n_u32(0), s1 = s0;

		for (size_t b = 0; b < bytes; b += 32) {
			s0 = add_squares(s0, vld1q_u8(query + b), vld1q_u8(code + b));
			s1 = add_squares(s1, vld1q_u8(query + b + 16), vld1q_u8(code + b + 16));
		}
		out[i] = vaddvq_u32(vaddq_u32(s0, s1));
	}
}

static void hamming(const uint8_t *query, const uint8_t *codes, size_t bytes, const uint32_t *at, size_t n,
		    uint32_t *out)
{
	for (size_t i = 0; i < n; i++) {
		const uint8_t *code = codes + at[i] * bytes;
		uint32x4_t sum = vdupq_n_u32(0);

		for (size_t b = 0; b < bytes; b += 16)
			sum = vpadalq_u16(sum, vpaddlq_u8(vcntq_u8(veorq_u8(vld1q_u8(query + b), vld1q_u8(code + b)))));
		out[i] = vaddvq_u32(sum);
	}
}

const struct code_kernels code_kernels_neon = { "neon", l2, hamming };
