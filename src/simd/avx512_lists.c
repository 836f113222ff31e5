/* simd/avx512_lists.c - kernels of lists for AVX-512.
 * SPDX-License-Identifier: Apache-2.0 */
#include "simd/lists_body.h"

#include <immintrin.h>

/* ---- codes ---- */

/* A register of looked-up bytes has four subspaces of 16 vectors. As 16-bit numbers its even bytes carry the odd ones
 * along 256-fold, which are summed apart and taken off at the end: two additions and a shift instead of two unpackings.
 */
struct sum {
	__m512i both, odd;
};

static inline void add_bytes(struct sum *sum, __m512i bytes)
{
	sum->both = _mm512_add_epi16(sum->both, bytes);
	sum->odd = _mm512_add_epi16(sum->odd, _mm512_srli_epi16(bytes, 8));
}

static inline __m128i add_lanes(__m512i v)
{
	__m256i half = _mm256_add_epi16(_mm512_castsi512_si256(v), _mm512_extracti64x4_epi64(v, 1));

	return _mm_add_epi16(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}

static inline void store_sum(const struct sum *sum, uint16_t *to)
{
	__m128i odd = add_lanes(sum->odd), even = _mm_sub_epi16(add_lanes(sum->both), _mm_slli_epi16(odd, 8));

	_mm_storeu_si128((void *)to, _mm_unpacklo_epi16(even, odd));
	_mm_storeu_si128((void *)(to + 8), _mm_unpackhi_epi16(even, odd));
}

KERNEL void sum_some(const uint8_t *codes, size_t groups, const uint8_t *const *tables, const size_t n, uint16_t *sums)
{
	const __m512i low_half = _mm512_set1_epi8(15);
	struct sum low[4], high[4];

	for (size_t q = 0; q < n; q++) low[q].both = low[q].odd = high[q].both = high[q].odd = _mm512_setzero_si512();
	for (size_t g = 0; g < groups; g++) {
		__m512i both = _mm512_loadu_si512(codes + 64 * g);
		__m512i first = _mm512_and_si512(both, low_half);
		__m512i second = _mm512_and_si512(_mm512_srli_epi16(both, 4), low_half);

#pragma GCC unroll 4
		for (size_t q = 0; q < n; q++) {
			__m512i table = _mm512_loadu_si512(tables[q] + 64 * g);
			add_bytes(&low[q], _mm512_shuffle_epi8(table, first));
			add_bytes(&high[q], _mm512_shuffle_epi8(table, second));
		}
	}
	for (size_t q = 0; q < n; q++) {
		store_sum(&low[q], sums + LIST_BLOCK * q);
		store_sum(&high[q], sums + LIST_BLOCK * q + 16);
	}
}

static void sum_codes(const uint8_t *codes, size_t groups, const uint8_t *const *tables, size_t n_queries,
		      uint16_t *sums)
{
	size_t q = 0;

	for (; q + 4 <= n_queries; q += 4) sum_some(codes, groups, tables + q, 4, sums + LIST_BLOCK * q);
	for (; q + 2 <= n_queries; q += 2) sum_some(codes, groups, tables + q, 2, sums + LIST_BLOCK * q);
	if (q < n_queries) sum_some(codes, groups, tables + q, 1, sums + LIST_BLOCK * q);
}

static uint32_t estimate(const struct list_estimate *e, const uint16_t *sums, float bound, float *estimates)
{
	uint32_t near = 0;

	for (size_t i = 0; i < LIST_BLOCK; i += 16) {
		__m512 sum = _mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const void *)(sums + i))));
		__m512 scaled = _mm512_add_ps(_mm512_mul_ps(sum, _mm512_set1_ps(e->step)), _mm512_set1_ps(e->offset));
		__m512 constant = _mm512_add_ps(_mm512_loadu_ps(e->bias + i), _mm512_set1_ps(e->base));
		__m512 value = _mm512_add_ps(_mm512_mul_ps(scaled, _mm512_loadu_ps(e->scale + i)), constant);

		_mm512_storeu_ps(estimates + i, value);
		near |= (uint32_t)_mm512_cmp_ps_mask(value, _mm512_set1_ps(bound), _CMP_NGT_UQ) << i;
	}
	return near;
}

/* ---- the matrix product, as in avx512.c: 8 rows by 3 registers of vectors ---- */

enum { PANEL = 48, TILE = 8 };

KERNEL void product_tile(const float *vectors, const float *rows, size_t dim, float *out, const size_t n)
{
	__m512 sum[TILE][3];

	for (size_t r = 0; r < n; r++)
		for (size_t j = 0; j < 3; j++) sum[r][j] = _mm512_setzero_ps();
	for (size_t d = 0; d < dim; d++, vectors += PANEL) {
		__m512 v0 = _mm512_loadu_ps(vectors), v1 = _mm512_loadu_ps(vectors + 16),
		       v2 = _mm512_loadu_ps(vectors + 32);

#pragma GCC unroll 8
		for (size_t r = 0; r < n; r++) {
			__m512 x = _mm512_set1_ps(rows[r * dim + d]);
			sum[r][0] = _mm512_fmadd_ps(v0, x, sum[r][0]);
			sum[r][1] = _mm512_fmadd_ps(v1, x, sum[r][1]);
			sum[r][2] = _mm512_fmadd_ps(v2, x, sum[r][2]);
		}
	}
	for (size_t r = 0; r < n; r++)
		for (size_t j = 0; j < 3; j++) _mm512_storeu_ps(out + r * PANEL + 16 * j, sum[r][j]);
}

static void product(const float *vectors, const float *rows, size_t n, size_t dim, float *out)
{
	size_t i = 0;

	for (; i + TILE <= n; i += TILE) product_tile(vectors, rows + i * dim, dim, out + i * PANEL, TILE);
	for (; i < n; i++) product_tile(vectors, rows + i * dim, dim, out + i * PANEL, 1);
}

const struct list_kernels list_kernels_avx512 = LIST_KERNEL_TABLE(PANEL);
