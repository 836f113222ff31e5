/* simd/pixels: every instruction set gives scalar's bits, for every length around a register's; and scalar gives what
 * the definition says. SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <math.h>
#include <stdlib.h>

#include "simd/pixels.h"

enum { MOST = 150, ROWS = 9, STRIDE = MOST + 16, EDGE = 8 };

static const char *const names[] = { "scalar", "avx2", "avx512", "neon" };

struct input {
	float rows[ROWS][STRIDE];
	uint8_t levels[ROWS * STRIDE];
	uint32_t sums[40 * STRIDE];
};

static struct input *input_make(uint64_t seed)
{
	struct input *in = malloc(sizeof *in);
	struct rng rng = { seed };

	CHECK(in != NULL);
	for (size_t r = 0; r < ROWS; r++)
		for (size_t i = 0; i < STRIDE; i++) in->rows[r][i] = (float)rng_below(&rng, 40) - 20;
	for (size_t i = 0; i < sizeof in->levels; i++)
		in->levels[i] = (uint8_t)rng_below(&rng, rng_below(&rng, 2) ? 256 : 30);
	for (size_t i = 0; i < COUNT(in->sums); i++) in->sums[i] = (uint32_t)rng_below(&rng, 1 << 20);
	return in;
}

struct output {
	float rows[8][STRIDE];
	uint8_t near[STRIDE];
	uint16_t corners[STRIDE];
	int32_t sums[3];
};

static void run(const struct pixel_kernels *k, const struct input *in, size_t n, struct output *out)
{
	static const float weights[2] = { 0.3f, 0.07f };
	const float *rows[ROWS];
	float room[2 * (MOST + 2)];
	struct hessian_rows h = { .lobe = 3, .step = 1, .factor = 0.01f };

	memset(out, 0, sizeof *out);
	for (size_t r = 0; r < ROWS; r++) rows[r] = in->rows[r] + EDGE;
	k->blur_rows(rows, weights, 2, 0.26f, out->rows[0], n);
	k->blur_row(rows[0], weights, 2, 0.26f, out->rows[1], n);
	k->subtract(rows[0], rows[1], out->rows[2], n);
	k->extrema(rows, 4, out->near, room, n);
	k->gradient(rows[0], rows[1], rows[2], out->rows[3], out->rows[4], n);
	k->fast(in->levels + 4 * STRIDE + EDGE, STRIDE, 12, out->corners, n);
	for (size_t i = 0; i < 4; i++) {
		h.xx[i % 2] = in->sums + (i % 2) * STRIDE + EDGE;
		h.yy[i] = in->sums + (2 + i) * STRIDE + EDGE;
		h.xy[i] = in->sums + (6 + i) * STRIDE + EDGE;
	}
	k->hessian(&h, out->rows[5], n);
	h.step = 2;
	k->hessian(&h, out->rows[6], n / 2);
	k->structure(in->levels + 4 * STRIDE + EDGE + n / 2, STRIDE, out->sums);
}

TEST(every_instruction_set_gives_the_same_bits)
{
	size_t compared = 0;

	for (size_t t = 1; t < COUNT(names); t++) {
		const struct kernels *table = kernels_by_name(names[t]);

		for (size_t n = 0; table && n <= MOST - 16; n++) {
			struct input *in = input_make(n + 1);
			struct output *want = malloc(sizeof *want), *got = malloc(sizeof *got);

			CHECK(want && got);
			run(&pixel_kernels_scalar, in, n, want);
			run(pixel_kernels_for(table), in, n, got);
			CHECK(!memcmp(want, got, sizeof *want), "%s differs at length %zu\n", names[t], n);
			compared++;
			free(in);
			free(want);
			free(got);
		}
	}
	print_message("%zu comparisons with scalar\n", compared);
}

TEST(gradients_have_the_direction_of_atan2)
{
	for (int degree = 0; degree < 360; degree++) {
		float dx = 10 * cosf((float)degree * 0.01745329252f), dy = 10 * sinf((float)degree * 0.01745329252f),
		        length, turn;
		float row[3] = { 0, 0, dx }, above[3] = { 0 }, below[3] = { 0, dy, 0 };
		double wanted = degree / 360.0, off;

		pixel_kernels_scalar.gradient(above + 1, row + 1, below + 1, &length, &turn, 1);
		off = fabs((double)turn - wanted);
		CHECK(fmin(off, 1 - off) < 2e-6, "%d degrees are %g turns\n", degree, (double)turn);
		CHECK(fabsf(length - 10) < 1e-4f && turn >= 0 && turn < 1);
	}
}

/* The definition of FAST, bit by bit. */
static unsigned fast_slowly(const uint8_t *p, ptrdiff_t stride, int threshold)
{
	static const int circle[16][2] = { { 0, -3 }, { 1, -3 }, { 2, -2 }, { 3, -1 }, { 3, 0 }, { 3, 1 }, { 2, 2 },
	                                   { 1, 3 },
		                           { 0, 3 }, { -1, 3 }, { -2, 2 }, { -3, 1 }, { -3, 0 }, { -3, -1 }, { -2, -2 },
		                           { -1, -3 } };
	unsigned result = 0;

	for (int sign = -1; sign <= 1; sign += 2) {
		int run = 0, longest = 0, sum = 0;

		for (int k = 0; k < 32; k++) {
			int beyond = sign * (p[circle[k % 16][0] + circle[k % 16][1] * stride] - *p) - threshold;

			run = beyond > 0 ? run + 1 : 0;
			if (run > longest) longest = run;
			if (k < 16 && beyond > 0) sum += beyond;
		}
		if (longest >= 9) result += (unsigned)sum;
	}
	return result;
}

