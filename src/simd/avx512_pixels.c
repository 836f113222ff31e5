/* simd/avx512_pixels.c - kernels over rows of pixels for AVX-512.
 * SPDX-License-Identifier: Apache-2.0 */
#include "simd/pixels_body.h"

const struct pixel_kernels pixel_kernels_avx512 = PIXEL_KERNEL_TABLE;
