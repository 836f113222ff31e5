/* simd/pixels.c - kernels over rows of pixels in plain C, and which go with which table.
 * SPDX-License-Identifier: Apache-2.0 */
#include "simd/pixels.h"

#include "simd/pixels_body.h"

const struct pixel_kernels pixel_kernels_scalar = PIXEL_KERNEL_TABLE;

const struct pixel_kernels *pixel_kernels_for(const struct kernels *kernels)
{
#if defined(__x86_64__)
	if (kernels == &kernels_avx2) return &pixel_kernels_avx2;
	if (kernels == &kernels_avx512) return &pixel_kernels_avx512;
#elif defined(__aarch64__)
	if (kernels == &kernels_neon) return &pixel_kernels_neon;
#endif
	(void)kernels;
	return &pixel_kernels_scalar;
}
