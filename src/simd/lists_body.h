/* simd/lists_body.h - kernels of lists that compilers vectorise well by themselves: included, and so compiled, by the
 * file of each instruction set. SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_SIMD_LISTS_BODY_H
#define AKIN_SIMD_LISTS_BODY_H

#include <string.h>

#include "simd/lists.h"
#include "simd/table.h"

/* One float for each entry of a subspace; compilers make of it what registers there are. (Plain loops over 16 are
 * unrolled into scalars by gcc 12, ten times slower.) */
typedef float lanes __attribute__((vector_size(4 * LIST_CODES)));
typedef int32_t int_lanes __attribute__((vector_size(4 * LIST_CODES)));
typedef uint8_t byte_lanes __attribute__((vector_size(LIST_CODES)));

#define LANES_TURNED(v, by)                                                                                            \
	__builtin_shufflevector(v, v, (0 + by) % 16, (1 + by) % 16, (2 + by) % 16, (3 + by) % 16, (4 + by) % 16,       \
				(5 + by) % 16, (6 + by) % 16, (7 + by) % 16, (8 + by) % 16, (9 + by) % 16,             \
				(10 + by) % 16, (11 + by) % 16, (12 + by) % 16, (13 + by) % 16, (14 + by) % 16,        \
				(15 + by) % 16)
#define LANES_FOLD(v, op, by)                                                                                          \
	do {                                                                                                           \
		lanes turned_ = LANES_TURNED(v, by);                                                                   \
		int_lanes which_ = turned_ op v;                                                                       \
		v = (lanes)(((int_lanes)turned_ & which_) | ((int_lanes)v & ~which_));                                 \
	} while (0)
/* The least or, with >, the most, in every lane. */
#define LANES_FOLD_ALL(v, op)                                                                                          \
	do {                                                                                                           \
		LANES_FOLD(v, op, 8);                                                                                  \
		LANES_FOLD(v, op, 4);                                                                                  \
		LANES_FOLD(v, op, 2);                                                                                  \
		LANES_FOLD(v, op, 1);                                                                                  \
	} while (0)

static inline void lanes_load(lanes *v, const float *from)
{
	memcpy(v, from, sizeof *v);
}

/* <vector, entry> for the entries of a subspace. */
KERNEL void subspace_products(const float *entries, const float *vector, size_t width, lanes *sum)
{
	lanes entry;

	*sum = (lanes){ 0 };
	for (size_t d = 0; d < width; d++) {
		lanes_load(&entry, entries + d * LIST_CODES);
		*sum += vector[d] * entry;
	}
}

/* The step is the same for every subspace, or sums would mean nothing; it keeps each entry below 256 and the whole
 * below 65,536. Not finite, or all alike: the tables say nothing. */
static float step_for(float widest, float total, size_t subspaces)
{
	const float each = widest / 255, all = total / (float)(65535 - subspaces), step = each > all ? each : all;

	return total <= 3e38f && step > 1e-38f ? step : 0;
}

static void make_tables(const float *codebook, const float *query, size_t subspaces, size_t width,
			struct list_tables *tables)
{
	float *products = tables->room, *leasts = products + subspaces * LIST_CODES, widest = 0, total = 0, inverse;

	tables->offset = 0;
	for (size_t m = 0; m < subspaces; m++) {
		lanes v, least, most;
		float range;

		subspace_products(codebook + m * width * LIST_CODES, query + m * width, width, &v);
		least = most = v;
		LANES_FOLD_ALL(least, <);
		LANES_FOLD_ALL(most, >);
		range = most[0] - least[0];
		memcpy(products + m * LIST_CODES, &v, sizeof v);
		leasts[m] = least[0];
		widest = range > widest ? range : widest;
		total += range;
		tables->offset += least[0];
	}
	tables->step = step_for(widest, total, subspaces);
	inverse = tables->step > 0 ? 1 / tables->step : 0;
	for (size_t m = 0; m < subspaces; m++) {
		byte_lanes bytes = { 0 };
		lanes steps;

		lanes_load(&steps, products + m * LIST_CODES);
		steps = (steps - leasts[m]) * inverse + 0.5f;
		if (inverse > 0) bytes = __builtin_convertvector(__builtin_convertvector(steps, int_lanes), byte_lanes);
		memcpy(tables->at + m * LIST_CODES, &bytes, sizeof bytes);
	}
}

static void encode(const float *codebook, const float *half_norms, const float *vector, size_t subspaces, size_t width,
		   uint8_t *codes)
{
	for (size_t m = 0; m < subspaces; m++) {
		lanes products, distances, least;
		int_lanes farther;
		size_t j = 0;

		subspace_products(codebook + m * width * LIST_CODES, vector + m * width, width, &products);
		lanes_load(&distances, half_norms + m * LIST_CODES);
		least = distances = distances - products;
		LANES_FOLD_ALL(least, <);
		farther = distances > least;
		while (j < LIST_CODES - 1 && farther[j]) j++;
		codes[m] = (uint8_t)j;
	}
}

#define LIST_KERNEL_TABLE(panel_vectors)                                                                               \
	{                                                                                                              \
		.sum_codes = sum_codes, .estimate = estimate, .make_tables = make_tables, .encode = encode,            \
		.panel = panel_vectors, .product = product,                                                            \
	}

#endif
