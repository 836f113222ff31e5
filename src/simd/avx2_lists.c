/* simd/avx2_lists.c - kernels of lists for AVX2 with FMA.
 * SPDX-License-Identifier: Apache-2.0 */
#include "simd/lists_body.h"

#include <immintrin.h>

/* ---- codes ---- */

/* A register of looked-up bytes has two subspaces of 16 vectors. As 16-bit numbers its even bytes carry the odd ones
 * along 256-fold, which are summed apart and taken off at the end: two additions and a shift instead of two unpackings.
 */
struct sum {
	__m256i both, odd;
};

static inline void add_bytes(struct sum *sum, __m256i bytes)
{
	sum->both = _mm256_add_epi16(sum->both, bytes);
	sum->odd = _mm256_add_epi16(sum->odd, _mm256_srli_epi16(bytes, 8));
}

static inline __m128i add_lanes(__m256i v)
{
	return _mm_add_epi16(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
}

static inline void store_sum(const struct sum *sum, uint16_t *to)
{
	__m128i odd = add_lanes(sum->odd), even = _mm_sub_epi16(add_lanes(sum->both), _mm_slli_epi16(odd, 8));

	_mm_storeu_si128((void *)to, _mm_unpacklo_epi16(even, odd));
	_mm_storeu_si128((void *)(to + 8), _mm_unpackhi_epi16(even, odd));
}

KERNEL void sum_some(const uint8_t *codes, size_t groups, const uint8_t *const *tables, const size_t n, uint16_t *sums)
{
	const __m256i low_half = _mm256_set1_epi8(15);
	struct sum low[2], high[2];

	for (size_t q = 0; q < n; q++) low[q].both = low[q].odd = high[q].both = high[q].odd = _mm256_setzero_si256();
	for (size_t g = 0; g < 2 * groups; g++) {
		__m256i both = _mm256_loadu_si256((const void *)(codes + 32 * g));
		__m256i first = _mm256_and_si256(both, low_half);
		__m256i second = _mm256_and_si256(_mm256_srli_epi16(both, 4), low_half);

#pragma GCC unroll 2
		for (size_t q = 0; q < n; q++) {
			__m256i table = _mm256_loadu_si256((const void *)(tables[q] + 32 * g));
			add_bytes(&low[q], _mm256_shuffle_epi8(table, first));
			add_bytes(&high[q], _mm256_shuffle_epi8(table, second));
		}
	}
	for (size_t q = 0; q < n; q++) {
		store_sum(&low[q], sums + LIST_BLOCK * q);
		store_sum(&high[q], sums + LIST_BLOCK * q + 16);
	}
}

/* Two queries take eight registers of sums; four would not fit. */
static void sum_codes(const uint8_t *codes, size_t groups, const uint8_t *const *tables, size_t n_queries,
		      uint16_t *sums)
{
	size_t q = 0;

	for (; q + 2 <= n_queries; q += 2) sum_some(codes, groups, tables + q, 2, sums + LIST_BLOCK * q);
	if (q < n_queries) sum_some(codes, groups, tables + q, 1, sums + LIST_BLOCK * q);
}

static uint32_t estimate(const struct list_estimate *e, const uint16_t *sums, float bound, float *estimates)
{
	uint32_t near = 0;

	for (size_t i = 0; i < LIST_BLOCK; i += 8) {
		__m256 sum = _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(_mm_loadu_si128((const void *)(sums + i))));
		__m256 scaled = _mm256_add_ps(_mm256_mul_ps(sum, _mm256_set1_ps(e->step)), _mm256_set1_ps(e->offset));
		__m256 constant = _mm256_add_ps(_mm256_loadu_ps(e->bias + i), _mm256_set1_ps(e->base));
		__m256 value = _mm256_add_ps(_mm256_mul_ps(scaled, _mm256_loadu_ps(e->scale + i)), constant);
		__m256 within = _mm256_cmp_ps(value, _mm256_set1_ps(bound), _CMP_NGT_UQ);

		_mm256_storeu_ps(estimates + i, value);
		near |= (uint32_t)_mm256_movemask_ps(within) << i;
	}
	return near;
}

/* ---- the matrix product, as in avx2.c: 4 rows by 3 registers of vectors ---- */

enum { PANEL = 24, TILE = 4 };

KERNEL void product_tile(const float *vectors, const float *rows, size_t dim, float *out, const size_t n)
{
	__m256 sum[TILE][3];

	for (size_t r = 0; r < n; r++)
		for (size_t j = 0; j < 3; j++) sum[r][j] = _mm256_setzero_ps();
	for (size_t d = 0; d < dim; d++, vectors += PANEL) {
		__m256 v0 = _mm256_loadu_ps(vectors), v1 = _mm256_loadu_ps(vectors + 8),
		       v2 = _mm256_loadu_ps(vectors + 16);

#pragma GCC unroll 4
		for (size_t r = 0; r < n; r++) {
			__m256 x = _mm256_broadcast_ss(rows + r * dim + d);
			sum[r][0] = _mm256_fmadd_ps(v0, x, sum[r][0]);
			sum[r][1] = _mm256_fmadd_ps(v1, x, sum[r][1]);
			sum[r][2] = _mm256_fmadd_ps(v2, x, sum[r][2]);
		}
	}
	for (size_t r = 0; r < n; r++)
		for (size_t j = 0; j < 3; j++) _mm256_storeu_ps(out + r * PANEL + 8 * j, sum[r][j]);
}

static void product(const float *vectors, const float *rows, size_t n, size_t dim, float *out)
{
	size_t i = 0;

	for (; i + TILE <= n; i += TILE) product_tile(vectors, rows + i * dim, dim, out + i * PANEL, TILE);
	for (; i < n; i++) product_tile(vectors, rows + i * dim, dim, out + i * PANEL, 1);
}

const struct list_kernels list_kernels_avx2 = LIST_KERNEL_TABLE(PANEL);
