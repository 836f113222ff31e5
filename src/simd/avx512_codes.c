/* simd/avx512_codes.c - kernels for codes with AVX-512, VNNI and VPOPCNTDQ.
 * SPDX-License-Identifier: Apache-2.0 */
#include "simd/codes.h"

#include <immintrin.h>

/* Differences of bytes below 128 fit a signed byte, which the product of VNNI takes on one side. */
static inline __m512i add_squares(__m512i sum, __m512i a, __m512i b)
{
	__m512i d = _mm512_abs_epi8(_mm512_sub_epi8(a, b));

	return _mm512_dpbusd_epi32(sum, d, d);
}

static void l2(const uint8_t *query, const uint8_t *codes, size_t bytes, const uint32_t *at, size_t n, uint32_t *out)
{
	for (size_t i = 0; i < n; i++) {
		const uint8_t *code = codes + at[i] * bytes;
		__m512i sum = _mm512_setzero_si512();

		for (size_t b = 0; b < bytes; b += 64)
			sum = add_squares(sum, _mm512_load_si512(query + b), _mm512_load_si512(code + b));
		out[i] = (uint32_t)_mm512_reduce_add_epi32(sum);
	}
}

static void hamming(const uint8_t *query, const uint8_t *codes, size_t bytes, const uint32_t *at, size_t n,
		    uint32_t *out)
{
	for (size_t i = 0; i < n; i++) {
		const uint8_t *code = codes + at[i] * bytes;
		__m512i sum = _mm512_setzero_si512();

		for (size_t b = 0; b < bytes; b += 64) {
			__m512i differing = _mm512_xor_si512(_mm512_load_si512(query + b), _mm512_load_si512(code + b));
			sum = _mm512_add_epi64(sum, _mm512_popcnt_epi64(differing));
		}
		out[i] = (uint32_t)_mm512_reduce_add_epi64(sum);
	}
}

const struct code_kernels code_kernels_avx512 = { "avx512", l2, hamming };
