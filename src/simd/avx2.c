/* simd/avx2.c - kernels for AVX2 with FMA and F16C.
 * SPDX-License-Identifier: Apache-2.0 */
#include "simd/table.h"

#include <immintrin.h>
#include <string.h>

/* ---- floats: four sums hide the latency of the multiply-add ---- */

/* The first `left` < 8 of 8 lanes. */
static inline __m256i lanes(size_t left)
{
	return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)left), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

static inline float sum_f32(__m256 v)
{
	__m128 four = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
	__m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));

	return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

static inline __m256 f32_load(const float *p)
{
	return _mm256_loadu_ps(p);
}

static inline __m256 f32_load_tail(const float *p, size_t left)
{
	return _mm256_maskload_ps(p, lanes(left));
}

static inline __m256 f16_load(const uint16_t *p)
{
	return _mm256_cvtph_ps(_mm_loadu_si128((const void *)p));
}

/* There is no masked load of 16 bits. */
static inline __m256 f16_load_tail(const uint16_t *p, size_t left)
{
	uint16_t padded[8] = { 0 };

	memcpy(padded, p, 2 * left);
	return f16_load(padded);
}

static inline __m256 l2_step(__m256 sum, __m256 a, __m256 b)
{
	__m256 difference = _mm256_sub_ps(a, b);

	return _mm256_fmadd_ps(difference, difference, sum);
}

static inline __m256 ip_step(__m256 sum, __m256 a, __m256 b)
{
	return _mm256_fmadd_ps(a, b, sum);
}

#define FLOAT_KERNEL(metric, element, type)                                                                            \
	KERNEL float metric##_##element(const float *a, const type *b, size_t dim)                                     \
	{                                                                                                              \
		__m256 s0 = _mm256_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;                                            \
		size_t i = 0;                                                                                          \
                                                                                                                       \
		for (; i + 32 <= dim; i += 32) {                                                                       \
			s0 = metric##_step(s0, f32_load(a + i), element##_load(b + i));                                \
			s1 = metric##_step(s1, f32_load(a + i + 8), element##_load(b + i + 8));                        \
			s2 = metric##_step(s2, f32_load(a + i + 16), element##_load(b + i + 16));                      \
			s3 = metric##_step(s3, f32_load(a + i + 24), element##_load(b + i + 24));                      \
		}                                                                                                      \
		for (; i + 8 <= dim; i += 8) s0 = metric##_step(s0, f32_load(a + i), element##_load(b + i));           \
		if (i < dim) s1 = metric##_step(s1, f32_load_tail(a + i, dim - i), element##_load_tail(b + i, dim - i)); \
		return sum_f32(_mm256_add_ps(_mm256_add_ps(s0, s1), _mm256_add_ps(s2, s3)));                           \
	}

FLOAT_KERNEL(l2, f32, float)
FLOAT_KERNEL(ip, f32, float)
FLOAT_KERNEL(l2, f16, uint16_t)
FLOAT_KERNEL(ip, f16, uint16_t)

/* ---- bytes: widened to 16 bits, because the byte multiply-add (maddubs) saturates ---- */

static inline uint32_t sum_u32(__m256i v)
{
	__m128i four = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
	__m128i two = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4e));

	return (uint32_t)_mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32(two, 0xb1)));
}

static inline __m256i i8_widen(const void *p)
{
	return _mm256_cvtepi8_epi16(_mm_loadu_si128(p));
}

static inline __m256i u8_widen(const void *p)
{
	return _mm256_cvtepu8_epi16(_mm_loadu_si128(p));
}

static inline __m256i l2_madd(__m256i sum, __m256i a, __m256i b)
{
	__m256i difference = _mm256_sub_epi16(a, b);

	return _mm256_add_epi32(sum, _mm256_madd_epi16(difference, difference));
}

static inline __m256i ip_madd(__m256i sum, __m256i a, __m256i b)
{
	return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
}

#define BYTE_KERNEL(metric, element, type, result)                                                                     \
	KERNEL result metric##_##element(const type *a, const type *b, size_t dim)                                     \
	{                                                                                                              \
		__m256i s0 = _mm256_setzero_si256(), s1 = s0;                                                          \
		type tail_a[16] = { 0 }, tail_b[16] = { 0 };                                                           \
		size_t i = 0;                                                                                          \
                                                                                                                       \
		for (; i + 32 <= dim; i += 32) {                                                                       \
			s0 = metric##_madd(s0, element##_widen(a + i), element##_widen(b + i));                        \
			s1 = metric##_madd(s1, element##_widen(a + i + 16), element##_widen(b + i + 16));              \
		}                                                                                                      \
		if (i + 16 <= dim) {                                                                                   \
			s0 = metric##_madd(s0, element##_widen(a + i), element##_widen(b + i));                        \
			i += 16;                                                                                       \
		}                                                                                                      \
		if (i < dim) {                                                                                         \
			memcpy(tail_a, a + i, dim - i);                                                                \
			memcpy(tail_b, b + i, dim - i);                                                                \
			s1 = metric##_madd(s1, element##_widen(tail_a), element##_widen(tail_b));                      \
		}                                                                                                      \
		return (result)sum_u32(_mm256_add_epi32(s0, s1));                                                      \
	}

