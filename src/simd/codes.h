/* simd/codes.h - distances between the compact codes that a graph is walked by: one code against many that lie
 * anywhere.
 *
 * Codes have a multiple of 64 bytes and are aligned to 64. out[i] belongs to the code at codes + at[i] * bytes.
 * Integers: every instruction set gives the same.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_SIMD_CODES_H
#define AKIN_SIMD_CODES_H

#include <stddef.h>
#include <stdint.h>

enum { CODE_ALIGN = 64, CODE_TOP = 127 };

typedef void (*code_distances)(const uint8_t *query, const uint8_t *codes, size_t bytes, const uint32_t *at, size_t n,
			       uint32_t *out);

struct code_kernels {
	const char *name;       /* as in struct kernels */
	code_distances l2;      /* sum of squares of differences of bytes; bytes are at most CODE_TOP */
	code_distances hamming; /* differing bits */
};

const struct code_kernels *code_kernels_best(void);
/* NULL when this build or this processor has none. For tests. */
const struct code_kernels *code_kernels_by_name(const char *name);

extern const struct code_kernels code_kernels_scalar, code_kernels_avx2, code_kernels_avx512,
    code_kernels_neon;

#endif
