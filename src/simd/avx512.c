/* simd/avx512.c - kernels for AVX-512 with VNNI and VPOPCNTDQ. Tails are masked loads, which touch no masked byte.
 * SPDX-License-Identifier: Apache-2.0 */
#include "simd/table.h"

#include <immintrin.h>

static inline __mmask16 mask16(size_t left)
{
	return (__mmask16)(left >= 16 ? 0xffff : (1u << left) - 1);
}

static inline __mmask64 mask64(size_t left)
{
	return left >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << left) - 1;
}

/* ---- floats: four sums hide the latency of the multiply-add ---- */

static inline __m512 f32_load(const float *p)
{
	return _mm512_loadu_ps(p);
}

static inline __m512 f32_load_tail(const float *p, __mmask16 mask)
{
	return _mm512_maskz_loadu_ps(mask, p);
}

static inline __m512 f16_load(const uint16_t *p)
{
	return _mm512_cvtph_ps(_mm256_loadu_si256((const void *)p));
}

static inline __m512 f16_load_tail(const uint16_t *p, __mmask16 mask)
{
	return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask, p));
}

static inline __m512 l2_step(__m512 sum, __m512 a, __m512 b)
{
	__m512 difference = _mm512_sub_ps(a, b);

	return _mm512_fmadd_ps(difference, difference, sum);
}

static inline __m512 ip_step(__m512 sum, __m512 a, __m512 b)
{
	return _mm512_fmadd_ps(a, b, sum);
}

#define FLOAT_KERNEL(metric, element, type)                                                                            \
	KERNEL float metric##_##element(const float *a, const type *b, size_t dim)                                     \
	{                                                                                                              \
		__m512 s0 = _mm512_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;                                            \
		size_t i = 0;                                                                                          \
                                                                                                                       \
		for (; i + 64 <= dim; i += 64) {                                                                       \
			s0 = metric##_step(s0, f32_load(a + i), element##_load(b + i));                                \
			s1 = metric##_step(s1, f32_load(a + i + 16), element##_load(b + i + 16));                      \
			s2 = metric##_step(s2, f32_load(a + i + 32), element##_load(b + i + 32));                      \
			s3 = metric##_step(s3, f32_load(a + i + 48), element##_load(b + i + 48));                      \
		}                                                                                                      \
		for (; i < dim; i += 16) {                                                                             \
			__mmask16 mask = mask16(dim - i);                                                              \
			s0 = metric##_step(s0, f32_load_tail(a + i, mask), element##_load_tail(b + i, mask));          \
		}                                                                                                      \
		return _mm512_reduce_add_ps(_mm512_add_ps(_mm512_add_ps(s0, s1), _mm512_add_ps(s2, s3)));              \
	}

FLOAT_KERNEL(l2, f32, float)
FLOAT_KERNEL(ip, f32, float)
FLOAT_KERNEL(l2, f16, uint16_t)
FLOAT_KERNEL(ip, f16, uint16_t)

/* ---- bytes ---- */

/* Through 64 bits, because _mm512_reduce_add_epi32() adds signed integers, whose overflow is undefined. */
static inline uint32_t sum_u32(__m512i v)
{
	const __m512i even = _mm512_and_si512(v, _mm512_set1_epi64(0xffffffff));

	return (uint32_t)_mm512_reduce_add_epi64(_mm512_add_epi64(even, _mm512_srli_epi64(v, 32)));
}

/* |a - b| of unsigned bytes, widened to 16 bits, squared and summed. */
static inline void l2_bytes(__m512i *lo, __m512i *hi, __m512i a, __m512i b)
{
	__m512i zero = _mm512_setzero_si512();
	__m512i d = _mm512_or_si512(_mm512_subs_epu8(a, b), _mm512_subs_epu8(b, a));
	__m512i d_lo = _mm512_unpacklo_epi8(d, zero), d_hi = _mm512_unpackhi_epi8(d, zero);

	*lo = _mm512_dpwssd_epi32(*lo, d_lo, d_lo);
	*hi = _mm512_dpwssd_epi32(*hi, d_hi, d_hi);
}

