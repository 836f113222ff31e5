/* simd/table.h - what the files of kernels share: how a one-row kernel becomes a scan, and the table's layout.
 * A file defines the functions named in KERNEL_TABLE, then the table.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_SIMD_TABLE_H
#define AKIN_SIMD_TABLE_H

#include "simd/kernels.h"

/* The kernel is inlined here: a call for each row of 64 bytes would cost as much as the row. */
#define KERNEL static inline __attribute__((always_inline))

#define SCAN(kernel, row_type)                                                                                         \
	static void scan_##kernel(const void *query, const void *rows, size_t n, size_t dim, float *out)               \
	{                                                                                                              \
		const row_type *row = rows;                                                                            \
                                                                                                                       \
		for (size_t i = 0; i < n; i++) out[i] = (float)kernel(query, row + i * dim, dim);                      \
	}

/* A weighted sum as a level. */
static inline uint8_t level_of(int32_t sum)
{
	sum = (sum + (1 << (KERNEL_WEIGHT_BITS - 1))) >> KERNEL_WEIGHT_BITS;
	return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

/* For tails too. */
static inline void mix_rows_from(const uint8_t *const *rows, const int32_t *weights, size_t n_rows, uint8_t *to, size_t i,
                                 size_t n)
{
	for (; i < n; i++) {
		int32_t sum = 0;

		for (size_t k = 0; k < n_rows; k++) sum += weights[k] * rows[k][i];
		to[i] = level_of(sum);
	}
}

static inline void mix_pixels_from(const uint8_t *row, const uint32_t *first, const int32_t *weights, size_t taps, uint8_t *to,
                                   size_t i, size_t n)
{
	for (; i < n; i++)
		for (size_t c = 0; c < 3; c++) {
			const uint8_t *from = row + 3 * (size_t)first[i] + c;
			int32_t sum = 0;

			for (size_t k = 0; k < taps; k++) sum += weights[i * taps + k] * from[3 * k];
			to[3 * i + c] = level_of(sum);
		}
}

#define KERNEL_TABLE(table_name, panel_queries)                                                                        \
	{                                                                                                              \
		.name = table_name, .l2_f32 = l2_f32, .ip_f32 = ip_f32, .l2_f16 = l2_f16, .ip_f16 = ip_f16,            \
		.l2_i8 = l2_i8, .ip_i8 = ip_i8, .l2_u8 = l2_u8, .ip_u8 = ip_u8, .hamming = hamming,                    \
		.scan_l2_f32 = scan_l2_f32, .scan_ip_f32 = scan_ip_f32, .scan_l2_f16 = scan_l2_f16,                    \
		.scan_ip_f16 = scan_ip_f16, .scan_l2_i8 = scan_l2_i8, .scan_ip_i8 = scan_ip_i8,                        \
		.scan_l2_u8 = scan_l2_u8, .scan_ip_u8 = scan_ip_u8, .scan_hamming = scan_hamming,                      \
		.select = select_below, .panel = panel_queries, .panel_f32 = panel_f32, .f16_to_f32 = f16_to_f32,      \
		.f32_to_f16 = f32_to_f16, .mix_rows = mix_rows, .mix_pixels = mix_pixels,                              \
	}

extern const struct kernels kernels_scalar, kernels_avx2, kernels_avx512, kernels_neon;

#endif
