/* simd/codes.c - the meaning of the kernels for codes, and which table is used: the one of the other kernels.
 * SPDX-License-Identifier: Apache-2.0 */
#include "simd/codes.h"

#include <string.h>

#include "base/status.h"
#include "simd/kernels.h"

static void l2(const uint8_t *query, const uint8_t *codes, size_t bytes, const uint32_t *at, size_t n, uint32_t *out)
{
	for (size_t i = 0; i < n; i++) {
		const uint8_t *code = codes + at[i] * bytes;
		uint32_t sum = 0;

		for (size_t b = 0; b < bytes; b++) {
			int difference = query[b] - code[b];
			sum += (uint32_t)(difference * difference);
		}
		out[i] = sum;
	}
}

static void hamming(const uint8_t *query, const uint8_t *codes, size_t bytes, const uint32_t *at, size_t n,
		    uint32_t *out)
{
	for (size_t i = 0; i < n; i++) {
		const uint8_t *code = codes + at[i] * bytes;
		int sum = 0;

		for (size_t b = 0; b < bytes; b += 8) {
			uint64_t x, y;

			memcpy(&x, query + b, sizeof x);
			memcpy(&y, code + b, sizeof y);
			sum += __builtin_popcountll(x ^ y);
		}
		out[i] = (uint32_t)sum;
	}
}

const struct code_kernels code_kernels_scalar = { "scalar", l2, hamming };

static const struct code_kernels *const tables[] = {
	&code_kernels_scalar,
#if defined(__x86_64__)
	&code_kernels_avx2,
	&code_kernels_avx512,
#elif defined(__aarch64__)
	&code_kernels_neon,
#endif
};

const struct code_kernels *code_kernels_by_name(const char *name)
{
	for (size_t i = 0; kernels_by_name(name) && i < COUNT(tables); i++)
		if (!strcmp(tables[i]->name, name)) return tables[i];
	return NULL;
}

const struct code_kernels *code_kernels_best(void)
{
	const struct code_kernels *found = code_kernels_by_name(kernels_best()->name);

	return found ? found : &code_kernels_scalar;
}
