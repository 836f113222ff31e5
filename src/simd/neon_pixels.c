/* simd/neon_pixels.c - kernels over rows of pixels for NEON.
 * SPDX-License-Identifier: Apache-2.0 */
#include "simd/pixels_body.h"

const struct pixel_kernels pixel_kernels_neon = PIXEL_KERNEL_TABLE;
