/* simd/lists: every table against scalar; sums of codes and estimates bit for bit, products on small integers.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <math.h>
#include <stdlib.h>

#include "simd/lists.h"

static const char *const names[] = { "scalar", "avx2", "avx512", "neon" };

#define EACH_TABLE(k)                                                                                                  \
	for (size_t table_ = 0; table_ < COUNT(names); table_++)                                                       \
		for (const struct list_kernels *k =                                                                    \
			 kernels_by_name(names[table_]) ? list_kernels_for(kernels_by_name(names[table_])) : NULL;     \
		     k; k = NULL)

static const struct list_kernels *scalar(void)
{
	return list_kernels_for(kernels_by_name("scalar"));
}

/* Exactly so long on the heap, so that the address sanitizer sees a read beyond. */
static void *random_bytes(struct rng *rng, size_t n)
{
	uint8_t *bytes = malloc(n + !n);

	if (!bytes) abort();
	for (size_t i = 0; i < n; i++) bytes[i] = (uint8_t)rng_u64(rng);
	return bytes;
}

static float *random_floats(struct rng *rng, size_t n, int integers)
{
	float *floats = random_bytes(rng, n * sizeof *floats);

	for (size_t i = 0; i < n; i++) floats[i] = integers ? (float)rng_below(rng, 17) - 8 : (float)rng_normal(rng);
	return floats;
}

TEST(sums_of_codes_equal_scalar)
{
	enum { QUERIES = 7 };
	struct rng rng = { 1 };

	for (size_t groups = 0; groups < 70; groups += 1 + groups / 4) {
		const size_t bytes = groups * LIST_GROUP * 16;
		uint8_t *codes = random_bytes(&rng, bytes), *tables[QUERIES];
		uint16_t wanted[QUERIES * LIST_BLOCK], got[QUERIES * LIST_BLOCK];

		for (size_t q = 0; q < QUERIES; q++) {
			tables[q] = random_bytes(&rng, bytes);
			/* The largest sums that are allowed: 64 groups of 255. */
			if (groups > 64 || q == 0) memset(tables[q], groups > 64 ? 200 : 255, bytes);
		}
		EACH_TABLE(k)
		for (size_t n = 0; n <= QUERIES; n++) {
			scalar()->sum_codes(codes, groups, (const uint8_t *const *)tables, n, wanted);
			k->sum_codes(codes, groups, (const uint8_t *const *)tables, n, got);
			CHECK(!memcmp(wanted, got, n * LIST_BLOCK * sizeof *got), "%zu groups, %zu queries\n", groups,
			      n);
		}
		for (size_t q = 0; q < QUERIES; q++) free(tables[q]);
		free(codes);
	}
}

TEST(estimates_equal_scalar)
{
	struct rng rng = { 2 };

	EACH_TABLE(k)
	for (int round = 0; round < 200; round++) {
		float *scale = random_floats(&rng, LIST_BLOCK, 0), *bias = random_floats(&rng, LIST_BLOCK, 0);
		uint16_t *sums = random_bytes(&rng, LIST_BLOCK * sizeof *sums);
		const struct list_estimate e = { scale, bias, (float)rng_normal(&rng), 0.001f,
						 (float)rng_normal(&rng) };
		const float bound =
		    round % 5 ? (float)rng_normal(&rng) * 30 : (float[]){ INFINITY, -INFINITY, NAN }[round % 3];
		float wanted[LIST_BLOCK], got[LIST_BLOCK];

		if (round % 7 == 0) bias[5] = NAN;
		CHECK(scalar()->estimate(&e, sums, bound, wanted) == k->estimate(&e, sums, bound, got), "round %d\n",
		      round);
		for (size_t i = 0; i < LIST_BLOCK; i++)
			CHECK(wanted[i] == got[i] || (isnan(wanted[i]) && isnan(got[i])));
		free(scale);
		free(bias);
		free(sums);
	}
}

TEST(tables_and_codes_equal_scalar)
{
	struct rng rng = { 3 };

	EACH_TABLE(k)
	for (size_t subspaces = 4; subspaces < 60; subspaces += 12)
		for (size_t width = 1; width < 9; width += 2) {
			const size_t n = subspaces * LIST_CODES;
			float *codebook = random_floats(&rng, n * width, 1), *norms = random_floats(&rng, n, 1);
			float *query = random_floats(&rng, subspaces * width, 1),
			      *room = random_floats(&rng, n + subspaces, 1);
			uint8_t *at[2] = { random_bytes(&rng, n), random_bytes(&rng, n) }, *codes[2];
			struct list_tables t[2] = { { .at = at[0], .room = room }, { .at = at[1], .room = room } };

			scalar()->make_tables(codebook, query, subspaces, width, &t[0]);
			k->make_tables(codebook, query, subspaces, width, &t[1]);
			CHECK(t[0].step == t[1].step && t[0].offset == t[1].offset && !memcmp(at[0], at[1], n));
			codes[0] = random_bytes(&rng, subspaces);
			codes[1] = random_bytes(&rng, subspaces);
			scalar()->encode(codebook, norms, query, subspaces, width, codes[0]);
			k->encode(codebook, norms, query, subspaces, width, codes[1]);
			CHECK(!memcmp(codes[0], codes[1], subspaces));
			for (int i = 0; i < 2; i++) free(at[i]), free(codes[i]);
			free(codebook);
			free(norms);
			free(query);
			free(room);
		}
}