KERNEL uint32_t l2_bytes_flipped(const void *a, const void *b, size_t dim, __m512i flip)
{
	const uint8_t *x = a, *y = b;
	__m512i lo = _mm512_setzero_si512(), hi = lo;

	for (size_t i = 0; i < dim; i += 64) {
		__mmask64 mask = mask64(dim - i);
		__m512i va = _mm512_maskz_loadu_epi8(mask, x + i), vb = _mm512_maskz_loadu_epi8(mask, y + i);
		l2_bytes(&lo, &hi, _mm512_xor_si512(va, flip), _mm512_xor_si512(vb, flip));
	}
	return sum_u32(_mm512_add_epi32(lo, hi));
}

KERNEL uint32_t l2_u8(const uint8_t *a, const uint8_t *b, size_t dim)
{
	return l2_bytes_flipped(a, b, dim, _mm512_setzero_si512());
}

/* Flipping the sign bit adds 128 to both sides, which leaves the difference alone. */
KERNEL uint32_t l2_i8(const int8_t *a, const int8_t *b, size_t dim)
{
	return l2_bytes_flipped(a, b, dim, _mm512_set1_epi8((char)0x80));
}

/* VNNI multiplies unsigned by signed: <a, b> = <a + 128, b> - 128 * sum(b). Exact modulo 2^32. */
KERNEL int32_t ip_i8(const int8_t *a, const int8_t *b, size_t dim)
{
	const __m512i flip = _mm512_set1_epi8((char)0x80);
	__m512i product = _mm512_setzero_si512(), excess = product;

	for (size_t i = 0; i < dim; i += 64) {
		__mmask64 mask = mask64(dim - i);
		__m512i va = _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, a + i), flip);
		__m512i vb = _mm512_maskz_loadu_epi8(mask, b + i);
		product = _mm512_dpbusd_epi32(product, va, vb);
		excess = _mm512_dpbusd_epi32(excess, flip, vb);
	}
	return (int32_t)sum_u32(_mm512_sub_epi32(product, excess));
}

/* The same the other way round: <a, b> = <a, b - 128> + 128 * sum(a), where -128 is the flip seen as signed. */
KERNEL uint32_t ip_u8(const uint8_t *a, const uint8_t *b, size_t dim)
{
	const __m512i flip = _mm512_set1_epi8((char)0x80);
	__m512i product = _mm512_setzero_si512(), lack = product;

	for (size_t i = 0; i < dim; i += 64) {
		__mmask64 mask = mask64(dim - i);
		__m512i va = _mm512_maskz_loadu_epi8(mask, a + i);
		__m512i vb = _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, b + i), flip);
		product = _mm512_dpbusd_epi32(product, va, vb);
		lack = _mm512_dpbusd_epi32(lack, va, flip);
	}
	return sum_u32(_mm512_sub_epi32(product, lack));
}

static inline __m512i differing(const uint8_t *a, const uint8_t *b, __mmask64 mask)
{
	return _mm512_popcnt_epi64(_mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, a), _mm512_maskz_loadu_epi8(mask, b)));
}

KERNEL uint32_t hamming(const uint8_t *a, const uint8_t *b, size_t bytes)
{
	__m512i sum = _mm512_setzero_si512();

	for (size_t i = 0; i < bytes; i += 64)
		sum = _mm512_add_epi64(sum, differing(a + i, b + i, mask64(bytes - i)));
	return (uint32_t)_mm512_reduce_add_epi64(sum);
}

SCAN(l2_f32, float)
SCAN(ip_f32, float)
SCAN(l2_f16, uint16_t)
SCAN(ip_f16, uint16_t)
SCAN(l2_i8, int8_t)
SCAN(ip_i8, int8_t)
SCAN(l2_u8, uint8_t)
SCAN(ip_u8, uint8_t)

/* Element i of the result is the sum of v[i]. */
static inline __m512i sums_of_8(const __m512i v[8])
{
	__m512i pair[4], four[2];

	for (int i = 0; i < 4; i++)
		pair[i] = _mm512_add_epi64(_mm512_unpacklo_epi64(v[2 * i], v[2 * i + 1]),
		                           _mm512_unpackhi_epi64(v[2 * i], v[2 * i + 1]));
	for (int i = 0; i < 2; i++)
		four[i] = _mm512_add_epi64(_mm512_shuffle_i64x2(pair[2 * i], pair[2 * i + 1], 0x88),
		                           _mm512_shuffle_i64x2(pair[2 * i], pair[2 * i + 1], 0xdd));
	return _mm512_add_epi64(_mm512_shuffle_i64x2(four[0], four[1], 0x88),
	                        _mm512_shuffle_i64x2(four[0], four[1], 0xdd));
}

