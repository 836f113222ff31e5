/* simd/: every table against scalar, on small integers, where float sums are exact and so must be equal.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <math.h>
#include <stdlib.h>

#include "simd/kernels.h"

enum { MOST_DIMS = 131, ROWS = 21 };

static const char *const names[] = { "scalar", "avx2", "avx512", "neon" };

#define EACH_TABLE(k)                                                                                                  \
	for (size_t table_ = 0; table_ < COUNT(names); table_++)                                                       \
		for (const struct kernels *k = kernels_by_name(names[table_]); k; k = NULL)

/* Exactly `bytes` long on the heap, so that the address sanitizer sees a read beyond; starts off any alignment. */
struct block {
	uint8_t *base, *at;
};

static struct block block_of(struct rng *rng, size_t bytes, size_t shift)
{
	struct block b = { malloc(bytes + shift + !(bytes + shift)), NULL };

	if (!b.base) abort();
	b.at = b.base + shift;
	for (size_t i = 0; i < bytes; i++) b.at[i] = (uint8_t)rng_u64(rng);
	return b;
}

static void make_integers(struct rng *rng, float *to, size_t n)
{
	for (size_t i = 0; i < n; i++) to[i] = (float)rng_below(rng, 17) - 8;
}

TEST(float_kernels_equal_scalar)
{
	const struct kernels *s = kernels_by_name("scalar");
	struct rng rng = { 1 };

	EACH_TABLE(k)
	for (size_t dim = 0; dim < MOST_DIMS; dim++) {
		struct block a = block_of(&rng, 4 * dim, 4), b = block_of(&rng, 4 * dim, 4), h = block_of(&rng, 2 * dim, 2);
		float *x = (void *)a.at, *y = (void *)b.at;
		uint16_t *z = (void *)h.at;

		make_integers(&rng, x, dim);
		make_integers(&rng, y, dim);
		s->f32_to_f16(y, z, dim);
		CHECK(k->l2_f32(x, y, dim) == s->l2_f32(x, y, dim), "%s, dim %zu\n", k->name, dim);
		CHECK(k->ip_f32(x, y, dim) == s->ip_f32(x, y, dim), "%s, dim %zu\n", k->name, dim);
		CHECK(k->l2_f16(x, z, dim) == s->l2_f32(x, y, dim), "%s, dim %zu\n", k->name, dim);
		CHECK(k->ip_f16(x, z, dim) == s->ip_f32(x, y, dim), "%s, dim %zu\n", k->name, dim);
		free(a.base);
		free(b.base);
		free(h.base);
	}
}

static void check_bytes(const struct kernels *k, const uint8_t *a, const uint8_t *b, size_t dim)
{
	const struct kernels *s = kernels_by_name("scalar");
	const int8_t *i = (const int8_t *)a, *j = (const int8_t *)b;

	CHECK(k->l2_i8(i, j, dim) == s->l2_i8(i, j, dim), "%s, dim %zu\n", k->name, dim);
	CHECK(k->ip_i8(i, j, dim) == s->ip_i8(i, j, dim), "%s, dim %zu\n", k->name, dim);
	CHECK(k->l2_u8(a, b, dim) == s->l2_u8(a, b, dim), "%s, dim %zu\n", k->name, dim);
	CHECK(k->ip_u8(a, b, dim) == s->ip_u8(a, b, dim), "%s, dim %zu\n", k->name, dim);
	CHECK(k->hamming(a, b, dim) == s->hamming(a, b, dim), "%s, bytes %zu\n", k->name, dim);
}

TEST(byte_kernels_equal_scalar)
{
	static const uint8_t extremes[] = { 0, 1, 127, 128, 255 }; /* as signed: 0, 1, 127, -128, -1 */
	struct rng rng = { 2 };

	EACH_TABLE(k)
	for (size_t dim = 0; dim < MOST_DIMS; dim++) {
		struct block a = block_of(&rng, dim, 1 + dim % 3), b = block_of(&rng, dim, dim % 2);

		check_bytes(k, a.at, b.at, dim);
		for (size_t i = 0; i < COUNT(extremes); i++)
			for (size_t j = 0; j < COUNT(extremes); j++) {
				memset(a.at, extremes[i], dim);
				memset(b.at, extremes[j], dim);
				check_bytes(k, a.at, b.at, dim);
			}
		free(a.base);
		free(b.base);
	}
}

