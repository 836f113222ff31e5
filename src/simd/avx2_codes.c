/* simd/avx2_codes.c - kernels for codes with AVX2.
 * SPDX-License-Identifier: Apache-2.0 */
#include "simd/codes.h"

#include <immintrin.h>

static inline uint32_t sum_i32(__m256i v)
{
	__m128i s = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));

	s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
	s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1));
	return (uint32_t)_mm_cvtsi128_si32(s);
}

/* Differences of bytes below 128 fit a signed byte, and two of their squares a signed 16-bit number. */
static inline __m256i squares(__m256i a, __m256i b)
{
	__m256i d = _mm256_abs_epi8(_mm256_sub_epi8(a, b));

	return _mm256_madd_epi16(_mm256_maddubs_epi16(d, d), _mm256_set1_epi16(1));
}

static void l2(const uint8_t *query, const uint8_t *codes, size_t bytes, const uint32_t *at, size_t n, uint32_t *out)
{
	for (size_t i = 0; i < n; i++) {
		const __m256i *q = (const void *)query, *c = (const void *)(codes + at[i] * bytes);
		__m256i s0 = _mm256_setzero_si256(), s1 = s0;

		for (size_t b = 0; b < bytes / 32; b += 2) {
			s0 = _mm256_add_epi32(s0, squares(_mm256_load_si256(q + b), _mm256_load_si256(c + b)));
			s1 = _mm256_add_epi32(s1, squares(_mm256_load_si256(q + b + 1), _mm256_load_si256(c + b + 1)));
		}
		out[i] = sum_i32(_mm256_add_epi32(s0, s1));
	}
}

static void hamming(const uint8_t *query, const uint8_t *codes, size_t bytes, const uint32_t *at, size_t n,
		    uint32_t *out)
{
	for (size_t i = 0; i < n; i++) {
		const uint64_t *q = (const void *)query, *c = (const void *)(codes + at[i] * bytes);
		int sum = 0;

		for (size_t b = 0; b < bytes / 8; b++) sum += __builtin_popcountll(q[b] ^ c[b]);
		out[i] = (uint32_t)sum;
	}
}

const struct code_kernels code_kernels_avx2 = { "avx2", l2, hamming };
