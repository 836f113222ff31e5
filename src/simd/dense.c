/* simd/dense.c - the meaning of the kernels of networks, and which table is used: the one of the other kernels.
 * SPDX-License-Identifier: Apache-2.0 */
#include "simd/dense.h"

#include "simd/dense_body.h"

static void product(const struct dense_layer *layer, const float *rows, size_t stride, size_t n, float *out,
		    size_t out_stride)
{
	for (size_t p = 0; p < layer->outputs; p += DENSE_PANEL) {
		const int8_t *panel = layer->weights + p * layer->inputs;

		for (size_t r = 0; r < n; r++) {
			float sum[DENSE_PANEL] = { 0 };

			for (size_t i = 0; i < layer->inputs; i++)
				for (size_t j = 0; j < DENSE_PANEL; j++)
					sum[j] += rows[r * stride + i] * (float)panel[i * DENSE_PANEL + j];
			for (size_t j = 0; j < DENSE_PANEL; j++)
				out[r * out_stride + p + j] =
				    (layer->bias ? layer->bias[p + j] : 0) + layer->scale * sum[j];
		}
	}
}

const struct dense_kernels dense_kernels_scalar = DENSE_KERNEL_TABLE;

const struct dense_kernels *dense_kernels_for(const struct kernels *kernels)
{
#if defined(__x86_64__)
	if (kernels == &kernels_avx2) return &dense_kernels_avx2;
	if (kernels == &kernels_avx512) return &dense_kernels_avx512;
#elif defined(__aarch64__)
	if (kernels == &kernels_neon) return &dense_kernels_neon;
#endif
	(void)kernels;
	return &dense_kernels_scalar;
}