TEST(the_largest_sums_of_bytes_fit)
{
	enum { DIM = 65536 };
	struct rng rng = { 3 };
	struct block a = block_of(&rng, DIM, 0), b = block_of(&rng, DIM, 0);

	EACH_TABLE(k)
	{
		memset(a.at, 255, DIM);
		memset(b.at, 0, DIM);
		CHECK(k->l2_u8(a.at, b.at, DIM) == 4261478400u, "%s\n", k->name);
		memset(b.at, 255, DIM);
		CHECK(k->ip_u8(a.at, b.at, DIM) == 4261478400u, "%s\n", k->name);
		memset(a.at, 128, DIM);
		memset(b.at, 127, DIM);
		CHECK(k->l2_i8((int8_t *)a.at, (int8_t *)b.at, DIM) == 4261478400u, "%s\n", k->name);
		CHECK(k->ip_i8((int8_t *)a.at, (int8_t *)b.at, DIM) == -128 * 127 * DIM, "%s\n", k->name);
	}
	free(a.base);
	free(b.base);
}

/* Floats whose sums round, so that another order of additions would show. */
static void make_rough(struct rng *rng, float *to, size_t n)
{
	for (size_t i = 0; i < n; i++) to[i] = (float)rng_normal(rng);
}

#define CHECK_SCAN(k, kernel, query_type, row_type)                                                                    \
	do {                                                                                                           \
		float out_[ROWS];                                                                                      \
		k->scan_##kernel(query.at, rows.at, n, dim, out_);                                                     \
		for (size_t i_ = 0; i_ < n; i_++) {                                                                    \
			float one_ = (float)k->kernel((query_type *)query.at, (row_type *)rows.at + i_ * dim, dim);    \
			CHECK(!memcmp(&one_, out_ + i_, 4), "%s " #kernel ", dim %zu\n", k->name, dim);               \
		}                                                                                                      \
	} while (0)

TEST(a_scan_is_the_kernel_for_each_row_bit_for_bit)
{
	struct rng rng = { 4 };

	EACH_TABLE(k)
	for (size_t dim = 0; dim < MOST_DIMS; dim++) {
		const size_t n = dim % (ROWS + 1);
		struct block query = block_of(&rng, 4 * dim, 4), rows = block_of(&rng, 4 * dim * n, 4);

		CHECK_SCAN(k, l2_i8, int8_t, int8_t);
		CHECK_SCAN(k, ip_i8, int8_t, int8_t);
		CHECK_SCAN(k, l2_u8, uint8_t, uint8_t);
		CHECK_SCAN(k, ip_u8, uint8_t, uint8_t);
		CHECK_SCAN(k, hamming, uint8_t, uint8_t);
		make_rough(&rng, (void *)query.at, dim);
		make_rough(&rng, (void *)rows.at, dim * n);
		CHECK_SCAN(k, l2_f32, float, float);
		CHECK_SCAN(k, ip_f32, float, float);
		for (size_t i = 0; i < 2 * dim * n; i++) ((uint16_t *)(void *)rows.at)[i] &= 0x3fff;
		CHECK_SCAN(k, l2_f16, float, uint16_t);
		CHECK_SCAN(k, ip_f16, float, uint16_t);
		free(query.base);
		free(rows.base);
	}
}

TEST(select_finds_what_a_loop_finds)
{
	static const float bounds[] = { -9, -0.0f, 3, 9, INFINITY, -INFINITY };
	struct rng rng = { 5 };

	EACH_TABLE(k)
	for (size_t n = 0; n < MOST_DIMS; n++)
		for (size_t b = 0; b < COUNT(bounds); b++) {
			struct block v = block_of(&rng, 4 * n, 4), at = block_of(&rng, 4 * n, 4);
			float *values = (void *)v.at;
			uint32_t *got = (void *)at.at;
			size_t found, wanted = 0;

			make_integers(&rng, values, n);
			if (n > 3) values[rng_below(&rng, n)] = NAN;
			if (n > 9) values[rng_below(&rng, n)] = INFINITY;
			found = k->select(values, n, bounds[b], got);
			for (size_t i = 0; i < n; i++) {
				if (!(values[i] <= bounds[b])) continue;
				CHECK(wanted < found && got[wanted] == i, "%s, n %zu, bound %g\n", k->name, n, bounds[b]);
				wanted++;
			}
			CHECK(wanted == found);
			free(v.base);
			free(at.base);
		}
}

static void check_panel(const struct kernels *k, struct rng *rng, size_t n, size_t dim)
{
	const struct kernels *s = kernels_by_name("scalar");
	struct block q = block_of(rng, 4 * dim * k->panel, 4), r = block_of(rng, 4 * dim * n, 4);
	struct block b = block_of(rng, 4 * n, 4), near = block_of(rng, 8 * n, 8);
	float bound[KERNEL_PANEL_MAX], query[MOST_DIMS], *queries = (void *)q.at, *rows = (void *)r.at, *base = (void *)b.at;
	struct panel_job job = { queries, rows, n, dim, base, -2, bound, (void *)near.at };

	make_integers(rng, queries, dim * k->panel);
	make_integers(rng, rows, dim * n);
	make_integers(rng, base, n);
	make_integers(rng, bound, k->panel);
	if (n > 2) base[1] = NAN;
	bound[k->panel - 1] = NAN;
	k->panel_f32(&job);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < k->panel; j++) {
			for (size_t d = 0; d < dim; d++) query[d] = queries[d * k->panel + j];
			CHECK((job.near[i] >> j & 1) == !(base[i] - 2 * s->ip_f32(query, rows + i * dim, dim) > bound[j]),
			      "%s, n %zu, dim %zu, row %zu, query %zu\n", k->name, n, dim, i, j);
		}
	free(q.base);
	free(r.base);
	free(b.base);
	free(near.base);
}

