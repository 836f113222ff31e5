/* simd/codes: every instruction set equals the scalar kernels.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/alloc.h"
#include "simd/codes.h"

enum { CODES = 40 };

static const char *const names[] = { "avx2", "avx512", "neon" };

static void compare(const struct code_kernels *table, size_t bytes, unsigned top, struct rng *rng)
{
	uint8_t *codes = mem_aligned(CODES * bytes), *query = mem_aligned(bytes);
	uint32_t at[CODES], got[CODES], wanted[CODES];

	for (size_t i = 0; i < CODES * bytes; i++) codes[i] = (uint8_t)(i < bytes ? top : rng_below(rng, top + 1));
	for (size_t i = 0; i < bytes; i++) query[i] = (uint8_t)(i % 3 ? rng_below(rng, top + 1) : 0);
	for (size_t i = 0; i < CODES; i++) at[i] = (uint32_t)rng_below(rng, CODES);
	for (size_t n = 0; n <= CODES; n++) {
		if (top <= CODE_TOP) {
			table->l2(query, codes, bytes, at, n, got);
			code_kernels_scalar.l2(query, codes, bytes, at, n, wanted);
			CHECK(!memcmp(got, wanted, n * sizeof *got), "%s, %zu bytes\n", table->name, bytes);
		}
		table->hamming(query, codes, bytes, at, n, got);
		code_kernels_scalar.hamming(query, codes, bytes, at, n, wanted);
		CHECK(!memcmp(got, wanted, n * sizeof *got), "%s, %zu bytes\n", table->name, bytes);
	}
	mem_free(codes);
	mem_free(query);
}

TEST(every_table_equals_scalar)
{
	struct rng rng = { 3 };

	for (size_t i = 0; i < COUNT(names); i++) {
		const struct code_kernels *table = code_kernels_by_name(names[i]);

		if (!table) continue;
		for (size_t bytes = 64; bytes <= 1024; bytes += 64) {
			compare(table, bytes, CODE_TOP, &rng);
			compare(table, bytes, 255, &rng);
		}
	}
}

TEST(the_meaning_is_what_it_says)
{
	_Alignas(64) uint8_t query[64] = { 1, 7 }, codes[128] = { [64] = 4, [65] = 7, [127] = 2 };
	const uint32_t at[] = { 1, 0 };
	uint32_t out[2];

	code_kernels_scalar.l2(query, codes, 64, at, 2, out);
	CHECK(out[0] == 9 + 4 && out[1] == 1 + 49);
	code_kernels_scalar.hamming(query, codes, 64, at, 2, out);
	CHECK(out[0] == 2 + 1 && out[1] == 1 + 3);
}

TEST_MAIN(cmocka_unit_test(every_table_equals_scalar), cmocka_unit_test(the_meaning_is_what_it_says))