TEST(corners_are_nine_of_sixteen_in_a_row)
{
	size_t corners = 0;

	for (uint64_t seed = 1; seed <= 200; seed++) {
		struct input *in = input_make(seed);
		const uint8_t *row = in->levels + 4 * STRIDE + EDGE;
		struct rng rng = { seed };
		uint16_t got[MOST];

		for (size_t i = 0; i < sizeof in->levels; i++) in->levels[i] = rng_below(&rng, 5) ? 200 : 10;
		pixel_kernels_scalar.fast(row, STRIDE, 20, got, MOST - 16);
		for (size_t i = 0; i < MOST - 16; i++) {
			unsigned want = fast_slowly(row + i, STRIDE, 20);
			CHECK(got[i] == want, "seed %d column %zu: %u, not %u\n", (int)seed, i, got[i], want);
			corners += want > 0;
		}
		free(in);
	}
	CHECK(corners > 100, "only %zu corners were seen\n", corners);
}

TEST(an_extremum_is_beyond_all_26_neighbours)
{
	float rows[9][5] = { { 0 } }, room[2 * 7];
	const float *at[9];
	uint8_t near[3];

	for (size_t r = 0; r < 9; r++) at[r] = rows[r] + 1;
	for (float sign = -1; sign <= 1; sign += 2) {
		rows[4][2] = 5 * sign;
		pixel_kernels_scalar.extrema(at, 4, near, room, 3);
		CHECK(!near[0] && near[1] && !near[2]);
		pixel_kernels_scalar.extrema(at, 6, near, room, 3);
		CHECK(!near[1]);
		for (size_t i = 0; i < 27; i++) {
			float *other = &rows[i / 3][1 + i % 3];

			if (other == &rows[4][2]) continue;
			*other = 6 * sign;
			pixel_kernels_scalar.extrema(at, 4, near, room, 3);
			CHECK(!near[1], "neighbour %zu was not looked at\n", i);
			*other = 0;
		}
	}
}

TEST_MAIN(cmocka_unit_test(every_instruction_set_gives_the_same_bits),
          cmocka_unit_test(gradients_have_the_direction_of_atan2),
          cmocka_unit_test(corners_are_nine_of_sixteen_in_a_row),
          cmocka_unit_test(an_extremum_is_beyond_all_26_neighbours))
