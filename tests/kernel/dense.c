/* simd/dense: every table against scalar, on small integers, where float sums are exact and so must be equal; what is
 * normalised, within rounding.
 * SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <math.h>
#include <stdlib.h>

#include "simd/dense.h"

static const char *const names[] = { "scalar", "avx2", "avx512", "neon" };

#define EACH_TABLE(k)                                                                                                  \
	for (size_t table_ = 0; table_ < COUNT(names); table_++)                                                       \
		for (const struct dense_kernels *k =                                                                   \
			 kernels_by_name(names[table_]) ? dense_kernels_for(kernels_by_name(names[table_])) : NULL;    \
		     k; k = NULL)

/* Exactly so long on the heap, so that the address sanitizer sees a read beyond. */
static float *integers(struct rng *rng, size_t n)
{
	float *floats = malloc(n * sizeof *floats + !n);

	if (!floats) abort();
	for (size_t i = 0; i < n; i++) floats[i] = (float)rng_below(rng, 9) - 4;
	return floats;
}

/* By the definition: neither panels nor tiles. */
static float product_of(const struct dense_layer *l, const float *row, size_t j)
{
	float sum = 0;

	for (size_t i = 0; i < l->inputs; i++)
		sum += row[i] * (float)l->weights[(j / DENSE_PANEL * l->inputs + i) * DENSE_PANEL + j % DENSE_PANEL];
	return (l->bias ? l->bias[j] : 0) + l->scale * sum;
}

static void check_product(const struct dense_kernels *k, struct rng *rng, const struct dense_layer *l, size_t stride,
			  size_t n)
{
	const size_t out_stride = l->outputs + 3;
	float *rows = integers(rng, n ? (n - 1) * stride + l->inputs : 0), *out = integers(rng, n * out_stride);

	for (size_t r = 0; r < n; r++)
		for (size_t j = l->outputs; j < out_stride; j++) out[r * out_stride + j] = 77;
	k->product(l, rows, stride, n, out, out_stride);
	for (size_t r = 0; r < n; r++)
		for (size_t j = 0; j < out_stride; j++) {
			const float wanted = j < l->outputs ? product_of(l, rows + r * stride, j) : 77;
			CHECK(out[r * out_stride + j] == wanted, "row %zu of %zu, output %zu, %zu inputs\n", r, n, j,
			      l->inputs);
		}
	free(rows);
	free(out);
}

TEST(products_equal_a_loop)
{
	static const size_t inputs[] = { 1, 2, 31, 64 }, outputs[] = { 32, 96 };
	struct rng rng = { 1 };

	EACH_TABLE(k)
	for (size_t i = 0; i < COUNT(inputs); i++)
		for (size_t o = 0; o < COUNT(outputs); o++) {
			const size_t size = inputs[i] * outputs[o];
			int8_t *weights = malloc(size);
			float *bias = integers(&rng, outputs[o]);

			if (!weights) abort();
			for (size_t w = 0; w < size; w++) weights[w] = (int8_t)rng_u64(&rng);
			for (size_t n = 0; n <= 29; n++) {
				const struct dense_layer layer = { weights, n % 2 ? bias : NULL, 0.5f, inputs[i],
								   outputs[o] };
				check_product(k, &rng, &layer, inputs[i] + n % 3, n);
				check_product(k, &rng, &layer, (inputs[i] + 1) / 2, n); /* rows that overlap */
			}
			free(weights);
			free(bias);
		}
}

TEST(a_row_is_the_same_beside_any_rows)
{
	enum { INPUTS = 160, OUTPUTS = 64, ROWS = 40 };
	struct rng rng = { 2 };
	float *rows = integers(&rng, INPUTS * ROWS), all[ROWS * OUTPUTS], one[OUTPUTS];
	int8_t weights[INPUTS * OUTPUTS];
	const struct dense_layer layer = { weights, NULL, 0.37f, INPUTS, OUTPUTS };

	for (size_t i = 0; i < INPUTS * ROWS; i++) rows[i] = (float)rng_normal(&rng);
	for (size_t i = 0; i < sizeof weights; i++) weights[i] = (int8_t)rng_u64(&rng);
	EACH_TABLE(k)
	{
		k->product(&layer, rows, INPUTS, ROWS, all, OUTPUTS);
		for (size_t r = 0; r < ROWS; r++) {
			k->product(&layer, rows + r * INPUTS, INPUTS, 1, one, OUTPUTS);
			CHECK(!memcmp(one, all + r * OUTPUTS, sizeof one), "row %zu\n", r);
		}
	}
	free(rows);
}

TEST(sums_and_ramps_equal_scalar)
{
	struct rng rng = { 3 };

	EACH_TABLE(k)
	for (size_t n = 0; n <= 160; n += DENSE_PANEL) {
		float *a = integers(&rng, n), *b = integers(&rng, n), *sum = integers(&rng, n);

		for (size_t i = 0; i < n; i++) sum[i] = a[i];
		k->add(sum, b, n);
		for (size_t i = 0; i < n; i++) CHECK(sum[i] == a[i] + b[i]);
		for (size_t i = 0; i < n; i++) sum[i] = a[i];
		k->relu_add(sum, b, n);
		for (size_t i = 0; i < n; i++) CHECK(sum[i] == (a[i] > 0 ? a[i] : 0) + b[i], "%g %g\n", a[i], b[i]);
		free(a);
		free(b);
		free(sum);
	}
}

TEST(normalised_rows_have_mean_and_variance_of_gain_and_bias)
{
	struct rng rng = { 4 };

	EACH_TABLE(k)
	for (size_t n = DENSE_PANEL; n <= 320; n += DENSE_PANEL) {
		float *row = integers(&rng, n), *gain = integers(&rng, n), *bias = integers(&rng, n),
		      *out = integers(&rng, n);
		double mean = 0, variance = 0;

		for (size_t i = 0; i < n; i++) row[i] = (float)(3 + 2 * rng_normal(&rng));
		for (size_t i = 0; i < n; i++) mean += row[i] / (double)n;
		for (size_t i = 0; i < n; i++) variance += (row[i] - mean) * (row[i] - mean) / (double)n;
		k->normalise(row, gain, bias, 0.25f, n, out);
		for (size_t i = 0; i < n; i++) {
			const double wanted = (row[i] - mean) / sqrt(variance + 0.25) * gain[i] + bias[i];
			CHECK(fabs(out[i] - wanted) < 2e-5, "%zu: %g instead of %g\n", i, out[i], wanted);
		}
		k->normalise(row, gain, bias, 0.25f, n, row);
		CHECK(!memcmp(row, out, n * sizeof *row), "in place\n");
		free(row);
		free(gain);
		free(bias);
		free(out);
	}
}

TEST_MAIN(cmocka_unit_test(products_equal_a_loop), cmocka_unit_test(a_row_is_the_same_beside_any_rows),
	  cmocka_unit_test(sums_and_ramps_equal_scalar),
	  cmocka_unit_test(normalised_rows_have_mean_and_variance_of_gain_and_bias))
