/* simd/lists.h - kernels of inverted lists: 4-bit codes looked up in registers, and plain matrix products.
 *
 * Codes of 32 vectors lie together (Andre, Kermarrec, Le Scouarnec, Cache locality is not enough: high-performance
 * nearest neighbor search with product quantization fast scan, VLDB 2015): byte 16 * m + i of a block holds the code of
 * vector i in subspace m in its low half, that of vector i + 16 in its high half. A table of 16 bytes is one register,
 * so that one shuffle looks up 16 vectors. Subspaces come in groups of four, 64 bytes, for every instruction set alike.
 *
 * Sums of codes equal scalar bit for bit; the caller's tables never add up to more than 65,535.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_SIMD_LISTS_H
#define AKIN_SIMD_LISTS_H

#include "simd/kernels.h"

enum { LIST_BLOCK = 32, LIST_GROUP = 4, LIST_CODES = 16, LIST_PANEL_MAX = 64 };

/* Tables of one query, quantised: <query, codebook entries> is about offset + step * sum. */
struct list_tables {
	float offset, step;
	uint8_t *at; /* subspaces x 16 */
	float *room; /* subspaces x 17, to work in */
};

/* What turns sums into estimates: scale[i] * (offset + step * sum) + bias[i] + base. */
struct list_estimate {
	const float *scale, *bias; /* of the block's vectors */
	float offset, step, base;
};

struct list_kernels {
	/* sums[32 * q + i]: of the tables of query q at the codes of vector i. */
	void (*sum_codes)(const uint8_t *codes, size_t groups, const uint8_t *const *tables, size_t n_queries,
			  uint16_t *sums);
	/* Bit i of the result is set unless estimates[i] > bound. */
	uint32_t (*estimate)(const struct list_estimate *e, const uint16_t *sums, float bound, float *estimates);
	/* The tables of a query; codebook[(m * width + d) * 16 + j] is component d of entry j of subspace m. */
	void (*make_tables)(const float *codebook, const float *query, size_t subspaces, size_t width,
			    struct list_tables *tables);
	/* codes[m]: the entry nearest to the vector; half_norms: of the entries, squared and halved. */
	void (*encode)(const float *codebook, const float *half_norms, const float *vector, size_t subspaces,
		       size_t width, uint8_t *codes);
	/* out[r * panel + j] = <row r, vector j>, the vectors transposed: component d of vector j at d * panel + j. */
	size_t panel;
	void (*product)(const float *vectors, const float *rows, size_t n, size_t dim, float *out);
};

/* Those that go with a table of kernels. */
const struct list_kernels *list_kernels_for(const struct kernels *kernels);

extern const struct list_kernels list_kernels_scalar, list_kernels_avx2, list_kernels_avx512, list_kernels_neon;

#endif
