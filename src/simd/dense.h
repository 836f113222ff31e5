/* simd/dense.h - kernels of small networks: layers of 8-bit weights on rows of floats.
 *
 * Weights lie as panels of DENSE_PANEL outputs, so that whatever the instruction set, one pass over a panel serves many
 * rows: the weight of input i for output j is at (j / DENSE_PANEL * inputs + i) * DENSE_PANEL + j % DENSE_PANEL.
 * Every output is one sum in the order of the inputs. So a row's result does not depend on the rows beside it, and
 * tables differ only by what a fused multiply-add does not round.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef AKIN_SIMD_DENSE_H
#define AKIN_SIMD_DENSE_H

#include "simd/kernels.h"

enum { DENSE_PANEL = 32 };

struct dense_layer {
	const int8_t *weights;
	const float *bias;      /* NULL: none */
	float scale;            /* of the weights */
	size_t inputs, outputs; /* outputs are a multiple of DENSE_PANEL */
};

struct dense_kernels {
	/* out[r * out_stride + j] = bias[j] + scale * sum of rows[r * stride + i] * weight(i, j). With a stride shorter
	 * than the inputs rows overlap, which makes the layer a convolution over what lies there. */
	void (*product)(const struct dense_layer *layer, const float *rows, size_t stride, size_t n, float *out,
			size_t out_stride);
	/* Of n values, a multiple of DENSE_PANEL: */
	void (*relu_add)(float *values, const float *added, size_t n); /* values = max(values, 0) + added */
	void (*add)(float *sum, const float *added, size_t n);
	/* out = (row - mean) / sqrt(variance + eps) * gain + bias; `out` may be `row`. */
	void (*normalise)(const float *row, const float *gain, const float *bias, float eps, size_t n, float *out);
};

/* Those that go with a table of kernels. */
const struct dense_kernels *dense_kernels_for(const struct kernels *kernels);

extern const struct dense_kernels dense_kernels_scalar, dense_kernels_avx2, dense_kernels_avx512, dense_kernels_neon;

#endif