BYTE_KERNEL(l2, i8, int8_t, uint32_t)
BYTE_KERNEL(ip, i8, int8_t, int32_t)
BYTE_KERNEL(l2, u8, uint8_t, uint32_t)
BYTE_KERNEL(ip, u8, uint8_t, uint32_t)

static inline uint64_t load_u64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, 8);
	return v;
}

/* The scalar instruction counts 8 bytes a cycle; the look-up of nibbles by pshufb counts no faster for short rows. */
KERNEL uint32_t hamming(const uint8_t *a, const uint8_t *b, size_t bytes)
{
	uint64_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;
	size_t i = 0;

	for (; i + 32 <= bytes; i += 32) {
		s0 += (uint64_t)_mm_popcnt_u64(load_u64(a + i) ^ load_u64(b + i));
		s1 += (uint64_t)_mm_popcnt_u64(load_u64(a + i + 8) ^ load_u64(b + i + 8));
		s2 += (uint64_t)_mm_popcnt_u64(load_u64(a + i + 16) ^ load_u64(b + i + 16));
		s3 += (uint64_t)_mm_popcnt_u64(load_u64(a + i + 24) ^ load_u64(b + i + 24));
	}
	for (; i + 8 <= bytes; i += 8) s0 += (uint64_t)_mm_popcnt_u64(load_u64(a + i) ^ load_u64(b + i));
	for (; i < bytes; i++) s1 += (uint64_t)_mm_popcnt_u32((unsigned)(a[i] ^ b[i]));
	return (uint32_t)(s0 + s1 + s2 + s3);
}

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
	const __m256 limit = _mm256_set1_ps(bound);
	size_t found = 0, i = 0;

	for (; i + 8 <= n; i += 8) {
		int below = _mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(values + i), limit, _CMP_LE_OQ));

		for (; below; below &= below - 1) at[found++] = (uint32_t)i + (uint32_t)__builtin_ctz((unsigned)below);
	}
	for (; i < n; i++)
		if (values[i] <= bound) at[found++] = (uint32_t)i;
	return found;
}

/* ---- the matrix product: 4 rows by 3 registers of queries; the sums, 3 queries and 1 row take all 16 registers ---- */

enum { PANEL = 24, TILE = 4 };

KERNEL void panel_tile(const struct panel_job *job, size_t first, const size_t rows)
{
	const size_t dim = job->dim;
	const float *row = job->rows + first * dim, *query = job->queries;
	__m256 sum[TILE][3];

	for (size_t r = 0; r < rows; r++)
		for (size_t j = 0; j < 3; j++) sum[r][j] = _mm256_setzero_ps();
	for (size_t d = 0; d < dim; d++, query += PANEL) {
		__m256 q0 = _mm256_loadu_ps(query), q1 = _mm256_loadu_ps(query + 8), q2 = _mm256_loadu_ps(query + 16);

#pragma GCC unroll 4
		for (size_t r = 0; r < rows; r++) {
			__m256 x = _mm256_broadcast_ss(row + r * dim + d);
			sum[r][0] = _mm256_fmadd_ps(q0, x, sum[r][0]);
			sum[r][1] = _mm256_fmadd_ps(q1, x, sum[r][1]);
			sum[r][2] = _mm256_fmadd_ps(q2, x, sum[r][2]);
		}
	}
	for (size_t r = 0; r < rows; r++) {
		uint64_t near = 0;

		for (size_t j = 0; j < 3; j++) {
			__m256 value = _mm256_fmadd_ps(sum[r][j], _mm256_set1_ps(job->factor),
			                               _mm256_set1_ps(job->base[first + r]));
			__m256 near_lanes = _mm256_cmp_ps(value, _mm256_loadu_ps(job->bound + 8 * j), _CMP_NGT_UQ);
			near |= (uint64_t)_mm256_movemask_ps(near_lanes) << 8 * j;
		}
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

	for (; i + 8 <= n; i += 8) _mm256_storeu_ps(to + i, f16_load(from + i));
	if (i < n) _mm256_maskstore_ps(to + i, lanes(n - i), f16_load_tail(from + i, n - i));
}

static void f32_to_f16(const float *from, uint16_t *to, size_t n)
{
	uint16_t tail[8];
	size_t i = 0;

	for (; i + 8 <= n; i += 8) _mm_storeu_si128((void *)(to + i), _mm256_cvtps_ph(f32_load(from + i), 0));
	if (i < n) {
		_mm_storeu_si128((void *)tail, _mm256_cvtps_ph(f32_load_tail(from + i, n - i), 0));
		memcpy(to + i, tail, 2 * (n - i));
	}
}

/* ---- pixels ---- */

static inline __m256i half_level(void)
{
	return _mm256_set1_epi32(1 << (KERNEL_WEIGHT_BITS - 1));
}

static inline __m256i mix(__m256i sum, __m256i levels, __m256i weights)
{
	return _mm256_add_epi32(sum, _mm256_mullo_epi32(levels, weights));
}

static void mix_rows(const uint8_t *const *rows, const int32_t *weights, size_t n_rows, uint8_t *to, size_t n)
{
	size_t i = 0;

	for (; i + 32 <= n; i += 32) {
		__m256i s0 = half_level(), s1 = s0, s2 = s0, s3 = s0;

		for (size_t k = 0; k < n_rows; k++) {
			const __m256i w = _mm256_set1_epi32(weights[k]);
			const uint8_t *p = rows[k] + i;

			s0 = mix(s0, _mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)p)), w);
			s1 = mix(s1, _mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)(p + 8))), w);
			s2 = mix(s2, _mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)(p + 16))), w);
			s3 = mix(s3, _mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)(p + 24))), w);
		}
		s0 = _mm256_packus_epi32(_mm256_srai_epi32(s0, KERNEL_WEIGHT_BITS), _mm256_srai_epi32(s1, KERNEL_WEIGHT_BITS));
		s2 = _mm256_packus_epi32(_mm256_srai_epi32(s2, KERNEL_WEIGHT_BITS), _mm256_srai_epi32(s3, KERNEL_WEIGHT_BITS));
		/* Packing works within halves, so that the fours of bytes come out as 0 2 4 6 1 3 5 7. */
		s0 = _mm256_permutevar8x32_epi32(_mm256_packus_epi16(s0, s2), _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
		_mm256_storeu_si256((void *)(to + i), s0);
	}
	mix_rows_from(rows, weights, n_rows, to, i, n);
}