/* Each entry is within half a step of the product that it stands for, and no sum can overflow. */
TEST(tables_say_what_the_products_are)
{
	enum { SUBSPACES = 400, WIDTH = 3, N = SUBSPACES * LIST_CODES };
	struct rng rng = { 4 };

	EACH_TABLE(k)
	for (int far = 0; far < 2; far++) {
		float *codebook = random_floats(&rng, N * WIDTH, 0), *query = random_floats(&rng, SUBSPACES * WIDTH, 0);
		float *room = random_floats(&rng, N + SUBSPACES, 0), leasts = 0;
		uint8_t *at = random_bytes(&rng, N);
		struct list_tables t = { .at = at, .room = room };
		size_t most = 0;

		if (far) query[7] = 1e6f;
		k->make_tables(codebook, query, SUBSPACES, WIDTH, &t);
		for (size_t m = 0; m < SUBSPACES; m++) {
			float least = INFINITY, product[LIST_CODES] = { 0 };
			uint8_t largest = 0;

			for (size_t j = 0; j < LIST_CODES; j++) {
				for (size_t d = 0; d < WIDTH; d++)
					product[j] += query[m * WIDTH + d] * codebook[(m * WIDTH + d) * LIST_CODES + j];
				least = product[j] < least ? product[j] : least;
				largest = at[m * LIST_CODES + j] > largest ? at[m * LIST_CODES + j] : largest;
			}
			for (size_t j = 0; j < LIST_CODES; j++)
				CHECK(fabsf(product[j] - least - t.step * at[m * LIST_CODES + j]) < 0.502f * t.step);
			leasts += least;
			most += largest;
		}
		CHECK(most <= 65535 && fabsf(leasts - t.offset) <= 1e-3f * fabsf(leasts));
		free(codebook);
		free(query);
		free(room);
		free(at);
	}
}

TEST(tables_of_what_is_no_number_are_blank)
{
	enum { N = 4 * LIST_CODES };
	const float bad[] = { NAN, INFINITY, 0, 1e38f };

	EACH_TABLE(k)
	for (size_t i = 0; i < COUNT(bad); i++) {
		float codebook[N], query[4] = { 1e38f, 1, 1, 1 }, room[N + 4];
		uint8_t at[N];
		struct list_tables t = { .at = at, .room = room };

		for (size_t j = 0; j < N; j++) codebook[j] = j % 3 ? bad[i] : 0;
		k->make_tables(codebook, query, 4, 1, &t);
		CHECK(t.step == 0);
		for (size_t j = 0; j < N; j++) CHECK(!at[j]);
	}
}

TEST(products_equal_a_loop)
{
	struct rng rng = { 5 };

	EACH_TABLE(k)
	for (size_t n = 0; n < 20; n++)
		for (size_t dim = 1; dim < 70; dim += 1 + dim / 3) {
			float *vectors = random_floats(&rng, dim * k->panel, 1),
			      *rows = random_floats(&rng, n * dim, 1);
			float *got = random_floats(&rng, n * k->panel, 1);

			CHECK(k->panel <= LIST_PANEL_MAX);
			k->product(vectors, rows, n, dim, got);
			for (size_t r = 0; r < n; r++)
				for (size_t j = 0; j < k->panel; j++) {
					float wanted = 0;

					for (size_t d = 0; d < dim; d++)
						wanted += vectors[d * k->panel + j] * rows[r * dim + d];
					CHECK(wanted == got[r * k->panel + j], "row %zu of %zu, dim %zu\n", r, n, dim);
				}
			free(vectors);
			free(rows);
			free(got);
		}
}

TEST_MAIN(cmocka_unit_test(sums_of_codes_equal_scalar), cmocka_unit_test(estimates_equal_scalar),
	  cmocka_unit_test(tables_and_codes_equal_scalar), cmocka_unit_test(tables_say_what_the_products_are),
	  cmocka_unit_test(tables_of_what_is_no_number_are_blank), cmocka_unit_test(products_equal_a_loop))