TEST(a_panel_marks_what_a_loop_marks)
{
	struct rng rng = { 6 };

	EACH_TABLE(k)
	{
		CHECK(k->panel > 0 && k->panel <= KERNEL_PANEL_MAX);
		for (size_t n = 0; n < 20; n++)
			for (size_t dim = 0; dim < MOST_DIMS; dim += 1 + dim / 8) check_panel(k, &rng, n, dim);
	}
}

/* ---- half floats against arithmetic ---- */

static float slow_half_to_float(uint16_t half)
{
	int exponent = half >> 10 & 0x1f, mantissa = half & 0x3ff;
	double value = exponent ? ldexp(1024 + mantissa, exponent - 25) : ldexp(mantissa, -24);

	if (exponent == 31) value = mantissa ? NAN : INFINITY;
	return (float)(half & 0x8000 ? -value : value);
}

TEST(every_half_converts_to_its_float_and_back)
{
	EACH_TABLE(k)
	for (uint32_t h = 0; h < 65536; h++) {
		uint16_t half = (uint16_t)h, back;
		float slow = slow_half_to_float(half), got;

		k->f16_to_f32(&half, &got, 1);
		k->f32_to_f16(&got, &back, 1);
		if (isnan(slow)) {
			CHECK(isnan(got) && (back & 0x7fff) == ((half | 0x200) & 0x7fff), "%s, %04x\n", k->name, half);
			continue;
		}
		CHECK(got == slow && signbit(got) == signbit(slow), "%s, %04x gives %g\n", k->name, half, got);
		CHECK(back == half, "%s, %04x came back as %04x\n", k->name, half, back);
	}
}

/* Between two neighbours the nearer is chosen, in the middle the even one. */
TEST(floats_round_to_the_nearest_even_half)
{
	EACH_TABLE(k)
	for (uint16_t h = 0; h < 0x7c00; h++) {
		float here = slow_half_to_float(h), next = h == 0x7bff ? 65536.0f : slow_half_to_float((uint16_t)(h + 1));
		float middle = (here + next) / 2, in[6];
		uint16_t out[6], up = (uint16_t)(h + 1), even = h & 1 ? up : h;
		const uint16_t wanted[6] = { h, even, up, h | 0x8000, even | 0x8000, up | 0x8000 };

		for (int sign = 0; sign < 2; sign++) {
			in[3 * sign] = copysignf(nextafterf(middle, 0), sign ? -1 : 1);
			in[3 * sign + 1] = copysignf(middle, sign ? -1 : 1);
			in[3 * sign + 2] = copysignf(nextafterf(middle, INFINITY), sign ? -1 : 1);
		}
		k->f32_to_f16(in, out, 6);
		CHECK(!memcmp(out, wanted, sizeof out), "%s near %04x\n", k->name, h);
	}
}

TEST(conversions_of_every_length_write_only_their_own)
{
	struct rng rng = { 7 };

	EACH_TABLE(k)
	for (size_t n = 0; n < MOST_DIMS; n++) {
		struct block f = block_of(&rng, 4 * n, 4), h = block_of(&rng, 2 * n, 2), g = block_of(&rng, 4 * n, 4);

		make_integers(&rng, (void *)f.at, n);
		k->f32_to_f16((void *)f.at, (void *)h.at, n);
		k->f16_to_f32((void *)h.at, (void *)g.at, n);
		CHECK(!memcmp(f.at, g.at, 4 * n), "%s, n %zu\n", k->name, n);
		free(f.base);
		free(h.base);
		free(g.base);
	}
}