/* Two vectors that lie apart, as the halves of one. */
static inline __m256i halves(const void *low, const void *high)
{
	return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128(low)), _mm_loadu_si128(high), 1);
}

/* Pixel `k` of the five in each half, its three levels widened. */
static inline __m256i pixel(__m256i bytes, int k)
{
	const int hole = (int)0x80808000; /* a negative place gives zero */

	return _mm256_shuffle_epi8(bytes, _mm256_setr_epi32(hole | 3 * k, hole | (3 * k + 1), hole | (3 * k + 2), hole | 0x80,
	                                                    hole | 3 * k, hole | (3 * k + 1), hole | (3 * k + 2), hole | 0x80));
}

/* Two output pixels at once, i and i + 2. */
static inline __m256i mix_two(const uint8_t *row, const uint32_t *first, const int32_t *weights, size_t taps, size_t i)
{
	const uint8_t *low = row + 3 * (size_t)first[i], *high = row + 3 * (size_t)first[i + 2];
	__m256i sum = half_level();

	for (size_t k = 0; k < taps; k += KERNEL_TAPS) {
		const __m256i bytes = halves(low + 3 * k, high + 3 * k);
		const __m256i w = halves(weights + i * taps + k, weights + (i + 2) * taps + k);

		sum = mix(sum, pixel(bytes, 0), _mm256_shuffle_epi32(w, 0x00));
		sum = mix(sum, pixel(bytes, 1), _mm256_shuffle_epi32(w, 0x55));
		sum = mix(sum, pixel(bytes, 2), _mm256_shuffle_epi32(w, 0xaa));
		sum = mix(sum, pixel(bytes, 3), _mm256_shuffle_epi32(w, 0xff));
	}
	return _mm256_srai_epi32(sum, KERNEL_WEIGHT_BITS);
}

static void mix_pixels(const uint8_t *row, const uint32_t *first, const int32_t *weights, size_t taps, uint8_t *to, size_t n)
{
	const __m256i close_up = _mm256_setr_epi8(0, 1, 2, 4, 5, 6, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 1, 2, 4, 5, 6, -1,
	                                          -1, -1, -1, -1, -1, -1, -1, -1, -1);
	size_t i = 0;

	for (; i + 4 < n; i += 4) { /* a fifth pixel takes the two bytes that are stored too far */
		__m256i even = mix_two(row, first, weights, taps, i), odd = mix_two(row, first, weights, taps, i + 1);
		__m256i four = _mm256_packus_epi32(even, odd);

		four = _mm256_shuffle_epi8(_mm256_packus_epi16(four, four), close_up);
		_mm_storel_epi64((void *)(to + 3 * i), _mm256_castsi256_si128(four));
		_mm_storel_epi64((void *)(to + 3 * i + 6), _mm256_extracti128_si256(four, 1));
	}
	mix_pixels_from(row, first, weights, taps, to, i, n);
}

const struct kernels kernels_avx2 = KERNEL_TABLE("avx2", PANEL);