/* Rows of bits are short: eight at a time share one tree of additions. */
static void scan_hamming(const void *query, const void *rows, size_t n, size_t bytes, float *out)
{
	const uint8_t *q = query, *row = rows;
	size_t i = 0;

	for (; i + 8 <= n; i += 8, row += 8 * bytes) {
		__m512i sum[8];

		for (size_t r = 0; r < 8; r++) sum[r] = _mm512_setzero_si512();
		for (size_t b = 0; b < bytes; b += 64) {
			__mmask64 mask = mask64(bytes - b);
			for (size_t r = 0; r < 8; r++)
				sum[r] = _mm512_add_epi64(sum[r], differing(q + b, row + r * bytes + b, mask));
		}
		_mm256_storeu_ps(out + i, _mm512_cvtepu64_ps(sums_of_8(sum)));
	}
	for (; i < n; i++, row += bytes) out[i] = (float)hamming(q, row, bytes);
}

static size_t select_below(const float *values, size_t n, float bound, uint32_t *at)
{
	const __m512 limit = _mm512_set1_ps(bound);
	__m512i index = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
	size_t found = 0;

	for (size_t i = 0; i < n; i += 16) {
		__mmask16 mask = mask16(n - i);
		__mmask16 below = _mm512_mask_cmp_ps_mask(mask, _mm512_maskz_loadu_ps(mask, values + i), limit, _CMP_LE_OQ);

		/* Compressing to memory is microcoded on Zen 4: only when there is something. */
		if (below) {
			_mm512_mask_compressstoreu_epi32(at + found, below, index);
			found += (size_t)__builtin_popcount(below);
		}
		index = _mm512_add_epi32(index, _mm512_set1_epi32(16));
	}
	return found;
}

/* ---- the matrix product: 8 rows by 3 registers of queries fill 24 of the 32 registers with sums ---- */

enum { PANEL = 48, TILE = 8 };

KERNEL void panel_tile(const struct panel_job *job, size_t first, const size_t rows)
{
	const size_t dim = job->dim;
	const float *row = job->rows + first * dim, *query = job->queries;
	__m512 sum[TILE][3];

	for (size_t r = 0; r < rows; r++)
		for (size_t j = 0; j < 3; j++) sum[r][j] = _mm512_setzero_ps();
	for (size_t d = 0; d < dim; d++, query += PANEL) {
		__m512 q0 = _mm512_loadu_ps(query), q1 = _mm512_loadu_ps(query + 16), q2 = _mm512_loadu_ps(query + 32);

#pragma GCC unroll 8
		for (size_t r = 0; r < rows; r++) {
			__m512 x = _mm512_set1_ps(row[r * dim + d]);
			sum[r][0] = _mm512_fmadd_ps(q0, x, sum[r][0]);
			sum[r][1] = _mm512_fmadd_ps(q1, x, sum[r][1]);
			sum[r][2] = _mm512_fmadd_ps(q2, x, sum[r][2]);
		}
	}
	for (size_t r = 0; r < rows; r++) {
		uint64_t near = 0;

		for (size_t j = 0; j < 3; j++) {
			__m512 value = _mm512_fmadd_ps(sum[r][j], _mm512_set1_ps(job->factor),
			                               _mm512_set1_ps(job->base[first + r]));
			__m512 bound = _mm512_loadu_ps(job->bound + 16 * j);
			near |= (uint64_t)_mm512_cmp_ps_mask(value, bound, _CMP_NGT_UQ) << 16 * j;
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
	for (size_t i = 0; i < n; i += 16) {
		__mmask16 mask = mask16(n - i);
		_mm512_mask_storeu_ps(to + i, mask, f16_load_tail(from + i, mask));
	}
}

static void f32_to_f16(const float *from, uint16_t *to, size_t n)
{
	for (size_t i = 0; i < n; i += 16) {
		__mmask16 mask = mask16(n - i);
		__m256i half = _mm512_cvtps_ph(f32_load_tail(from + i, mask), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
		_mm256_mask_storeu_epi16(to + i, mask, half);
	}
}

/* ---- pixels ---- */

static inline __m512i half_level(void)
{
	return _mm512_set1_epi32(1 << (KERNEL_WEIGHT_BITS - 1));
}

static inline __m512i mix(__m512i sum, __m512i levels, __m512i weights)
{
	return _mm512_add_epi32(sum, _mm512_mullo_epi32(levels, weights));
}

static inline __m128i to_levels(__m512i sums)
{
	const __m512i v = _mm512_srai_epi32(sums, KERNEL_WEIGHT_BITS);

	return _mm512_cvtusepi32_epi8(_mm512_max_epi32(v, _mm512_setzero_si512()));
}

static void mix_rows(const uint8_t *const *rows, const int32_t *weights, size_t n_rows, uint8_t *to, size_t n)
{
	size_t i = 0;

	for (; i + 64 <= n; i += 64) {
		__m512i s0 = half_level(), s1 = s0, s2 = s0, s3 = s0;

		for (size_t k = 0; k < n_rows; k++) {
			const __m512i w = _mm512_set1_epi32(weights[k]);
			const uint8_t *p = rows[k] + i;

			s0 = mix(s0, _mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)p)), w);
			s1 = mix(s1, _mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)(p + 16))), w);
			s2 = mix(s2, _mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)(p + 32))), w);
			s3 = mix(s3, _mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)(p + 48))), w);
		}
		_mm_storeu_si128((void *)(to + i), to_levels(s0));
		_mm_storeu_si128((void *)(to + i + 16), to_levels(s1));
		_mm_storeu_si128((void *)(to + i + 32), to_levels(s2));
		_mm_storeu_si128((void *)(to + i + 48), to_levels(s3));
	}
	for (; i < n; i += 16) {
		const __mmask16 mask = mask16(n - i);
		__m512i sum = half_level();

		for (size_t k = 0; k < n_rows; k++)
			sum = mix(sum, _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(mask, rows[k] + i)), _mm512_set1_epi32(weights[k]));
		_mm_mask_storeu_epi8(to + i, mask, to_levels(sum));
	}
}