/* Weights of both signs that add up to about 1, as filters have them. */
static void make_weights(struct rng *rng, int32_t *to, size_t n)
{
	for (size_t k = 0; k < n; k++)
		to[k] = (int32_t)((double)rng_below(rng, 1 << KERNEL_WEIGHT_BITS) * (k % 3 == 2 ? -0.5 : 1.5) / (double)n);
}

TEST(rows_mix_as_scalar_mixes_them)
{
	enum { MOST_ROWS = 9 };
	const struct kernels *s = kernels_by_name("scalar");
	struct rng rng = { 8 };

	EACH_TABLE(k)
	for (size_t n = 0; n < MOST_DIMS; n++) {
		size_t n_rows = 1 + n % MOST_ROWS;
		struct block rows[MOST_ROWS], a = block_of(&rng, n, 1), b = block_of(&rng, n, 0);
		const uint8_t *at[MOST_ROWS];
		int32_t weights[MOST_ROWS];

		make_weights(&rng, weights, n_rows);
		for (size_t i = 0; i < n_rows; i++) {
			rows[i] = block_of(&rng, n, i % 4);
			if (n % 2) memset(rows[i].at, i % 3 == 2 ? 0 : 255, n); /* beyond white */
			at[i] = rows[i].at;
		}
		k->mix_rows(at, weights, n_rows, a.at, n);
		s->mix_rows(at, weights, n_rows, b.at, n);
		CHECK(!memcmp(a.at, b.at, n), "%s, %zu bytes of %zu rows\n", k->name, n, n_rows);
		for (size_t i = 0; i < n_rows; i++) free(rows[i].base);
		free(a.base);
		free(b.base);
	}
}

TEST(pixels_mix_as_scalar_mixes_them)
{
	enum { MOST_TAPS = 16, HAVE = 50 };
	const struct kernels *s = kernels_by_name("scalar");
	struct rng rng = { 9 };

	EACH_TABLE(k)
	for (size_t n = 0; n < MOST_DIMS; n++) {
		size_t taps = KERNEL_TAPS * (1 + n % (MOST_TAPS / KERNEL_TAPS));
		struct block row = block_of(&rng, 3 * HAVE + KERNEL_OVERREAD, 1), a = block_of(&rng, 3 * n, 3);
		struct block b = block_of(&rng, 3 * n, 0);
		uint32_t first[MOST_DIMS];
		int32_t weights[MOST_DIMS * MOST_TAPS];

		for (size_t i = 0; i < n; i++) {
			first[i] = (uint32_t)rng_below(&rng, HAVE - taps + 1);
			make_weights(&rng, weights + i * taps, taps);
		}
		k->mix_pixels(row.at, first, weights, taps, a.at, n);
		s->mix_pixels(row.at, first, weights, taps, b.at, n);
		CHECK(!memcmp(a.at, b.at, 3 * n), "%s, %zu pixels of %zu taps\n", k->name, n, taps);
		free(row.base);
		free(a.base);
		free(b.base);
	}
}

TEST(the_best_table_is_one_of_the_named)
{
	const struct kernels *best = kernels_best();

	CHECK(best && best == kernels_by_name(best->name));
	CHECK(kernels_by_name("scalar") && !kernels_by_name("none"));
}

TEST_MAIN(cmocka_unit_test(float_kernels_equal_scalar), cmocka_unit_test(byte_kernels_equal_scalar),
          cmocka_unit_test(the_largest_sums_of_bytes_fit), cmocka_unit_test(a_scan_is_the_kernel_for_each_row_bit_for_bit),
          cmocka_unit_test(select_finds_what_a_loop_finds), cmocka_unit_test(a_panel_marks_what_a_loop_marks),
          cmocka_unit_test(every_half_converts_to_its_float_and_back),
          cmocka_unit_test(floats_round_to_the_nearest_even_half),
          cmocka_unit_test(conversions_of_every_length_write_only_their_own),
          cmocka_unit_test(rows_mix_as_scalar_mixes_them), cmocka_unit_test(pixels_mix_as_scalar_mixes_them),
          cmocka_unit_test(the_best_table_is_one_of_the_named))
