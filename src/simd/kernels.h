/* simd/kernels.h - distances between vectors and weighted sums of pixels, for every instruction set.
 *
 * scalar.c defines the meaning; avx2.c, avx512.c and neon.c fill the same table faster. kernels_best() picks once, by
 * what the processor can do and what AKIN_SIMD (scalar|avx2|avx512|neon) allows; an index keeps the pointer. Integer kernels
 * equal scalar bit for bit; float kernels differ by the order of additions only. No alignment is asked for, and no byte
 * beyond the vectors is read, nor beyond the pixels except where said.
 *
 * Squares of 65,536 differences of bytes reach 4.26e9: they fit uint32_t, not int32_t.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_SIMD_KERNELS_H
#define AKIN_SIMD_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/* One query against n rows that lie one after another: out[i] is the one-row kernel's value for row i as a float, bit for
 * bit. `dim` counts the row's elements, bytes for hamming. */
typedef void (*kernel_scan)(const void *query, const void *rows, size_t n, size_t dim, float *out);

enum { KERNEL_PANEL_MAX = 64 };

/* Many queries against many rows: a register-blocked matrix product that keeps no product, only who may be near. */
struct panel_job {
	const float *queries; /* transposed: component d of query j at d * panel + j */
	const float *rows;    /* n rows of dim */
	size_t n, dim;
	const float *base;    /* of each row */
	float factor;
	const float *bound;   /* of each query */
	uint64_t *near;       /* out, of each row: bit j is set unless base + factor * <query j, row> > bound[j] */
};

/* Weighted sums of pixels as Pillow computes them: a weight of 1 is 1 << KERNEL_WEIGHT_BITS, a sum is rounded to the
 * nearest level, halves up, and clamped. Weights add up to at most 2 by their absolute values, or int32_t would overflow. */
enum { KERNEL_WEIGHT_BITS = 22, KERNEL_TAPS = 4, KERNEL_OVERREAD = 16 };

struct kernels {
	const char *name;
	/* query against one row */
	float (*l2_f32)(const float *a, const float *b, size_t dim);
	float (*ip_f32)(const float *a, const float *b, size_t dim);
	float (*l2_f16)(const float *a, const uint16_t *b, size_t dim); /* query f32, row f16 */
	float (*ip_f16)(const float *a, const uint16_t *b, size_t dim);
	uint32_t (*l2_i8)(const int8_t *a, const int8_t *b, size_t dim);
	int32_t (*ip_i8)(const int8_t *a, const int8_t *b, size_t dim);
	uint32_t (*l2_u8)(const uint8_t *a, const uint8_t *b, size_t dim);
	uint32_t (*ip_u8)(const uint8_t *a, const uint8_t *b, size_t dim);
	uint32_t (*hamming)(const uint8_t *a, const uint8_t *b, size_t bytes);
	/* query against many rows */
	kernel_scan scan_l2_f32, scan_ip_f32, scan_l2_f16, scan_ip_f16, scan_l2_i8, scan_ip_i8, scan_l2_u8, scan_ip_u8,
	        scan_hamming;
	/* Write the i < n with values[i] <= bound to `at`, ascending, and return how many; room for n. NaN is never among them. */
	size_t (*select)(const float *values, size_t n, float bound, uint32_t *at);
	/* queries against rows */
	size_t panel; /* queries in a panel, at most KERNEL_PANEL_MAX */
	void (*panel_f32)(const struct panel_job *job);
	/* to[i] = sum of weights[k] * rows[k][i] over k < n_rows, for i < n bytes */
	void (*mix_rows)(const uint8_t *const *rows, const int32_t *weights, size_t n_rows, uint8_t *to, size_t n);
	/* Pixel i of n = sum of weights[i * taps + k] * pixel first[i] + k of the row over k < taps, a multiple of KERNEL_TAPS;
	 * pixels are RGB. Of the row, KERNEL_OVERREAD bytes beyond the furthest of these pixels may be read. */
	void (*mix_pixels)(const uint8_t *row, const uint32_t *first, const int32_t *weights, size_t taps, uint8_t *to, size_t n);
	/* conversions; a NaN stays one, made quiet */
	void (*f16_to_f32)(const uint16_t *from, float *to, size_t n);
	void (*f32_to_f16)(const float *from, uint16_t *to, size_t n); /* to nearest even */
};

/* The fastest table allowed here. */
const struct kernels *kernels_best(void);
/* A table by name, NULL when this build or this processor has none. For tests. */
const struct kernels *kernels_by_name(const char *name);

#endif