/* Four vectors that lie apart, as the quarters of one. */
static inline __m512i quarters(const void *a, const void *b, const void *c, const void *d)
{
	__m512i v = _mm512_castsi128_si512(_mm_loadu_si128(a));

	v = _mm512_inserti32x4(v, _mm_loadu_si128(b), 1);
	v = _mm512_inserti32x4(v, _mm_loadu_si128(c), 2);
	return _mm512_inserti32x4(v, _mm_loadu_si128(d), 3);
}

/* Pixel `k` of the five in each quarter, its three levels widened: a negative place gives zero. */
static inline __m512i pixel(__m512i bytes, int k)
{
	const int hole = (int)0x80808000;

	return _mm512_shuffle_epi8(bytes, _mm512_broadcast_i32x4(_mm_setr_epi32(hole | 3 * k, hole | (3 * k + 1),
	                                                                        hole | (3 * k + 2), hole | 0x80)));
}

static void mix_pixels(const uint8_t *row, const uint32_t *first, const int32_t *weights, size_t taps, uint8_t *to, size_t n)
{
	const __m128i close_up = _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1);
	size_t i = 0;

	for (; i + 4 <= n; i += 4) {
		const uint8_t *a = row + 3 * (size_t)first[i], *b = row + 3 * (size_t)first[i + 1];
		const uint8_t *c = row + 3 * (size_t)first[i + 2], *d = row + 3 * (size_t)first[i + 3];
		const int32_t *w = weights + i * taps;
		__m512i sum = half_level();

		for (size_t k = 0; k < taps; k += KERNEL_TAPS) {
			const __m512i bytes = quarters(a + 3 * k, b + 3 * k, c + 3 * k, d + 3 * k);
			const __m512i of = quarters(w + k, w + taps + k, w + 2 * taps + k, w + 3 * taps + k);

			sum = mix(sum, pixel(bytes, 0), _mm512_shuffle_epi32(of, (_MM_PERM_ENUM)0x00));
			sum = mix(sum, pixel(bytes, 1), _mm512_shuffle_epi32(of, (_MM_PERM_ENUM)0x55));
			sum = mix(sum, pixel(bytes, 2), _mm512_shuffle_epi32(of, (_MM_PERM_ENUM)0xaa));
			sum = mix(sum, pixel(bytes, 3), _mm512_shuffle_epi32(of, (_MM_PERM_ENUM)0xff));
		}
		_mm_mask_storeu_epi8(to + 3 * i, 0xfff, _mm_shuffle_epi8(to_levels(sum), close_up));
	}
	mix_pixels_from(row, first, weights, taps, to, i, n);
}

const struct kernels kernels_avx512 = KERNEL_TABLE("avx512", PANEL);
