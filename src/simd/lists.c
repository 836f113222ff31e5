/* simd/lists.c - kernels of lists: their meaning in plain C, and which go with which table.
 * SPDX-License-Identifier: Apache-2.0 */
#include "simd/lists.h"

#include <string.h>

#include "simd/lists_body.h"

static void sum_codes(const uint8_t *codes, size_t groups, const uint8_t *const *tables, size_t n_queries,
		      uint16_t *sums)
{
	memset(sums, 0, n_queries * LIST_BLOCK * sizeof *sums);
	for (size_t q = 0; q < n_queries; q++)
		for (size_t m = 0; m < groups * LIST_GROUP; m++) {
			const uint8_t *code = codes + 16 * m, *table = tables[q] + LIST_CODES * m;
			uint16_t *sum = sums + LIST_BLOCK * q;

			for (size_t i = 0; i < 16; i++) {
				sum[i] = (uint16_t)(sum[i] + table[code[i] & 15]);
				sum[i + 16] = (uint16_t)(sum[i + 16] + table[code[i] >> 4]);
			}
		}
}

static uint32_t estimate(const struct list_estimate *e, const uint16_t *sums, float bound, float *estimates)
{
	uint32_t near = 0;

	for (size_t i = 0; i < LIST_BLOCK; i++) {
		float scaled = (float)sums[i] * e->step, constant = e->bias[i] + e->base;
		scaled = (scaled + e->offset) * e->scale[i];
		estimates[i] = scaled + constant;
		near |= (uint32_t) !(estimates[i] > bound) << i;
	}
	return near;
}

enum { PANEL = 8 };

static void product(const float *vectors, const float *rows, size_t n, size_t dim, float *out)
{
	for (size_t r = 0; r < n; r++) {
		float sum[PANEL] = { 0 };

		for (size_t d = 0; d < dim; d++)
			for (size_t j = 0; j < PANEL; j++) sum[j] += vectors[d * PANEL + j] * rows[r * dim + d];
		memcpy(out + r * PANEL, sum, sizeof sum);
	}
}

const struct list_kernels list_kernels_scalar = LIST_KERNEL_TABLE(PANEL);

const struct list_kernels *list_kernels_for(const struct kernels *kernels)
{
#if defined(__x86_64__)
	if (kernels == &kernels_avx2) return &list_kernels_avx2;
	if (kernels == &kernels_avx512) return &list_kernels_avx512;
#elif defined(__aarch64__)
	if (kernels == &kernels_neon) return &list_kernels_neon;
#endif
	(void)kernels;
	return &list_kernels_scalar;
}
